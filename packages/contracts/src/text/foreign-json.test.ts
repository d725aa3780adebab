import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseForeignJson } from "./foreign-json.ts";

/** Fields in the order in which they stand, so that order and `__proto__` are compared too, and numbers in digits. */
type Flat =
  | string
  | boolean
  | null
  | Flat[]
  | { readonly number: string }
  | { readonly fields: [string, Flat][] };

function flat(value: unknown): Flat {
  if (Array.isArray(value)) return value.map(flat);
  if (typeof value === "number") return { number: Object.is(value, -0) ? "-0" : String(value) };
  if (typeof value !== "object" || value === null) return value as string | boolean | null;
  return { fields: Object.entries(value).map(([name, field]) => [name, flat(field)]) };
}

/** Every way to write a character in JSON. */
function spellingsOf(character: string): string[] {
  const escaped = JSON.stringify(character).slice(1, -1);
  const short = '"\\\b\f\n\r\t'.includes(character) ? [escaped] : [];
  const units = character.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  const plain = escaped === character ? [character] : [];
  return [...plain, ...short, units.map((unit) => `\\u${unit}`).join("")];
}

/** A key, and one of the ways to write it. */
interface Key {
  readonly name: string;
  readonly written: string;
}

/** JSON that is known without reading it. */
interface Sample {
  readonly text: string;
  readonly value: unknown;
  /** Texts after which an engine at fault takes a key of this one for what its written form begins with. */
  readonly poisons: readonly string[];
}

function listOf(items: readonly Sample[], gap: string): Sample {
  return {
    text: `[${gap}${items.map(({ text }) => text).join(`${gap},`)}${gap}]`,
    value: items.map(({ value }) => value),
    poisons: items.flatMap(({ poisons }) => poisons),
  };
}

function objectOf(fields: readonly (readonly [Key, Sample])[], gap: string): Sample {
  const written = fields.map(([key, { text }]) => `${gap}"${key.written}"${gap}:${gap}${text}`);
  const poisons = fields.map(([key], index) => {
    const before = fields.slice(0, index).map(([{ name }]) => `${JSON.stringify(name)}:0`);
    const mistaken = key.written.slice(0, key.name.length);
    return `{${[...before, `${JSON.stringify(mistaken)}:0`].join(",")}}`;
  });
  return {
    text: `{${written.join(",")}${gap}}`,
    value: Object.fromEntries(fields.map(([{ name }, { value }]) => [name, value])),
    poisons: [...fields.flatMap(([, { poisons }]) => poisons), ...poisons],
  };
}

const leaf = fc
  .oneof(
    fc.constantFrom(0, -0, 1.5, 5e-324, true, false, null, "", '"a":', "\\"),
    fc.string({ unit: "binary", maxLength: 8 }),
  )
  .map((value): Sample => ({
    text: Object.is(value, -0) ? "-0" : JSON.stringify(value),
    value,
    poisons: [],
  }));
const infinite = fc.constant<Sample>({ text: "1e400", value: Infinity, poisons: [] });
/** Short keys of few characters meet one another's written beginnings often. */
const name = fc.oneof(
  fc.string({ unit: fc.constantFrom("\\", '"', "\n", "a", "u", "n", "0", "中"), maxLength: 4 }),
  fc.constantFrom("__proto__", "1", "0", "-0", "messages", "\\u006des", "\ud800", "toString"),
);
const key = name.chain((name) =>
  fc
    .tuple(...Array.from(name, (character) => fc.constantFrom(...spellingsOf(character))))
    .map((parts): Key => ({ name, written: parts.join("") })),
);
const gap = fc.constantFrom("", "", " ", "\n\t", "\r ");
const { value: sample } = fc.letrec<{ value: Sample }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    infinite,
    fc
      .tuple(fc.array(tie("value"), { maxLength: 3 }), gap)
      .map(([items, gap]) => listOf(items, gap)),
    fc
      .tuple(fc.array(fc.tuple(key, tie("value")), { maxLength: 4 }), gap)
      .map(([fields, gap]) => objectOf(fields, gap)),
  ),
}));

describe("JSON that others wrote", () => {
  it("has the keys and values that were written, whatever was read before", () => {
    fc.assert(
      fc.property(sample, ({ text, value, poisons }) => {
        for (const poison of poisons) JSON.parse(poison);
        expect(flat(parseForeignJson(text))).toEqual(flat(value));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['{"x":1,"\\\\":2}', '{"x":1,"\\n":2}', "\n"],
    ['{"y":1,"\\\\":2}', '{"y":1,"\\"":2}', '"'],
    ['{"z":1,"\\\\":2}', '{"z":1,"\\u0061":2}', "a"],
    ['{"v":1,"\\\\u006des":2}', '{"v":1,"\\u006dessages":2}', "messages"],
    ['{"w":1,"\\\\":2}', '{"w":1,"\\ud800" :2}', "\ud800"],
  ])("after %s keeps the key of %s", (before, text, key) => {
    parseForeignJson(before);
    expect(Object.keys(parseForeignJson(text) as object)[1]).toBe(key);
  });

  it("does not take what a string holds for a key", () => {
    const packed = JSON.stringify({ arguments: JSON.stringify({ 'a"b': "\\" }) });
    expect(parseForeignJson(packed)).toEqual(JSON.parse(packed));
  });

  it.each([
    '{"\\n":1',
    '{"\\n" 1}',
    '{"\\x":1}',
    '{"\\u00":1}',
    '["\\',
    '{"\\n":01}',
    '{"\\":1}',
    "",
  ])("refuses %s as JSON.parse does", (text) => {
    expect(() => parseForeignJson(text)).toThrow(refusalOf(text));
  });

  it("has no depth of its own at which it ends", () => {
    const depth = 200_000;
    let value = parseForeignJson(`${'{"\\u0061":['.repeat(depth)}${"]}".repeat(depth)}`);
    let level = 0;
    while (typeof value === "object" && value !== null && "a" in value) {
      value = (value as { a: unknown[] }).a[0];
      level += 1;
    }
    expect(level).toBe(depth);
  });

  it.each(['{"number":1.10,"text":"1.10"}', '{"number":1.10,"te\\u0078t":"1.10"}'])(
    "shows each number of %s as it is written",
    (text) => {
      const read = parseForeignJson(text, (value, source) => [value, source]);
      expect(read).toEqual({ number: [1.1, "1.10"], text: "1.10" });
    },
  );
});

function refusalOf(text: string): Error {
  try {
    JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return error;
  }
  throw new Error(`JSON.parse reads ${text}.`);
}

describe("JSON.stringify", () => {
  it("writes the key that an object has, whatever was read before", () => {
    for (const name of ["\n", '"', "a", "\\"]) {
      JSON.parse('{"s":1,"\\\\":2}');
      const written = JSON.stringify({ s: 1, [name]: 2 });
      expect(written).toBe(`{"s":1,${JSON.stringify(name)}:2}`);
    }
  });
});
