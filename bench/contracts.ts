/** How many spans per second the trace contracts check, and what reading them from OTLP JSON costs. */

import { createHash } from "node:crypto";
import {
  checkSnapshot,
  type Finding,
  readEvidence,
  type Span,
  snapshotOf,
} from "@faultline/contracts";

import type { BenchOptions, BenchResult } from "./bench.ts";
import { otlpJsonOf, traceOfOrders } from "./contracts-traces.ts";

const spanCountSmall = 60_000;
const spanCountLarge = 1_000_000;
const runs = 3;

/** Checks traces that are half one call per item and half batched, their spans scattered over the input. */
export function run({ small }: BenchOptions): Promise<BenchResult> {
  const file = otlpJsonOf(scatteredSpans(spanCountSmall));
  const read = best(runs, () => readEvidence([{ name: "spans.json", bytes: file }]));
  const spans = scatteredSpans(small ? spanCountSmall : spanCountLarge);
  const evidence = [...groupByTrace(spans)].map(([traceId, group], index) => ({
    id: `sha256:${index.toString(16).padStart(64, "0")}`,
    source: { name: "bench", format: "bench", notes: [] },
    content: { kind: "trace" as const, traceId, spans: group },
  }));
  const snapshot = snapshotOf(evidence);
  const checked = best(runs, () => checkSnapshot(snapshot));
  return Promise.resolve({
    name: "contracts",
    figures: [
      { name: "checked", value: Math.round(spans.length / checked.seconds), unit: "spans/s" },
      {
        name: "read from OTLP JSON into evidence with ids",
        value: Math.round(spanCountSmall / read.seconds),
        unit: "spans/s",
      },
      { name: "spans", value: spans.length, unit: "spans" },
      { name: "findings", value: checked.result.length, unit: "findings" },
    ],
    resultHash: hashOf(checked.result),
  });
}

/** Round-robin over the traces: no trace lies in one piece. */
function scatteredSpans(count: number): Span[] {
  const traces: Span[][] = [];
  for (let total = 0; total < count;) {
    const trace = traceOfOrders(traces.length);
    traces.push(trace);
    total += trace.length;
  }
  const longest = Math.max(...traces.map((trace) => trace.length));
  return Array.from({ length: longest }, (_, index) =>
    traces.flatMap((trace) => trace.slice(index, index + 1)),
  )
    .flat()
    .slice(0, count);
}

function groupByTrace(spans: readonly Span[]): Map<string, Span[]> {
  const traces = new Map<string, Span[]>();
  for (const span of spans) {
    const group = traces.get(span.traceId);
    if (group === undefined) traces.set(span.traceId, [span]);
    else group.push(span);
  }
  return traces;
}

function best<T>(count: number, work: () => T): { seconds: number; result: T } {
  let fastest: { seconds: number; result: T } | undefined;
  for (let index = 0; index < count; index += 1) {
    const start = process.hrtime.bigint();
    const result = work();
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    if (fastest === undefined || seconds < fastest.seconds) fastest = { seconds, result };
  }
  if (fastest === undefined) throw new RangeError("a measurement needs at least one run");
  return fastest;
}

function hashOf(findings: readonly Finding[]): string {
  const facts = findings.map(({ subject, verdict, measures }) => ({ subject, verdict, measures }));
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 16);
}
