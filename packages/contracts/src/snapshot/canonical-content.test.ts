import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { tracesRequest } from "../../test/otlp-arbitrary.ts";
import type { TraceContent } from "../model/evidence.ts";
import { decodeOtlpTraces } from "../readers/otlp/otlp.ts";
import { graphqlOrders, spansOf } from "../traces/trace-builder.ts";
import { ContentWriter } from "./canonical-content.ts";
import { canonicalJson } from "./canonical-json.ts";
import { createPortableHasher, evidenceIdOf } from "./evidence-id.ts";

const traceId = "5b8efff798038103d269b633813fc60c";
const spans = spansOf(graphqlOrders(3, "one-by-one"));

/** The text of a content, by a writer that may have written others before. */
function written(content: TraceContent, writer = new ContentWriter()): string {
  const pieces: Uint8Array[] = [];
  writer.write(content, (bytes) => pieces.push(bytes.slice()));
  return Buffer.concat(pieces).toString("utf8");
}

describe("the content of a trace", () => {
  it("is written as any value is, whatever its spans hold", () => {
    fc.assert(
      fc.property(tracesRequest, (request) => {
        const writer = new ContentWriter();
        const bytes = new TextEncoder().encode(JSON.stringify(request));
        const decoded = decodeOtlpTraces(bytes, "json");
        for (const list of [decoded.spans, decoded.spans.slice(1), spans]) {
          const content: TraceContent = { kind: "trace", traceId, spans: list };
          expect(written(content, writer)).toBe(canonicalJson(content));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("keeps fields that nobody knows, and leaves out those that are not set", () => {
    const [span] = spans;
    if (span === undefined) throw new Error("the trace has spans");
    const strange = [
      { ...span, more: 1 },
      { ...span, parentSpanId: undefined },
      { ...span, attributes: { b: 1, a: undefined, 3: [1, { y: 1, x: "\ud800" }] } },
      { ...span, resource: { z: 1, a: null } },
    ];
    // The rows break the type on purpose: a file may hold anything.
    const content = { kind: "trace", traceId, spans: strange } as unknown as TraceContent;
    expect(written(content)).toBe(canonicalJson(content));
  });

  it("has its numbers as ECMAScript writes them", () => {
    const quarter = fc.bigInt({ min: 2n ** 52n, max: 2n ** 55n }).map((whole) => Number(whole) / 4);
    const numbers = fc.oneof(
      quarter,
      fc.maxSafeNat(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const [span] = spans;
    fc.assert(
      fc.property(numbers, fc.maxSafeNat(), (startMicros, durationNanos) => {
        if (span === undefined) throw new Error("the trace has spans");
        const list = [{ ...span, startMicros, durationNanos, attributes: { startMicros } }];
        const content: TraceContent = { kind: "trace", traceId, spans: list };
        expect(written(content)).toBe(canonicalJson(content));
      }),
      { numRuns: 3_000 },
    );
  });

  it("has the same id by any hasher", () => {
    const content: TraceContent = { kind: "trace", traceId, spans: [...spans] };
    expect(evidenceIdOf(content, createPortableHasher)).toBe(evidenceIdOf(content));
  });
});
