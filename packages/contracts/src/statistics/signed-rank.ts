/** Wilcoxon's signed-rank test: whether the differences of pairs lie to one side of zero. */

import { twoSidedTail } from "./normal.ts";

export interface SignedRank {
  /** Sum of the ranks of differences above zero. */
  readonly riseRankSum: number;
  /** Differences that are not zero. */
  readonly count: number;
  /** Two-sided, when rises and falls are alike. */
  readonly chance: number;
}

/** Differences up to which every sign is tried. */
const exactCountMax = 40;

/** Differences of zero are left out and ties share their ranks, as Wilcoxon (1945) did. */
export function signedRank(differences: readonly number[]): SignedRank {
  const kept = differences.filter((difference) => difference !== 0 && Number.isFinite(difference));
  kept.sort((left, right) => Math.abs(left) - Math.abs(right));
  const count = kept.length;
  // Ranks are doubled, so that shared ones are whole.
  const ranks: number[] = [];
  let tieTerm = 0;
  for (let from = 0; from < count;) {
    let to = from + 1;
    while (to < count && Math.abs(kept[to] ?? 0) === Math.abs(kept[from] ?? 0)) to += 1;
    for (let at = from; at < to; at += 1) ranks.push(from + 1 + to);
    tieTerm += (to - from) ** 3 - (to - from);
    from = to;
  }
  const rise = ranks.reduce((sum, rank, at) => ((kept[at] ?? 0) > 0 ? sum + rank : sum), 0);
  if (count === 0) return { riseRankSum: 0, count, chance: 1 };
  const total = count * (count + 1);
  const chance =
    count <= exactCountMax
      ? exactChance(ranks, Math.min(rise, total - rise))
      : approximateChance({ rise, total, count, tieTerm });
  return { riseRankSum: rise / 2, count, chance };
}

/** Twice the share of all signs whose sum is at most `least`. */
function exactChance(ranks: readonly number[], least: number): number {
  const ways = new Float64Array(least + 1);
  ways[0] = 1;
  for (const rank of ranks) {
    for (let sum = least; sum >= rank; sum -= 1) {
      ways[sum] = (ways[sum] ?? 0) + (ways[sum - rank] ?? 0);
    }
  }
  const below = ways.reduce((sum, way) => sum + way, 0);
  return Math.min(1, (2 * below) / 2 ** ranks.length);
}

function approximateChance(sums: {
  readonly rise: number;
  readonly total: number;
  readonly count: number;
  readonly tieTerm: number;
}): number {
  const { rise, total, count, tieTerm } = sums;
  const variance = (count * (count + 1) * (2 * count + 1)) / 24 - tieTerm / 48;
  const excess = Math.max(0, Math.abs(rise / 2 - total / 4) - 0.5);
  return twoSidedTail(excess / Math.sqrt(variance));
}
