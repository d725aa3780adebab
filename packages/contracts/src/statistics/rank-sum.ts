/** The rank-sum test of Wilcoxon, Mann and Whitney: whether numbers of one population tend to be larger. */

import { twoSidedTail } from "./normal.ts";

export interface RankSum {
  /** The two-sided chance when both populations are alike, by the normal approximation with ties. */
  readonly chance: number;
  /** How probable it is that a number of the first is larger than one of the second, ties counted half. */
  readonly superiority: number;
}

/** Compares two populations, both sorted ascending. */
export function rankSumOf(first: Float64Array, second: Float64Array): RankSum {
  const count = first.length;
  const otherCount = second.length;
  const total = count + otherCount;
  if (count === 0 || otherCount === 0) return { chance: 1, superiority: 0.5 };
  let sum = 0;
  let tieTerm = 0;
  let at = 0;
  let otherAt = 0;
  while (at < count || otherAt < otherCount) {
    const value = Math.min(first[at] ?? Infinity, second[otherAt] ?? Infinity);
    const before = at + otherAt;
    const from = at;
    while (at < count && first[at] === value) at += 1;
    while (otherAt < otherCount && second[otherAt] === value) otherAt += 1;
    const tied = at + otherAt - before;
    // What is no number ends the walk: readers leave none of those in.
    if (tied === 0) break;
    sum += (at - from) * (before + (tied + 1) / 2);
    tieTerm += tied ** 3 - tied;
  }
  const wins = sum - (count * (count + 1)) / 2;
  const pairs = count * otherCount;
  const variance = (pairs / 12) * (total + 1 - tieTerm / (total * (total - 1)));
  const excess = Math.max(0, Math.abs(wins - pairs / 2) - 0.5);
  const chance = variance <= 0 ? 1 : twoSidedTail(excess / Math.sqrt(variance));
  return { chance, superiority: wins / pairs };
}
