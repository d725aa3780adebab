/** Chooses which traces of a subject a snapshot holds. Pure; the same summaries give the same choice. */

import type { TraceSummary } from "@faultline/protocol";

import { caseLimits } from "./limits.ts";

export interface ChosenTraces {
  readonly slowTraceIds: readonly string[];
  readonly baselineTraceIds: readonly string[];
}

/**
 * Before a repair: the traces that failed or took longest, of each operation in turn, and as a baseline traces of
 * the same operations, from the smallest to the largest. The size of a trace follows the size of its lists, so
 * that one operation is seen with lists of different length.
 */
export function chooseBefore(traces: readonly TraceSummary[]): ChosenTraces {
  const byOperation = Map.groupBy([...traces].sort(worstFirst), operationKey);
  const slow = inTurn([...byOperation.values()], caseLimits.slowTraceCountMax);
  const operations = new Set(slow.map(operationKey));
  const rest = without(traces, slow).filter((trace) => operations.has(operationKey(trace)));
  const baseline = spread(rest.sort(smallestFirst), caseLimits.baselineTraceCountMax);
  return { slowTraceIds: idsOf(slow), baselineTraceIds: idsOf(baseline) };
}

/**
 * After a repair: of the operations that showed the fault, the largest traces, which have the longest lists, the
 * worst, and a spread of the rest; then some of the other operations, to which a fault may have moved. More than
 * before, so that requests of every length that was seen before can be there again.
 */
export function chooseAfter(
  traces: readonly TraceSummary[],
  operations: ReadonlySet<string>,
): ChosenTraces {
  const own = traces.filter((trace) => operations.has(trace.operation));
  const others = without(traces, own).sort(smallestFirst);
  const elsewhere = spread(others, caseLimits.otherOperationTraceCountMax);
  const countMax = caseLimits.afterTraceCountMax - elsewhere.length;
  const largest = [...own]
    .sort(smallestFirst)
    .reverse()
    .slice(0, Math.ceil(countMax / 2));
  const worst = without(own, largest)
    .sort(worstFirst)
    .slice(0, Math.floor(countMax / 4));
  const rest = without(own, [...largest, ...worst]).sort(smallestFirst);
  const spreadOut = spread(rest, countMax - largest.length - worst.length);
  return {
    slowTraceIds: idsOf(worst),
    baselineTraceIds: idsOf([...largest, ...spreadOut, ...elsewhere]),
  };
}

/** The first of each group, then the second of each, until there are `count`. */
function inTurn(groups: readonly (readonly TraceSummary[])[], count: number): TraceSummary[] {
  const taken: TraceSummary[] = [];
  const longest = groups.reduce((length, group) => Math.max(length, group.length), 0);
  for (let index = 0; index < longest && taken.length < count; index += 1) {
    for (const group of groups) {
      const trace = group[index];
      if (trace !== undefined && taken.length < count) taken.push(trace);
    }
  }
  return taken;
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
