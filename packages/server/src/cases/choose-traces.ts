/** Chooses which traces of a subject a snapshot holds. Pure; the same summaries give the same choice. */

import type { TraceSummary } from "@faultline/protocol";

import { caseLimits } from "./limits.ts";

export interface ChosenTraces {
  readonly slowTraceIds: readonly string[];
  readonly baselineTraceIds: readonly string[];
}

/**
 * Before a repair: the traces that failed or took longest, and as a baseline traces of the same operations,
 * from the smallest to the largest. The size of a trace follows the size of its lists, so that one operation
 * is seen with lists of different length.
 */
export function chooseBefore(traces: readonly TraceSummary[]): ChosenTraces {
  const slow = [...traces].sort(worstFirst).slice(0, caseLimits.slowTraceCountMax);
  const chosen = new Set(slow.map((trace) => trace.traceId));
  const operations = new Set(slow.map(operationKey));
  const rest = traces.filter(
    (trace) => !chosen.has(trace.traceId) && operations.has(operationKey(trace)),
  );
  const baseline = spread([...rest].sort(smallestFirst), caseLimits.baselineTraceCountMax);
  return { slowTraceIds: idsOf(slow), baselineTraceIds: idsOf(baseline) };
}

/**
 * After a repair: the largest traces, which have the longest lists, then the worst, then a spread of the rest.
 * More than before, so that requests of every length that was seen before can be there again.
 */
export function chooseAfter(traces: readonly TraceSummary[]): ChosenTraces {
  const countMax = caseLimits.afterTraceCountMax;
  const largest = [...traces]
    .sort(smallestFirst)
    .reverse()
    .slice(0, countMax / 2);
  const worst = without(traces, largest)
    .sort(worstFirst)
    .slice(0, countMax / 4);
  const rest = without(traces, [...largest, ...worst]).sort(smallestFirst);
  const spreadOut = spread(rest, countMax - largest.length - worst.length);
  return { slowTraceIds: idsOf(worst), baselineTraceIds: idsOf([...largest, ...spreadOut]) };
}

function without(traces: readonly TraceSummary[], taken: readonly TraceSummary[]): TraceSummary[] {
  const ids = new Set(idsOf(taken));
  return traces.filter((trace) => !ids.has(trace.traceId));
}

/** At most `count` of the traces, evenly spaced, the first and the last among them. */
function spread(traces: readonly TraceSummary[], count: number): TraceSummary[] {
  if (traces.length <= count) return [...traces];
  const step = (traces.length - 1) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, index) => traces[Math.round(index * step)]).filter(
    (trace) => trace !== undefined,
  );
}

function worstFirst(left: TraceSummary, right: TraceSummary): number {
  const failed = Number(right.status === "error") - Number(left.status === "error");
  return failed || right.durationMs - left.durationMs || byId(left, right);
}

function smallestFirst(left: TraceSummary, right: TraceSummary): number {
  return (
    left.spanCount - right.spanCount || left.durationMs - right.durationMs || byId(left, right)
  );
}

function byId(left: TraceSummary, right: TraceSummary): number {
  return left.traceId < right.traceId ? -1 : 1;
}

function operationKey(trace: TraceSummary): string {
  return `${trace.service}\n${trace.operation}`;
}

function idsOf(traces: readonly TraceSummary[]): string[] {
  return traces.map((trace) => trace.traceId);
}
