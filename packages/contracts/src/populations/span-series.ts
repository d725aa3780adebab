/** Series that traces give of each service: how long its own work took, how much of it failed, and how much there was. */

import type { Span } from "../model/span.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import type { ObservedSeries } from "./observed-series.ts";

/** Parts into which the time that the traces cover is divided. */
const partCount = 40;
/** Spans of a service in a part from which its mean counts; fewer say too little. */
const spanCountMin = 3;

interface Part {
  spanCount: number;
  failureCount: number;
  ownMicros: number;
}

/** Series by service; none where the traces are too few to fill the parts. */
export function spanSeriesOf(snapshot: Snapshot): ObservedSeries[] {
  const traces = evidenceOfKind(snapshot, "trace");
  let from = Infinity;
  let to = -Infinity;
  let spanCount = 0;
  for (const { content } of traces) {
    for (const { startMicros } of content.spans) {
      from = Math.min(from, startMicros);
      to = Math.max(to, startMicros);
      spanCount += 1;
    }
  }
  if (spanCount < partCount * spanCountMin || !(to > from)) return [];
  const width = (to - from) / partCount;
  const parts = new Map<string, { parts: Part[]; evidence: Place["evidence"] }>();
  for (const evidence of traces) {
    const { content } = evidence;
    const nested = nestedMicros(content.spans);
    for (const span of content.spans) {
      const known = parts.get(span.service) ?? { parts: emptyParts(), evidence };
      parts.set(span.service, known);
      const part =
        known.parts[Math.min(partCount - 1, Math.floor((span.startMicros - from) / width))];
      if (part === undefined) continue;
      part.spanCount += 1;
      if (span.status.code === "error") part.failureCount += 1;
      part.ownMicros += Math.max(0, span.durationNanos / 1_000 - (nested.get(span.spanId) ?? 0));
    }
  }
  return [...parts]
    .sort(([left], [right]) => compareText(left, right))
    .flatMap(([service, { parts: list, evidence }]) =>
      seriesOf(list, { service, evidence, from, width }),
    );
}

function emptyParts(): Part[] {
  return Array.from({ length: partCount }, () => ({ spanCount: 0, failureCount: 0, ownMicros: 0 }));
}

/** How long the children of each span took, which is not the span's own work. */
function nestedMicros(spans: readonly Span[]): ReadonlyMap<string, number> {
  const nested = new Map<string, number>();
  for (const { parentSpanId, durationNanos } of spans) {
    if (parentSpanId === undefined) continue;
    nested.set(parentSpanId, (nested.get(parentSpanId) ?? 0) + durationNanos / 1_000);
  }
  return nested;
}

interface Place {
  readonly service: string;
  /** Its id is read when it is quoted, as it may have to be computed. */
  readonly evidence: { readonly id: string };
  readonly from: number;
  readonly width: number;
}

function seriesOf(
  parts: readonly Part[],
  { service, evidence, from, width }: Place,
): ObservedSeries[] {
  const filled = parts.flatMap((part, index) =>
    part.spanCount >= spanCountMin ? [{ part, index }] : [],
  );
  const timesMicros = filled.map(({ index }) => from + index * width);
  const make = (
    name: string,
    signal: ObservedSeries["signal"],
    value: (part: Part) => number,
  ): ObservedSeries => ({
    service,
    name,
    signal,
    timesMicros,
    values: Float64Array.from(filled, ({ part }) => value(part)),
    get evidenceId() {
      return evidence.id;
    },
    locator: `spans of ${service}`,
  });
  return [
    make("span_own_time_ms", "latency", (part) => part.ownMicros / part.spanCount / 1_000),
    make("span_error_ratio", "errors", (part) => part.failureCount / part.spanCount),
  ];
}
