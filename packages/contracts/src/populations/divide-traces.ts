/** Tells which requests are bad: those that were chosen as such, those that failed, or those that took far too long. */

import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { middleAndSpread, sortedNumbers } from "../statistics/quantiles.ts";
import { mark } from "../traces/marks.ts";
import type { Trace } from "../traces/trace.ts";
import { operationOf, type Pace, paceOf } from "./pace.ts";

/** How it was told which requests are bad. */
export type Division = "failed" | "slow" | "chosen";

export interface DividedTraces {
  readonly division: Division;
  /** Of each trace; `undefined` where it belongs to neither population. */
  readonly isBad: readonly (boolean | undefined)[];
  /** Present when nothing but the time that they took makes them bad. */
  readonly pace: Pace | undefined;
}

/** Of bad traces that somebody chose, the share that must have failed to make them bad for more than their time. */
const failedShareMin = 0.5;

/** Divides the traces of a snapshot. */
export function divisionOf(
  snapshot: Snapshot,
  traces: readonly Trace[],
  badCountMin: number,
): DividedTraces {
  const chosen = evidenceOfKind(snapshot, "trace-population");
  const slow = new Set(chosen.flatMap(({ content }) => content.slowTraceIds));
  const baseline = new Set(chosen.flatMap(({ content }) => content.baselineTraceIds));
  if (slow.size > 0 && baseline.size > 0) {
    const isBad = traces.map(({ traceId }) =>
      slow.has(traceId) ? true : baseline.has(traceId) ? false : undefined,
    );
    const bad = traces.filter((_trace, at) => isBad[at] === true);
    const isFailing = bad.filter(hasFailed).length >= failedShareMin * bad.length;
    return { division: "chosen", isBad, pace: isFailing ? undefined : paceOf(traces, isBad) };
  }
  const failed = traces.map(hasFailed);
  const failedCount = failed.filter(Boolean).length;
  if (failedCount >= badCountMin) return { division: "failed", isBad: failed, pace: undefined };
  const slowOnes = slowTraces(traces);
  const slowCount = slowOnes.filter(Boolean).length;
  return failedCount >= slowCount
    ? { division: "failed", isBad: failed, pace: undefined }
    : { division: "slow", isBad: slowOnes, pace: paceOf(traces, slowOnes) };
}

function hasFailed(trace: Trace): boolean {
  return trace.hasMarks(mark.failedStatus);
}

/** So much beyond the median, in ranges between the quartiles and in medians, an entry took to count as slow. */
const slowRanges = 5;
const slowMedians = 2;

/** Traces whose first span took far longer than others of its kind. */
function slowTraces(traces: readonly Trace[]): boolean[] {
  const entries = traces.map(({ spans }) => spans[0]);
  const byOperation = Map.groupBy(
    entries.filter((span) => span !== undefined),
    operationOf,
  );
  const limits = new Map(
    [...byOperation].map(([operation, spans]) => {
      const { median, quartileRange } = middleAndSpread(
        sortedNumbers(spans.map(({ durationNanos }) => durationNanos)),
      );
      return [operation, Math.max(slowMedians * median, median + slowRanges * quartileRange)];
    }),
  );
  return entries.map((span) => {
    if (span === undefined) return false;
    return span.durationNanos > (limits.get(operationOf(span)) ?? Infinity);
  });
}
