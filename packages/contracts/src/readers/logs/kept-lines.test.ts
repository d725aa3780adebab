import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { LogLine } from "../../model/evidence.ts";
import { canonicalJson } from "../../snapshot/canonical-json.ts";
import { KeptLines, LineRoom } from "./kept-lines.ts";

const text = fc.string({ unit: "binary", maxLength: 40 });
const optional = { requiredKeys: ["text"] as "text"[] };
const line: fc.Arbitrary<LogLine> = fc.record(
  {
    timeMicros: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    severity: fc.constantFrom("trace", "debug", "info", "warn", "error", "fatal"),
    text: fc.oneof(text, fc.constantFrom("", "\ud800", "\uFEFFa", "x".repeat(300_000))),
    service: text,
    traceId: fc.constant("0af7651916cd43dd8448eb211c80319c"),
    attributes: fc.dictionary(text, fc.oneof(text, fc.nat(), fc.constant(null))),
  },
  optional,
);

function kept(lines: readonly LogLine[], plainLineCountMax: number): LogLine[] {
  const room = new LineRoom({ plainLineCountMax, plainCharacterCountMax: 1_000_000 });
  const others = new KeptLines(room);
  const ours = new KeptLines(room);
  for (const item of lines) {
    ours.push(item);
    others.push({ text: "of another container" });
  }
  expect(others.list().length).toBe(lines.length);
  return ours.list();
}

describe("the lines of a large log", () => {
  it("are the same as those of a small one", () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.nat({ max: 40 }), (lines, plainMax) => {
        const list = kept(lines, plainMax);
        expect(list).toEqual(lines);
        expect(canonicalJson(list)).toBe(canonicalJson(lines));
      }),
      { numRuns: 200 },
    );
  });

  it("fill block after block", () => {
    const lines = Array.from({ length: 20_000 }, (_, index): LogLine => ({
      timeMicros: index,
      text: `order ${index} `.repeat((index % 7) + 1),
      ...(index % 3 === 0 ? { attributes: { index } } : {}),
    }));
    const list = kept(lines, 0);
    expect([...list]).toEqual(lines);
    for (const index of [19_999, 0, 7_000, 6_999]) expect(list[index]).toEqual(lines[index]);
  });

  it("are a list as any other, which nobody can change", () => {
    const lines = ["a", "b", "c"].map((word): LogLine => ({ text: word }));
    const list = kept(lines, 0);
    expect(Array.isArray(list)).toBe(true);
    expect(list.slice(-2)).toEqual(lines.slice(-2));
    expect(list.map((item) => item.text)).toEqual(["a", "b", "c"]);
    expect(list.filter((item) => item.text > "a")).toEqual(lines.slice(1));
    expect(list.findLast((item) => item.text < "c")).toEqual({ text: "b" });
    expect(Object.keys(list)).toEqual(["0", "1", "2"]);
    expect(JSON.stringify(list)).toBe(JSON.stringify(lines));
    expect([list[3], list.at(-1), 3 in list, list.length]).toEqual([
      undefined,
      { text: "c" },
      false,
      3,
    ]);
    expect(() => list.push({ text: "d" })).toThrow(TypeError);
    expect(() => list.reverse()).toThrow(TypeError);
    expect(list).toEqual(lines);
  });
});
