/** Judges the pauses between attempts: whether they grow, vary, and are as long as the callee asked. */

import { plural } from "../text/plural.ts";
import { endMicrosOf, type Trace } from "../traces/trace.ts";
import { mark } from "../traces/marks.ts";
import { largestOf, smallestOf } from "./extremes.ts";
import { type AttemptGroup, waitsOf } from "./attempts.ts";
import { wordOf } from "./attribute-value.ts";
import { durationMicrosOf, momentMicrosOf } from "./duration-text.ts";

export interface WaitOptions {
  readonly growthRatioMin: number;
  readonly sameWaitShareMax: number;
  readonly immediateWaitMillisMax: number;
  readonly attemptCountMax: number;
}

/** What is wrong with the waits of a group of attempts, in a sentence's end. */
export interface WaitFault {
  readonly kind: "too-many" | "retry-after" | "immediate" | "fixed" | "synchronised";
  readonly words: string;
  readonly group: AttemptGroup;
  /** The attempts that came too early or too often. */
  readonly calls: readonly number[];
}

/** Clocks and schedulers blur a wait by this much. */
const blurMicros = 2_000;
/** Two waits alone are equal by chance more often than three. */
const spreadOfThreeMax = 1.25;
/** Of what a callee asked for, this much may be missing: it counted from another moment. */
const retryAfterShareMin = 0.9;

/** Faults of one group by itself. */
export function faultsOfGroup(group: AttemptGroup, options: WaitOptions): WaitFault[] {
  const { trace, calls } = group;
  const faults = early(group);
  if (group.count > options.attemptCountMax) {
    const words = `${plural(group.count, "attempt")} for one request`;
    faults.push({ kind: "too-many", words, group, calls: calls.slice(options.attemptCountMax) });
  }
  const waits = waitsOf(trace, calls);
  if (waits.length < 2) return faults;
  if (waits.every((wait) => wait <= options.immediateWaitMillisMax * 1_000)) {
    const words = `${plural(waits.length, "further attempt")} at once, none after more than ${millis(largestOf(waits))} ms`;
    faults.push({ kind: "immediate", words, group, calls });
  } else if (areFixed(waits, options)) {
    const words = `the same wait of about ${millis(waits[0] ?? 0)} ms before each of ${plural(waits.length, "further attempt")}`;
    faults.push({ kind: "fixed", words, group, calls });
  }
  return faults;
}

/** Groups whose waits are the same one by one although nobody waits for anybody: no jitter. */
export function synchronisedFaults(
  groups: readonly AttemptGroup[],
  options: WaitOptions,
): WaitFault[] {
  const long = groups.filter(({ calls }) => calls.length >= 3);
  const [first, ...others] = long;
  if (first === undefined || others.length === 0) return [];
  const waits = waitsOf(first.trace, first.calls);
  const isSame = others.every((other) =>
    waitsOf(other.trace, other.calls).every((wait, position) => {
      const expected = waits[position];
      return expected === undefined || areAlike(wait, expected, options.sameWaitShareMax / 2);
    }),
  );
  if (!isSame || waits.every((wait) => wait <= options.immediateWaitMillisMax * 1_000)) return [];
  const words = `the same waits (${waits.map((wait) => `${millis(wait)} ms`).join(", ")}) in ${long.length} requests`;
  return long.map((group) => ({ kind: "synchronised", words, group, calls: group.calls }));
}

/** Whether a group shows good waits: longer from attempt to attempt, and not by one exact factor. */
export function showsGrowth({ trace, calls }: AttemptGroup, options: WaitOptions): boolean {
  const waits = waitsOf(trace, calls);
  const [first, last] = [waits[0], waits.at(-1)];
  if (first === undefined || last === undefined || waits.length < 2) return false;
  return last >= first * options.growthRatioMin && last > options.immediateWaitMillisMax * 1_000;
}

/** Whether the waits are an exact multiple of one another, as they are without jitter. */
export function areExactMultiples({ trace, calls }: AttemptGroup): boolean {
  const waits = waitsOf(trace, calls);
  const first = Math.max(1, waits[0] ?? 1);
  return waits.every((wait, position) => {
    const factor = wait / first;
    const usual = [position + 1, 1.5 ** position, 2 ** position, 3 ** position, 10 ** position];
    return usual.some((exact) => Math.abs(factor - exact) * first <= blurMicros + 0.02 * wait);
  });
}

/** Whether a callee said when to come again, and the next attempt waited for it. */
export function obeysRetryAfter({ trace, calls }: AttemptGroup): boolean {
  return calls.slice(0, -1).some((call) => retryAfterMicrosOf(trace, call) !== undefined);
}

function early(group: AttemptGroup): WaitFault[] {
  const { trace, calls } = group;
  return calls.slice(1).flatMap((call, position): WaitFault[] => {
    const before = calls[position];
    const asked = before === undefined ? undefined : retryAfterMicrosOf(trace, before);
    if (before === undefined || asked === undefined) return [];
    const wait = trace.span(call).startMicros - endMicrosOf(trace.span(before));
    if (wait >= asked * retryAfterShareMin - blurMicros) return [];
    const words = `an attempt after ${millis(wait)} ms although the answer asked to wait ${millis(asked)} ms`;
    return [{ kind: "retry-after", words, group, calls: [call] }];
  });
}

/** How long after its end a call's answer asks to wait, in microseconds. */
function retryAfterMicrosOf(trace: Trace, index: number): number | undefined {
  if ((trace.marksOf(index) & mark.attempt) === 0) return undefined;
  const span = trace.span(index);
  const { attributes } = span;
  const inMillis = wordOf(
    attributes,
    "http.response.header.retry-after-ms",
    "http.response.header.x-ms-retry-after-ms",
    "rpc.grpc.response.metadata.grpc-retry-pushback-ms",
    "retry_after_ms",
    "retry.after_ms",
  );
  if (inMillis !== undefined) return positive(Number(inMillis) * 1_000);
  const value = wordOf(
    attributes,
    "http.response.header.retry-after",
    "http.response.header.retry_after",
    "http.response.headers.retry-after",
    "retry-after",
    "retry_after",
    "retry.after",
  );
  if (value === undefined) return undefined;
  if (/^\d{1,7}(?:\.\d+)?$/.test(value)) return positive(Number(value) * 1_000_000);
  const moment = momentMicrosOf(value);
  if (moment !== undefined) return positive(moment - endMicrosOf(span));
  return positive(durationMicrosOf(value) ?? Number.NaN);
}

function positive(micros: number): number | undefined {
  return Number.isFinite(micros) && micros > 0 ? micros : undefined;
}

function areFixed(waits: readonly number[], options: WaitOptions): boolean {
  const least = smallestOf(waits);
  const most = largestOf(waits);
  if (areAlike(least, most, options.sameWaitShareMax)) return true;
  if (waits.length === 2) return false;
  // Random waits of a growing range lie this close together only by chance, and the more of them, the less.
  return most <= least * (waits.length === 3 ? spreadOfThreeMax : options.growthRatioMin);
}

function areAlike(left: number, right: number, share: number): boolean {
  return Math.abs(left - right) <= Math.max(blurMicros, share * Math.max(left, right));
}

/** Milliseconds of microseconds, with as many digits as matter. */
export function millis(micros: number): number {
  return Math.round(micros / 10) / 100;
}
