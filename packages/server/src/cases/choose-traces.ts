/** Chooses which traces of a subject a snapshot holds. Pure; the same summaries give the same choice. */

import type { TraceSummary } from "@faultline/protocol";

import { caseLimits } from "./limits.ts";

/** Traces from which on an operation is more than an exception. */
const commonTraceCountMin = 3;

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
  const byOperation = [...Map.groupBy([...traces].sort(worstFirst), operationKey).values()];
  // What was done once or twice, such as start-up work, says little about what is slow.
  const isCommon = (group: readonly TraceSummary[]): boolean =>
    group.length >= commonTraceCountMin || group[0]?.status === "error";
  const inOrder = [
    ...inTurn(byOperation.filter(isCommon)),
    ...inTurn(byOperation.filter((group) => !isCommon(group))),
  ];
  const slow = inOrder.slice(0, caseLimits.slowTraceCountMax);
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

/** The first of each group, then the second of each, and so on. */
function inTurn(groups: readonly (readonly TraceSummary[])[]): TraceSummary[] {
  const longest = groups.reduce((length, group) => Math.max(length, group.length), 0);
  return Array.from({ length: longest }, (_, index) => groups.map((group) => group[index]))
    .flat()
    .filter((trace) => trace !== undefined);
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
