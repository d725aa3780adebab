/** Tells a loop over items from repeats of another nature: retries, polling, pages, shards, caches, warm-ups. */

import type { Call } from "../../traces/call.ts";
import { listMatched, narrowWidthMax, widthOf } from "./list-behind.ts";
import type { RepeatedQueryOptions } from "./options.ts";
import type { ClassifiedGroup, GroupNature, Observation } from "./observation.ts";
import { isPaging } from "./paging.ts";
import { mark } from "../../traces/marks.ts";
import { namesFile } from "../payload-bytes.ts";
import { haveSameValues } from "../same-values.ts";
import type { Unit, UnitCall } from "../../traces/unit.ts";

/** Classifies the calls of one shape that one resolver or handler made in one unit of work. */
export function classifyGroup(
  observation: Observation,
  calls: readonly UnitCall[],
  options: RepeatedQueryOptions,
): ClassifiedGroup {
  const place = calls[0]?.place ?? "";
  const attempts = withoutRetries(calls);
  const itemCount = itemCountOf(attempts);
  const count = attempts.length;
  const listLength = observation.listLength ?? rowsBefore(observation, calls, count);
  const nature = natureOf({ observation, calls, attempts, itemCount, listLength }, options);
  return { observation, place, calls, nature, count, listLength, itemCount };
}

function itemCountOf(attempts: readonly UnitCall[]): number {
  let paths: Set<string> | undefined;
  for (const { resolver } of attempts) {
    if (resolver !== undefined && resolver.indexCount > 0) (paths ??= new Set()).add(resolver.path);
  }
  return paths?.size ?? 0;
}

interface Group {
  readonly observation: Observation;
  readonly calls: readonly UnitCall[];
  readonly attempts: readonly UnitCall[];
  readonly itemCount: number;
  readonly listLength: number | undefined;
}

function natureOf(group: Group, options: RepeatedQueryOptions): GroupNature {
  const { attempts, calls, itemCount } = group;
  const first = attempts[0];
  if (first === undefined) return "retry";
  if (options.cacheSystems.includes(first.call.system)) return "cache";
  if (attempts.length < options.countMin && calls.length >= options.countMin) return "retry";
  // When the items of a list make the calls, nothing else can explain the repetition.
  if (itemCount >= options.countMin) return "loop";
  if (isWarmUp(group.observation.unit)) return "warm-up";
  if (attempts.every(({ call }) => isFileCall(call))) return "files";
  if (isPaging(attempts, options.countMin)) return "pages";
  if (attempts.every(({ call }) => call.batch.isBatch)) {
    return isBatchPerItem(group, options) ? "loop" : "batches";
  }
  if (isScatter(attempts)) return "scatter";
  return isPolling(attempts, options) && !isSlowLoop(group, options) ? "polling" : "loop";
}

/** Stores of objects hand out one object a call, and have no call for several. */
function isFileCall({ kind, target, shape }: Call): boolean {
  if (kind === "http") return namesFile(target);
  return kind === "rpc" && /^S3\/(?:Get|Head|Put)Object$/i.test(shape);
}

/** `= ANY($1)` for one row each, `IN ($1, $2)` half as often as there are items: batches by their form alone. */
function isBatchPerItem({ observation, attempts }: Group, options: RepeatedQueryOptions): boolean {
  const isNarrow = attempts.every((item) => (widthOf(item) ?? Infinity) <= narrowWidthMax);
  return isNarrow && listMatched(observation, attempts, options) !== undefined;
}

/** One call for each item, as slow as a timer: the number tells them from polling, unless all ask for the same. */
function isSlowLoop(
  { attempts, calls, observation, listLength }: Group,
  options: RepeatedQueryOptions,
): boolean {
  if (medianPause(attempts) >= options.pollingPauseMicrosMin) return false;
  if (listMatched(observation, attempts, options) === undefined) return false;
  return listLength === attempts.length && !haveSameValues(calls);
}

/** A call that follows a failed one of the same target is its retry. */
function withoutRetries(calls: readonly UnitCall[]): readonly UnitCall[] {
  let failedTargets: Map<string, number> | undefined;
  // Most lists have none.
  let attempts: UnitCall[] | undefined;
  let at = 0;
  for (const item of calls) {
    const { span, call } = item;
    const failedAt = failedTargets?.get(call.target);
    const isRetry = call.isResend || (failedAt !== undefined && failedAt <= span.startMicros);
    if (isRetry) attempts ??= calls.slice(0, at);
    else attempts?.push(item);
    if (hasFailed(item)) (failedTargets ??= new Map()).set(call.target, endMicros(item));
    else if (isRetry) failedTargets?.delete(call.target);
    at += 1;
  }
  return attempts ?? calls;
}

