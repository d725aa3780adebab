/** Numbers of a record of training that may be none. */

import type { Measured } from "../model/training.ts";

/** The number that was measured; `undefined` where nothing was. */
export function numberOf(value: Measured | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** Whether something was measured, and is no finite number. */
export function isNotFinite(value: Measured | undefined): boolean {
  return value !== undefined && !Number.isFinite(Number(value));
}

/** The median of numbers; 0 where there are none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >>> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
