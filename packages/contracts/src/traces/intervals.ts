/** Time that spans cover, as the union of their intervals and as their sum. */

import type { Span } from "../model/span.ts";

export interface CoveredTime {
  /** Time during which at least one of them ran. */
  readonly unionMicros: number;
  /** Their durations added up. */
  readonly sumMicros: number;
  /** Whether two of them ran at once. */
  readonly overlaps: boolean;
}

/** The time that spans cover; they come in order of their start. */
export function coveredTime(spans: readonly Span[]): CoveredTime {
  let unionMicros = 0;
  let sumMicros = 0;
  let overlaps = false;
  let coveredUntil = Number.NEGATIVE_INFINITY;
  for (const { startMicros, durationNanos } of spans) {
    const end = startMicros + durationNanos / 1_000;
    sumMicros += durationNanos / 1_000;
    // Clocks resolve to a microsecond, so an overlap below that is none.
    if (startMicros < coveredUntil - 1) overlaps = true;
    unionMicros += Math.max(0, end - Math.max(startMicros, coveredUntil));
    coveredUntil = Math.max(coveredUntil, end);
  }
  return { unionMicros, sumMicros, overlaps };
}
