import {
  array,
  assert,
  constantFrom,
  integer,
  json,
  oneof,
  property,
  string,
  tuple,
} from "fast-check";
import { describe, expect, it } from "vitest";

import { ArgumentsFilter } from "./arguments-filter.ts";
import { compilePolicy } from "./compiled-policy.ts";

const { refusing } = compilePolicy({
  output: [
    { id: "no-plans", action: "refuse", match: { kind: "pattern", pattern: "secret\\s+plan" } },
    { id: "no-fire", action: "refuse", match: { kind: "pattern", pattern: "🔥" } },
  ],
});

/** What goes on of a text that comes in parts of these sizes. */
function pass(text: string, sizes: readonly number[]): { passed: string; refusedBy?: string } {
  const filter = new ArgumentsFilter(refusing);
  let passed = "";
  let at = 0;
  for (let turn = 0; at < text.length; turn += 1) {
    const end = at + (sizes[turn % sizes.length] ?? 1);
    passed += filter.push(text.slice(at, end)).text;
    at = end;
  }
  passed += filter.finish().text;
  const { refusedBy } = filter;
  return refusedBy === undefined ? { passed } : { passed, refusedBy };
}

const sizes = array(integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

/** Every character as any of the escapes that JSON has for it. */
function escaped(text: string): ReturnType<typeof string> {
  const units = text.split("").map((unit) => {
    const hexadecimal = unit.charCodeAt(0).toString(16).padStart(4, "0");
    return constantFrom(unit, `\\u${hexadecimal}`, `\\u${hexadecimal.toUpperCase()}`);
  });
  return tuple(...units).map((parts) => parts.join(""));
}

describe("the arguments of a call", () => {
  it("go on as they came, wherever they are cut", () => {
    assert(
      property(oneof(json(), string({ unit: "binary" })), sizes, (text, cut) => {
        expect(pass(text, cut)).toEqual({ passed: text });
      }),
    );
  });

  it("go on as they came when they are broken JSON, with escapes that never end", () => {
    const pieces = constantFrom("\\", "u", "\\u", "\\ud83d", "00", "a", '"', "\\n", "\\\\");
    assert(
      property(array(pieces, { maxLength: 12 }), sizes, (parts, cut) => {
        const text = parts.join("");
        expect(pass(text, cut)).toEqual({ passed: text });
      }),
    );
  });

  it("are refused for what a tool will read in them, however it is escaped and cut", () => {
    assert(
      property(escaped("secret plan"), sizes, (words, cut) => {
        const { passed, refusedBy } = pass(`{"q":"a ${words}"}`, cut);
        expect(refusedBy).toBe("no-plans");
        expect(`{"q":"a `.startsWith(passed)).toBe(true);
      }),
    );
    const breaks = [
      '{"q":"secret\\nplan"}',
      '{"q":"secret\\u000aplan"}',
      '{"q":"secret\\r\\n\\tplan"}',
    ];
    for (const text of breaks) expect(pass(text, [3]).refusedBy).toBe("no-plans");
    for (const cut of [1, 5, 7, 40]) {
      expect(pass('{"q":"\\ud83d\\udd25"}', [cut]).refusedBy).toBe("no-fire");
    }
  });

  it("are refused exactly when the text that a tool reads is, halves of characters and all", () => {
    const written = constantFrom(
      "secret",
      "secre",
      "s\\u0065cret",
      " ",
      "\\n",
      "\\u0020",
      "plan",
      "pl\\u0061n",
      "\\\\",
      "\\ud83d",
      "\\udd25",
      "\\ud83d\\udd25",
      "\\u00e9",
    );
    assert(
      property(array(written, { maxLength: 14 }), sizes, (parts, cut) => {
        const text = parts.join("");
        const { passed, refusedBy } = pass(text, cut);
        const read = JSON.parse(`"${text}"`) as string;
        const isRefused = /secret\s+plan|🔥/u.test(read);
        expect(refusedBy !== undefined).toBe(isRefused);
        expect(isRefused ? text.startsWith(passed) : passed === text).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("are not refused for a backslash that a tool will read as one", () => {
    expect(pass(String.raw`{"q":"secret\\nplan"}`, [2]).refusedBy).toBeUndefined();
  });
});
