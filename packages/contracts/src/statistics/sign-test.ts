/** The sign test: whether pairs differ in one direction more often than in the other. */

import { binomialUpTo } from "./binomial.ts";

/** The two-sided chance of as uneven a division of pairs that differ, when both directions are as likely. */
export function signTest(riseCount: number, fallCount: number): number {
  const fewer = Math.min(riseCount, fallCount);
  return Math.min(1, 2 * binomialUpTo(fewer, riseCount + fallCount, 0.5));
}
