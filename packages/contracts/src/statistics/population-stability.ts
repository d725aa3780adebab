/** The population stability index: how far two distributions over the same bins lie apart. */

import { chiSquareTail } from "./chi-square.ts";
import { sumOf } from "./sum.ts";

export interface Stability {
  /** The index: the sum of differences of shares times the logarithms of their ratios. */
  readonly index: number;
  /** What the index is on average when both distributions are alike: in small samples it is far from zero. */
  readonly expected: number;
  /** The chance of an index as large when they are alike. */
  readonly chance: number;
}

/**
 * The index of counts in the same bins. When both are drawn from one distribution, it is about a chi-square variable with one degree of
 * freedom less than there are bins, times the sum of the reciprocal sizes (Yurdakul and Naranjo, Journal of Risk Model Validation 14,
 * 2020). Half a count is added to each bin, so that an empty one has a logarithm.
 */
export function populationStability(
  counts: readonly number[],
  others: readonly number[],
): Stability {
  const bins = Math.max(counts.length, others.length);
  const all = sumOf(counts);
  const otherAll = sumOf(others);
  if (bins < 2 || all === 0 || otherAll === 0) return { index: 0, expected: 0, chance: 1 };
  let index = 0;
  for (let bin = 0; bin < bins; bin += 1) {
    const share = ((counts[bin] ?? 0) + 0.5) / (all + bins / 2);
    const other = ((others[bin] ?? 0) + 0.5) / (otherAll + bins / 2);
    index += (other - share) * Math.log(other / share);
  }
  const scale = 1 / all + 1 / otherAll;
  return {
    index,
    expected: (bins - 1) * scale,
    chance: chiSquareTail(index / scale, bins - 1),
  };
}
