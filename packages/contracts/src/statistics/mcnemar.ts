/** McNemar's test: whether of pairs that were judged twice more turned one way than the other. */

import { signTest } from "./sign-test.ts";

/** Pairs by what was seen before and after. */
export interface PairedMarks {
  readonly bothCount: number;
  readonly onlyFirstCount: number;
  readonly onlySecondCount: number;
  readonly neitherCount: number;
}

export interface PairedDifference {
  /** The share of the second less that of the first. */
  readonly difference: number;
  /** Exact and two-sided, from the pairs that differ. */
  readonly chance: number;
}

/** The exact form of the test. McNemar, Psychometrika 12 (1947). */
export function mcnemar(marks: PairedMarks): PairedDifference {
  const { bothCount, onlyFirstCount, onlySecondCount, neitherCount } = marks;
  const count = bothCount + onlyFirstCount + onlySecondCount + neitherCount;
  return {
    difference: count === 0 ? 0 : (onlySecondCount - onlyFirstCount) / count,
    chance: signTest(onlySecondCount, onlyFirstCount),
  };
}
