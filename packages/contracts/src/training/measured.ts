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