/** Whether a call failed, by the status of its span or of the answer. */
export function hasFailed({ trace, index, span }: UnitCall): boolean {
  const marks = trace.marksOf(index);
  if ((marks & mark.failedStatus) !== 0) return true;
  if ((marks & mark.failedAnswer) === 0) return false;
  const status =
    span.attributes["http.response.status_code"] ?? span.attributes["http.status_code"];
  return typeof status === "number" && (status >= 500 || status === 429 || status === 408);
}

/** Calls with recorded rows at either end of a long list that are asked for the list behind a loop. */
const rowsSeenMax = 500;

/** Rows that an earlier call of another shape brought: the list that a handler walks. */
function rowsBefore(
  observation: Observation,
  calls: readonly UnitCall[],
  count: number,
): number | undefined {
  const first = calls[0];
  if (first === undefined) return undefined;
  const all = observation.unit.calls;
  const earlierCount = countBegunBy(all, first);
  let rows: number | undefined;
  for (let at = 0; at < earlierCount; at += 1) {
    // Of very many calls the first and the last are asked.
    if (at === rowsSeenMax) at = Math.max(at, earlierCount - rowsSeenMax);
    const call = all[at]?.call;
    if (call?.rowCount === undefined || call.identity === first.call.identity) continue;
    if (call.rowCount === count) return count;
    rows = Math.max(rows ?? 0, call.rowCount);
  }
  return rows;
}

/** How many of these calls, which are in order of time and with it of their indices, began when one of them did or before. */
function countBegunBy(calls: readonly UnitCall[], { index, span }: UnitCall): number {
  const behind = placeBehind(calls, 0, (call) => call.index > index);
  const isLater = (call: UnitCall): boolean => call.span.startMicros > span.startMicros;
  const next = calls[behind];
  // Nearly always the next one began later, and which others did takes a look at their spans.
  return next === undefined || isLater(next) ? behind : placeBehind(calls, behind, isLater);
}

/** The first place from `from` on at which a call is beyond what is looked for, as all behind it are. */
function placeBehind(
  calls: readonly UnitCall[],
  from: number,
  isBeyond: (call: UnitCall) => boolean,
): number {
  let [low, high] = [from, calls.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const call = calls[middle];
    if (call !== undefined && isBeyond(call)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The same question to as many machines as there are calls is asked of shards, not of items. */
function isScatter(attempts: readonly UnitCall[]): boolean {
  const [first, second] = attempts;
  if (first === undefined || second === undefined) return false;
  if (first.call.peer === second.call.peer) return false;
  const peers = new Set(attempts.map(({ call }) => call.peer).filter((peer) => peer !== ""));
  return peers.size === attempts.length;
}

/** Whether a unit that nobody waits for fills caches or moves data, which takes one call for each thing. */
export function isWarmUp({ entry, operation }: Unit): boolean {
  if (entry === undefined || entry.kind === "server") return false;
  return /(?:^|[^a-z])(?:warm(?:[ ._-]?up|ing|er)?|preload(?:ing|er)?|prefetch(?:ing|er)?|prime|seed(?:ing|er)?|bootstrap|startup|migrat(?:e|ion)s?)(?:[^a-z]|$)/i.test(
    operation.replace(/([a-z])([A-Z])/g, "$1 $2"),
  );
}

/** Long pauses, or shorter ones as regular as a timer, in which the unit does nothing else either. */
function isPolling(attempts: readonly UnitCall[], options: RepeatedQueryOptions): boolean {
  if (attempts.length < 3) return false;
  const pauses = pausesBetween(attempts);
  const median = medianOf(pauses);
  if (median >= options.pollingPauseMicrosMin) return true;
  if (median < options.regularPauseMicrosMin) return false;
  const mean = pauses.reduce((total, pause) => total + pause, 0) / pauses.length;
  const variance = pauses.reduce((total, pause) => total + (pause - mean) ** 2, 0) / pauses.length;
  return Math.sqrt(variance) / mean <= options.regularPauseVariationMax;
}

/** The median of the pauses between calls, in microseconds; 0 where there is none. */
export function medianPause(attempts: readonly UnitCall[]): number {
  return medianOf(pausesBetween(attempts));
}

function medianOf(pauses: readonly number[]): number {
  return pauses.toSorted((a, b) => a - b)[Math.floor(pauses.length / 2)] ?? 0;
}

function pausesBetween(attempts: readonly UnitCall[]): number[] {
  const pauses: number[] = [];
  let end: number | undefined;
  for (const item of attempts) {
    if (end !== undefined) pauses.push(Math.max(0, item.span.startMicros - end));
    end = Math.max(end ?? 0, endMicros(item));
  }
  return pauses;
}

function endMicros({ span }: UnitCall): number {
  return span.startMicros + span.durationNanos / 1_000;
}
