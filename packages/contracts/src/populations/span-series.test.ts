import { expect, it } from "vitest";

import type { Span } from "../model/span.ts";
import { snapshotOfSpans, spansOf } from "../traces/trace-builder.ts";
import { callGraphOf } from "./call-graph.ts";
import { firstDeviation } from "./first-deviation.ts";
import { spanSeriesOf } from "./span-series.ts";

const traceCount = 200;
/** From this trace on the database is slow. */
const onset = 120;

/** A shop waits for its database, each trace a minute after the one before. */
const traces: readonly (readonly Span[])[] = Array.from({ length: traceCount }, (_, at) => {
  const noise = 1 + 0.05 * ((at * 7_919) % 11);
  const query = { service: "database", name: "query", at: 100 };
  const durationMicros = Math.round((at < onset ? 2_000 : 40_000) * noise);
  const call = { service: "shop", name: "call", at: 50, children: [{ ...query, durationMicros }] };
  return spansOf(
    {
      service: "shop",
      name: "page",
      durationMicros: durationMicros + Math.round(1_000 * noise),
      children: [{ ...call, durationMicros: durationMicros + 200 }],
    },
    at + 1,
  );
});

it("names the service whose own work takes longer, not the one that waits for it", () => {
  const [finding] = firstDeviation.check(snapshotOfSpans(...traces));
  expect(finding).toMatchObject({ verdict: "violated", subject: { name: "database" } });
  expect(finding?.measures["rankedServices"]).toBe("database");
});

it("finds the same whatever the order of the spans, and in traces that came in two pieces", () => {
  const plain = snapshotOfSpans(...traces);
  const backwards = snapshotOfSpans(...traces.map((spans) => spans.toReversed()).toReversed());
  const pieces = snapshotOfSpans(...traces.flatMap((spans) => [spans.slice(0, 2), spans.slice(1)]));
  const told = (of: typeof plain): unknown =>
    spanSeriesOf(of).map(({ service, name, timesMicros, values }) => [
      service,
      name,
      timesMicros,
      values,
    ]);
  expect(told(backwards)).toEqual(told(plain));
  expect(told(pieces)).toEqual(told(plain));
  expect(callGraphOf(pieces)).toEqual(new Map([["shop", new Set(["database"])]]));
});

it("tells nothing of fewer spans than fill its parts", () => {
  expect(spanSeriesOf(snapshotOfSpans(...traces.slice(0, 30)))).toEqual([]);
});
