import { parseForeignJson } from "@faultline/contracts/json";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { JsonFault } from "./json-fault.ts";
import { type JsonKind, JsonScanner } from "./json-scanner.ts";
import { type JsonWatch, watchJson } from "./json-watch.ts";

const bounds = { depthMax: 64, captureBytesMax: 256 };

interface Reported {
  readonly id: number;
  readonly kind: JsonKind;
  readonly start: number;
  readonly end: number;
  readonly filled: boolean;
  readonly text: string | undefined;
}

/** Scans the text in the given parts and gives what was reported. */
function scan(watch: JsonWatch, parts: readonly Uint8Array[]): Reported[] {
  const reported: Reported[] = [];
  const scanner = new JsonScanner(
    watch,
    {
      onValue: (id, kind, at) =>
        reported.push({
          id,
          kind,
          start: at.valueStart,
          end: at.valueEnd,
          filled: at.valueFilled,
          text: kind === "string" || kind === "number" ? at.text() : undefined,
        }),
    },
    bounds,
  );
  for (const part of parts) scanner.write(part, 0, part.length);
  scanner.end();
  return reported;
}

const watch = watchJson(0, {
  fields: {
    a: watchJson(1, { capture: true, fields: { b: watchJson(2, { capture: true }) } }),
    list: watchJson(3, { items: watchJson(4, { capture: true, fields: { a: watchJson(5) } }) }),
  },
});

/** JSON text with whitespace wherever the grammar allows it. */
const spaced = fc
  .tuple(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom("", " ", "\n\t", "\r\n "))
  .map(([value, space]) =>
    JSON.stringify(value, undefined, space === "" ? undefined : 1).replaceAll("\n", `${space}\n`),
  );

describe("the JSON scanner", () => {
  it("accepts every JSON text", () => {
    fc.assert(
      fc.property(spaced, (text) => {
        scan(watch, [Buffer.from(text)]);
      }),
    );
  });

  it("accepts exactly what the grammar allows", () => {
    const alphabet = fc.constantFrom(
      ...Array.from('{}[]:,"\\ tfnu0123-+.eE\u0001x'),
      "true",
      "null",
      '"a"',
      "\\u00e9",
      "1.5e3",
    );
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (valid) scan(watch, [Buffer.from(text)]);
        else expect(() => scan(watch, [Buffer.from(text)])).toThrow(JsonFault);
      }),
      { numRuns: 3_000 },
    );
  });

  it("reports the same, wherever the bytes are cut", () => {
    const text = Buffer.from(
      '\n{"x":{"a":1},"a":{"b":"\\u0061\\n\\"é😀"},"\\u006cist":[1.5e-3,"",{"a":null},[],true],"a":-0}  ',
    );
    const whole = scan(watch, [text]);
    expect(whole.map(({ id }) => id)).toEqual([2, 1, 4, 4, 5, 4, 4, 4, 3, 1, 0]);
    expect(whole[0]?.text).toBe('a\n"é😀');
    for (let cut = 0; cut <= text.length; cut += 1) {
      expect(scan(watch, [text.subarray(0, cut), text.subarray(cut)])).toEqual(whole);
    }
    expect(
      scan(
        watch,
        [...text].map((byte) => Uint8Array.of(byte)),
      ),
    ).toEqual(whole);
  });

  it("gives the place of each value so that its bytes parse to it", () => {
    fc.assert(
      fc.property(
        fc.record({ a: fc.jsonValue(), list: fc.array(fc.jsonValue()), other: fc.jsonValue() }),
        (value) => {
          const text = Buffer.from(JSON.stringify(value));
          const reported = scan(watch, [text]);
          const parsed = (id: number): unknown[] =>
            reported
              .filter((item) => item.id === id)
              .map((item): unknown =>
                parseForeignJson(text.toString("utf8", item.start, item.end)),
              );
          expect(parsed(1).map((item) => JSON.stringify(item))).toEqual([JSON.stringify(value.a)]);
          expect(JSON.stringify(parsed(4))).toBe(JSON.stringify(value.list));
        },
      ),
    );
  });

  it("names the byte and what was expected there", () => {
    const fault = (text: string): string => {
      try {
        scan(watch, [Buffer.from(text)]);
        return "none";
      } catch (error) {
        return error instanceof JsonFault
          ? `${error.kind} ${error.offset} ${error.message}`
          : String(error);
      }
    };
    expect(fault('{"a" 1}')).toBe("syntax 5 The JSON is malformed at byte 5: expected a colon.");
    expect(fault('{"a":1')).toBe("truncated 6 The JSON ends before it is complete.");
    expect(fault("[1 2]")).toBe("syntax 3 The JSON is malformed at byte 3: expected a comma or ].");
    expect(fault('{"a":tru }')).toContain("expected true");
    expect(fault("[".repeat(65))).toContain("depth 64 The JSON is nested deeper than 64 levels");
  });

  it("gives no text for a scalar beyond its bound, and goes on", () => {
    const long = JSON.stringify({ a: "x".repeat(1_000), list: ["y"] });
    const reported = scan(watch, [Buffer.from(long)]);
    expect(reported.map(({ id, text }) => [id, text])).toEqual([
      [1, undefined],
      [4, "y"],
      [3, undefined],
      [0, undefined],
    ]);
  });
});
