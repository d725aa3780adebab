/** Names and scalars as a scanner reads them, against `JSON.parse`: written in any way, cut anywhere, in buffers that are used again. */

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { JsonFault } from "./json-fault.ts";
import { JsonScanner } from "./json-scanner.ts";
import { watchJson } from "./json-watch.ts";

const captureBytesMax = 96;
// Six bytes for each unit of a name fit, however it is written.
const longName = "n".repeat(16);
const watchedNames = [
  "",
  "a",
  "b",
  "ab",
  "ba",
  "aé",
  "id",
  "n",
  "😀",
  "model",
  "__proto__",
  longName,
];
const watch = watchJson(100, {
  fields: Object.fromEntries([
    ...watchedNames.map((name, id) => [name, watchJson(id, { capture: true })] as const),
    ["inner", watchJson(101, { fields: { a: watchJson(102, { capture: true }) } })],
  ]),
});

/** A text as JSON may write it: each unit as it stands, or escaped in one of the ways. */
const written = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.nat({ max: 7 }), { minLength: text.length, maxLength: text.length })
    .map(
      (ways) =>
        `"${[...unitsOf(text)].map((unit, at) => writeUnit(unit, ways[at] ?? 0)).join("")}"`,
    );

function unitsOf(text: string): string[] {
  return Array.from({ length: text.length }, (_, at) => text.charAt(at));
}

function writeUnit(unit: string, way: number): string {
  const plain = JSON.stringify(unit).slice(1, -1);
  const code = unit.charCodeAt(0).toString(16).padStart(4, "0");
  // Half of a pair cannot stand alone in UTF-8.
  const isHalf = /[\ud800-\udfff]/.test(unit);
  if (isHalf || way === 0) return `\\u${code}`;
  if (way === 1) return `\\u${code.toUpperCase()}`;
  return unit === "/" && way === 2 ? "\\/" : plain;
}

const texts = fc.oneof(
  fc.constantFrom(
    ...watchedNames,
    "A",
    "aa",
    "inner",
    "a\u0000",
    "/",
    '"',
    "\\",
    "n".repeat(15),
    "n".repeat(17),
  ),
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.string({ unit: "binary", minLength: 60, maxLength: 100 }),
);
const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.nat({ max: 9 }), { minLength, maxLength })
    .map((list) => list.join("").replace(/^0+(?=.)/, ""));
const numbers = fc
  .record({
    sign: fc.constantFrom("", "", "-"),
    whole: fc.oneof(digits(1, 4), digits(14, 17), digits(70, 90)),
    part: fc.oneof(
      fc.constant(""),
      fc
        .array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 4 })
        .map((list) => `.${list.join("")}`),
    ),
    power: fc.constantFrom("", "", "e3", "E-2", "e+12", "e400", "e0"),
  })
  .map(({ sign, whole, part, power }) => `${sign}${whole}${part}${power}`);
const values = fc.oneof(
  numbers,
  texts.chain(written),
  fc.constantFrom("true", "false", "null", "[]", "{}", '{"a":1,"\\u0061":[2]}', '[{"a":1}]'),
);
const members = fc.array(fc.tuple(texts.chain(written), values), { maxLength: 8 });

type Reported = readonly [id: number, value: unknown];

class Sink {
  readonly reported: Reported[] = [];
  onValue(id: number, kind: string, scanner: JsonScanner): void {
    if (id >= watchedNames.length) return;
    if (kind === "number")
      this.reported.push([id, scanner.number()], [id, Number(scanner.text() ?? Number.NaN)]);
    else if (kind === "string") this.reported.push([id, scanner.text()]);
    else this.reported.push([id, kind]);
  }
}

/** What a scanner must say, from each member alone. */
function expected(list: readonly (readonly [string, string])[]): Reported[] {
  return list.flatMap(([rawName, rawValue]): Reported[] => {
    const id = watchedNames.indexOf(JSON.parse(rawName) as string);
    if (id < 0) return [];
    const value: unknown = JSON.parse(rawValue);
    const isShort =
      Buffer.byteLength(rawValue) - (typeof value === "string" ? 2 : 0) <= captureBytesMax;
    if (typeof value === "number") {
      const read = isShort ? value : Number.NaN;
      return [
        [id, read],
        [id, read],
      ];
    }
    if (typeof value === "string") return [[id, isShort ? value : undefined]];
    const kind =
      value === null || typeof value === "boolean"
        ? String(value)
        : Array.isArray(value)
          ? "array"
          : "object";
    return [[id, kind]];
  });
}

/** Gives the scanner its bytes in parts of one buffer that is overwritten each time. */
function write(scanner: JsonScanner, bytes: Buffer, cuts: readonly number[]): void {
  const places = [
    ...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]),
  ].sort((left, right) => left - right);
  const buffer = Buffer.alloc(bytes.length + 3);
  for (const [index, place] of places.slice(0, -1).entries()) {
    const end = places[index + 1] ?? bytes.length;
    buffer.fill(0x61);
    bytes.copy(buffer, 3, place, end);
    scanner.write(buffer, 3, 3 + end - place);
  }
  buffer.fill(0x62);
}

const document = (list: readonly (readonly [string, string])[]): string =>
  `{${list.map(([name, value]) => `${name} :${value}`).join(" ,")}}`;

describe("names and scalars", () => {
  it("are read as JSON.parse reads them, one document after the other", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(members, fc.array(fc.nat(), { maxLength: 6 })), {
          minLength: 1,
          maxLength: 3,
        }),
        (documents) => {
          const sink = new Sink();
          const scanner = new JsonScanner(watch, sink, { depthMax: 8, captureBytesMax });
          for (const [list, cuts] of documents) {
            sink.reported.splice(0);
            scanner.reset();
            write(scanner, Buffer.from(document(list)), cuts);
            scanner.end();
            expect(sink.reported).toEqual(expected(list));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("of a document that ends too early are no document, and harm none that follows", () => {
    fc.assert(
      fc.property(members, fc.nat(), fc.array(fc.nat(), { maxLength: 4 }), (list, place, cuts) => {
        const sink = new Sink();
        const scanner = new JsonScanner(watch, sink, { depthMax: 8, captureBytesMax });
        const bytes = Buffer.from(document(list));
        write(scanner, bytes.subarray(0, place % bytes.length), cuts);
        expect(() => scanner.end()).toThrow(JsonFault);
        expect(expected(list).slice(0, sink.reported.length)).toEqual(sink.reported);
        sink.reported.splice(0);
        scanner.reset();
        write(scanner, bytes, cuts);
        scanner.end();
        expect(sink.reported).toEqual(expected(list));
      }),
      { numRuns: 500 },
    );
  });
});
