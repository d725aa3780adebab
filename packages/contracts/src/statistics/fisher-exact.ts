/** Fisher's exact test of two shares: whether a mark is as frequent in one population as in another. */

import { logSubsets } from "./log-factorial.ts";
import { twoSidedTail } from "./normal.ts";

/** Marked things out of all, in each of two populations. */
export interface TwoShares {
  readonly marked: number;
  readonly all: number;
  readonly otherMarked: number;
  readonly otherAll: number;
}

/** Beyond so many marked things in the smaller margin the normal approximation is as good and far quicker. */
const exactCountMax = 2_000;

/** The two-sided chance of shares that differ as much as these, or more, when nothing tells the populations apart. */
export function chanceOfShares(shares: TwoShares): number {
  const { marked, all, otherMarked, otherAll } = shares;
  if (all === 0 || otherAll === 0) return 1;
  const total = all + otherAll;
  const drawn = marked + otherMarked;
  if (drawn === 0 || drawn === total) return 1;
  if (Math.min(drawn, total - drawn, all, otherAll) > exactCountMax) return approximate(shares);
  const least = Math.max(0, drawn - otherAll);
  const most = Math.min(drawn, all);
  const whole = logSubsets(total, drawn);
  const logChance = (count: number): number =>
    logSubsets(all, count) + logSubsets(otherAll, drawn - count) - whole;
  // As usual, tables that are as unlikely count; the allowance is for rounding.
  const seen = logChance(marked) + 1e-7;
  let sum = 0;
  for (let count = least; count <= most; count += 1) {
    const chance = logChance(count);
    if (chance <= seen) sum += Math.exp(chance);
  }
  return Math.min(1, sum);
}

/** The test of two proportions with their pooled variance and Yates' correction. */
function approximate({ marked, all, otherMarked, otherAll }: TwoShares): number {
  const pooled = (marked + otherMarked) / (all + otherAll);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / all + 1 / otherAll));
  const difference = Math.abs(marked / all - otherMarked / otherAll);
  const corrected = Math.max(0, difference - 0.5 * (1 / all + 1 / otherAll));
  return twoSidedTail(corrected / deviation);
}
