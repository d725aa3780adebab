/** Which intervals of a reservation were worked in, and what they cost together. */

import { costUntil, type WorkedTime } from "./interval-cost.ts";
import type { JobRequest } from "./job.ts";

/** Intervals that follow one another; none where the last is before the first. */
export interface WorkedIntervals {
  readonly first: number;
  readonly last: number;
  readonly costMicros: bigint;
}

/** The first interval counts as a whole, the last one up to the end of the work. */
export function workedIntervals(
  request: JobRequest,
  { fromMs, toMs, intervalMs }: WorkedTime,
): WorkedIntervals {
  const first = Math.floor(fromMs / intervalMs);
  const endMs = Math.min(toMs, request.durationMs);
  const last = Math.ceil(endMs / intervalMs) - 1;
  if (last < first) return { first, last: first - 1, costMicros: 0n };
  const costMicros = costUntil(request, endMs) - costUntil(request, first * intervalMs);
  return { first, last, costMicros };
}
