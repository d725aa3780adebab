/** The permutation test for pairs: whether their differences lie to one side of zero, when each sign is as likely as the other. */

import { twoSidedTail } from "./normal.ts";

export interface PairedMean {
  /** The mean of all differences, those of zero included. */
  readonly mean: number;
  /** Of the mean, when differences vary as these do. */
  readonly deviation: number;
  /** Two-sided. */
  readonly chance: number;
}

/** Differences are told apart as multiples of this share of the largest one. */
const stepCount = 200;
/** Sums times differences up to which every sign is tried. */
const exactWorkMax = 4_000_000;

/**
 * The chance of as large a sum of differences when every sign is turned at random (Fisher's randomisation). Of few pairs it is
 * exact, on a grid that errs to the side of no difference; of many, the sum is normal. Of pairs that differ by one step up or
 * down, as those of passed and failed do, it is the sign test.
 */
export function pairedPermutation(differences: readonly number[]): PairedMean {
  const count = differences.length;
  if (count === 0) return { mean: 0, deviation: Infinity, chance: 1 };
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / count;
  const square = differences.reduce((sum, difference) => sum + (difference - mean) ** 2, 0);
  const deviation = count < 2 ? Infinity : Math.sqrt(square / (count - 1) / count);
  const largest = differences.reduce((most, difference) => Math.max(most, Math.abs(difference)), 0);
  if (largest === 0) return { mean, deviation, chance: 1 };
  const isOneStep = differences.every(
    (difference) => difference === 0 || Math.abs(difference) === largest,
  );
  const steps = isOneStep ? 1 : stepCount;
  const sizes = differences.map((difference) =>
    Math.round((Math.abs(difference) / largest) * steps),
  );
  const signed = differences.map((difference, at) => Math.sign(difference) * (sizes[at] ?? 0));
  const sum = Math.abs(signed.reduce((all, size) => all + size, 0));
  const kept = sizes.filter((size) => size > 0);
  const total = kept.reduce((all, size) => all + size, 0);
  if (total * kept.length <= exactWorkMax) {
    // Half a step of rounding for each difference, as far as roundings add up.
    const slack = isOneStep ? 0 : Math.ceil(Math.sqrt(kept.length));
    return { mean, deviation, chance: exactChance(kept, total, sum - slack) };
  }
  const spread = Math.sqrt(kept.reduce((all, size) => all + size * size, 0));
  return { mean, deviation, chance: twoSidedTail(Math.max(0, sum - 0.5) / spread) };
}

/** The share of all choices of signs whose sum lies at least so far from zero. */
function exactChance(sizes: readonly number[], total: number, least: number): number {
  if (least <= 0) return 1;
  // The sum of those with a plus; with `total` it tells the whole sum.
  let ways = new Float64Array(total + 1);
  ways[0] = 1;
  let reached = 0;
  for (const size of sizes) {
    const next = new Float64Array(total + 1);
    for (let sum = 0; sum <= reached; sum += 1) {
      const half = (ways[sum] ?? 0) / 2;
      next[sum] = (next[sum] ?? 0) + half;
      next[sum + size] = (next[sum + size] ?? 0) + half;
    }
    ways = next;
    reached += size;
  }
  let beyond = 0;
  for (let sum = 0; sum <= total; sum += 1) if (2 * sum - total >= least) beyond += ways[sum] ?? 0;
  return Math.min(1, 2 * beyond);
}
