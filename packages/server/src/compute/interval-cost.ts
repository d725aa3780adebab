/** What the intervals of a reservation cost, so that they add up to its price exactly. */

import type { JobRequest } from "./job.ts";

/** The price of the use from the start of a reservation up to a time within it. */
export function costUntil({ costMicros, durationMs }: JobRequest, usedMs: number): bigint {
  const bounded = Math.min(Math.max(0, Math.floor(usedMs)), durationMs);
  return (costMicros * BigInt(bounded)) / BigInt(durationMs);
}

/** The part of a reservation in which its work was heard, in milliseconds from its admission. */
export interface WorkedTime {
  readonly fromMs: number;
  readonly toMs: number;
  /** Of the intervals by which it is charged. */
  readonly intervalMs: number;
}

export interface IntervalCost {
  readonly interval: number;
  readonly amountMicros: bigint;
  /** How much of it was used. */
  readonly usedMs: number;
}

/** The intervals between two times from the start of a reservation, the first as a whole and the last in part. */
export function intervalCosts(
  request: JobRequest,
  { fromMs, toMs, intervalMs }: WorkedTime,
): IntervalCost[] {
  const costs: IntervalCost[] = [];
  const end = Math.min(toMs, request.durationMs);
  for (let interval = Math.floor(fromMs / intervalMs); interval * intervalMs < end; interval += 1) {
    const startMs = interval * intervalMs;
    const endMs = Math.min(startMs + intervalMs, end);
    const amountMicros = costUntil(request, endMs) - costUntil(request, startMs);
    costs.push({ interval, amountMicros, usedMs: endMs - startMs });
  }
  return costs;
}
