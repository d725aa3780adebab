import { anything, assert, constantFrom, oneof, property } from "fast-check";
import { Value } from "typebox/value";
import { describe, expect, it } from "vitest";

import { graphqlOrders, spansOf } from "../traces/trace-builder.ts";
import { EvidenceContent } from "../model/evidence.ts";
import { isEvidenceContent } from "./check-content.ts";

const [root, ...others] = spansOf(graphqlOrders(2, "one-by-one"));
if (root === undefined) throw new Error("a trace has a root");
const full = {
  ...root,
  parentSpanId: "0".repeat(16),
  status: { code: "error", message: "no" },
  scope: { name: "s", version: "1" },
  attributes: { a: [1, { b: null }, true], c: "d" },
  events: [{ name: "e", timeMicros: 1, attributes: {} }],
  links: [{ traceId: root.traceId, spanId: root.spanId, attributes: {} }],
};
const trace = { kind: "trace", traceId: root.traceId, spans: [full, ...others] };

describe("isEvidenceContent", () => {
  it("takes traces and other evidence", () => {
    expect(isEvidenceContent(trace)).toBe(true);
    expect(isEvidenceContent({ kind: "kubernetes", objects: [] })).toBe(true);
    expect(isEvidenceContent({ kind: "else" })).toBe(false);
    expect(isEvidenceContent(null)).toBe(false);
  });

  it("answers as the schema does when any field of a span is another, added or absent", () => {
    const names = [...Object.keys(full), "stranger"];
    const value = oneof(
      anything({ maxDepth: 2 }),
      constantFrom<unknown>(
        undefined,
        "x",
        -1,
        0,
        1e9,
        "server",
        "0".repeat(32),
        "f".repeat(16),
        "y".repeat(2_000),
        {},
        [],
        { code: "ok" },
      ),
    );
    assert(
      property(constantFrom(...names), value, (name, changed) => {
        // What a file can hold is JSON.
        const spans: unknown = JSON.parse(
          JSON.stringify([{ ...full, [name]: changed }], jsonOnly) ?? "[]",
        );
        const content = { ...trace, spans };
        expect(isEvidenceContent(content)).toBe(Value.Check(EvidenceContent, content));
      }),
      { numRuns: 500 },
    );
  });

  it("answers as the schema does for changed events, links, scope and status", () => {
    const places = ["events", "links", "scope", "status"] as const;
    assert(
      property(
        constantFrom(...places),
        constantFrom("name", "traceId", "code", "z"),
        anything(),
        (place, name, changed) => {
          const inner = full[place];
          const altered = Array.isArray(inner)
            ? [{ ...inner[0], [name]: changed }]
            : { ...inner, [name]: changed };
          const spans: unknown = JSON.parse(
            JSON.stringify([{ ...full, [place]: altered }], jsonOnly),
          );
          const content = { ...trace, spans };
          expect(isEvidenceContent(content)).toBe(Value.Check(EvidenceContent, content));
        },
      ),
      { numRuns: 500 },
    );
  });
});

function jsonOnly(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
