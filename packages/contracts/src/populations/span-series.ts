/**
 * Series that traces give of each service: how long its own work took, how much of it failed, and how long calls of it were
 * on their way.
 */

import type { Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { mark } from "../traces/marks.ts";
import { noParent, type Trace, tracesOf } from "../traces/trace.ts";
import { NetworkGaps } from "./network-gaps.ts";
import type { ObservedSeries } from "./observed-series.ts";
import { type TimeParts, timePartsOf } from "./time-parts.ts";

/** Parts into which the time that the traces cover is divided. */
const partCount = 40;
/** Spans of a service in a part from which its mean counts; fewer say too little. */
const spanCountMin = 3;

/** What a service did in each part of the time. */
interface Work {
  readonly spanCounts: Uint32Array;
  readonly failureCounts: Uint32Array;
  /** Whole nanoseconds, so that no order of the spans changes their sum. */
  readonly ownNanos: Float64Array;
  /** A span of it. */
  readonly trace: Trace;
  readonly index: number;
}

/** Series by service; none where the traces are too few to fill the parts. A part begins at the moment, where one is given. */
export function spanSeriesOf(snapshot: Snapshot, momentMicros?: number): ObservedSeries[] {
  const traces = tracesOf(snapshot);
  let spanCount = 0;
  let spanCountMax = 0;
  // The first and the last span of each trace: when anything was traced at all.
  const moments = new Float64Array(2 * traces.length);
  for (const [at, { spans }] of traces.entries()) {
    moments[2 * at] = spans[0]?.startMicros ?? 0;
    moments[2 * at + 1] = spans.at(-1)?.startMicros ?? 0;
    spanCount += spans.length;
    spanCountMax = Math.max(spanCountMax, spans.length);
  }
  if (spanCount < partCount * spanCountMin) return [];
  const time = timePartsOf(moments, { partCount, alignMicros: momentMicros });
  if (time === undefined) return [];
  const works: (Work | undefined)[] = [];
  const gaps = new NetworkGaps();
  const room = { own: new Float64Array(spanCountMax), childCounts: new Uint32Array(spanCountMax) };
  for (const trace of traces) addWork(trace, works, { time, gaps, ...room });
  return works
    .flatMap((work) => (work === undefined ? [] : [work]))
    .map((work) => ({ ...work, service: work.trace.span(work.index).service }))
    .sort((left, right) => compareText(left.service, right.service))
    .flatMap((work) => seriesOf(work, time))
    .concat(gaps.series(time));
}

/** What is filled while traces are walked, and room that each of them uses anew. */
interface Tally {
  readonly time: TimeParts;
  readonly gaps: NetworkGaps;
  readonly own: Float64Array;
  readonly childCounts: Uint32Array;
}

/** Adds what each span of a trace did itself, which is not what its children did, to its service. */
function addWork(trace: Trace, works: (Work | undefined)[], tally: Tally): void {
  const { spans, parents } = trace;
  const { time } = tally;
  const own = tally.own.fill(0, 0, spans.length);
  const childCounts = tally.childCounts.fill(0, 0, spans.length);
  for (let index = 0; index < spans.length; index += 1) {
    const nanos = spans[index]?.durationNanos ?? 0;
    const parent = parents[index] ?? noParent;
    own[index] = (own[index] ?? 0) + nanos;
    if (parent < 0) continue;
    own[parent] = (own[parent] ?? 0) - nanos;
    childCounts[parent] = (childCounts[parent] ?? 0) + 1;
  }
  addGaps(trace, tally);
  for (let index = 0; index < spans.length; index += 1) {
    const service = trace.serviceAt(index);
    const work = (works[service] ??= emptyWork(trace, index, time.startsMicros.length));
    const part = time.partOf(spans[index]?.startMicros ?? -1);
    if (part < 0) continue;
    work.spanCounts[part] = (work.spanCounts[part] ?? 0) + 1;
    work.ownNanos[part] = (work.ownNanos[part] ?? 0) + Math.max(0, own[index] ?? 0);
    if ((trace.marksOf(index) & mark.failedStatus) !== 0)
      work.failureCounts[part] = (work.failureCounts[part] ?? 0) + 1;
  }
}

/** Adds the gaps of calls between services. What a call spends on its way is not the own work of who waits for it. */
function addGaps(trace: Trace, { time, gaps, own, childCounts }: Tally): void {
  const { spans, parents } = trace;
  for (let index = 0; index < spans.length; index += 1) {
    const parent = parents[index] ?? noParent;
    if (parent < 0 || childCounts[parent] !== 1) continue;
    if (trace.serviceAt(parent) === trace.serviceAt(index)) continue;
    if (!isCall(trace, parent, index)) continue;
    own[parent] = 0;
    const part = time.partOf(spans[parent]?.startMicros ?? -1);
    gaps.add({ trace, callerIndex: parent, calleeIndex: index, part }, time.startsMicros.length);
  }
}

/**
 * Whether a span does nothing but wait for the one below it. Where kinds are not recorded, the span by which a service was
 * entered does its own work as well, and one below it that has a single child in another service does not.
 */
function isCall(trace: Trace, caller: number, callee: number): boolean {
  const calleeKind = trace.kindAt(callee);
  if (calleeKind !== "server" && calleeKind !== "internal") return false;
  const kind = trace.kindAt(caller);
  if (kind !== "internal") return kind === "client";
  const above = trace.parents[caller] ?? noParent;
  return above >= 0 && trace.serviceAt(above) === trace.serviceAt(caller);
}

function emptyWork(trace: Trace, index: number, count: number): Work {
  return {
    spanCounts: new Uint32Array(count),
    failureCounts: new Uint32Array(count),
    ownNanos: new Float64Array(count),
    trace,
    index,
  };
}

function seriesOf(
  { service, spanCounts, failureCounts, ownNanos, trace, index }: Work & { service: string },
  { startsMicros }: TimeParts,
): ObservedSeries[] {
  const parts = [...spanCounts.keys()].filter((part) => (spanCounts[part] ?? 0) >= spanCountMin);
  const timesMicros = parts.map((part) => startsMicros[part] ?? 0);
  const make = (
    name: string,
    signal: ObservedSeries["signal"],
    sums: Uint32Array | Float64Array,
  ): ObservedSeries => ({
    service,
    name,
    origin: "spans",
    signal,
    timesMicros,
    values: Float64Array.from(parts, (part) => (sums[part] ?? 0) / (spanCounts[part] ?? 1)),
    // Computed only where a finding points at it.
    get evidenceId() {
      return trace.evidenceIdOf(index);
    },
    locator: `spans of ${service}`,
  });
  return [
    make(
      "span_own_time_ms",
      "latency",
      ownNanos.map((nanos) => nanos / 1e6),
    ),
    make("span_error_ratio", "errors", failureCounts),
  ];
}
