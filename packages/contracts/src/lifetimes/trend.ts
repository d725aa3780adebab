/** Whether counts of a few recordings grow, and keep growing. */

import { mannKendall } from "../statistics/mann-kendall.ts";
import { theilSen } from "../statistics/theil-sen.ts";

export interface Growth {
  readonly first: number;
  readonly last: number;
  readonly growth: number;
  /** Of each recording to the next, or of each minute where times are known. */
  readonly slope: number;
  /** It went up from each recording to the next, or nearly so over many, and has not levelled off. */
  readonly isSteady: boolean;
  /** Of a few recordings the last came by far faster than those before: what leaks at one load grows at one pace. */
  readonly isQuickening: boolean;
}

/** From so many recordings on a trend may have steps down. */
const manyCount = 8;
const probabilityMax = 0.001;
/** What has come to rest grows at the end at less than this share of the pace before. */
const paceShareMin = 0.25;
/** Beyond so many times the pace before, the load is another. */
const paceRatioMax = 3;
/** More recordings than this show a trend whatever the load does. */
const fewCountMax = 4;

/** Counts in the order of time, and where they were taken. */
export function growthOf(
  counts: readonly number[],
  minutes: readonly number[] | undefined,
): Growth {
  const places = minutes ?? counts.map((_count, index) => index);
  const [first = 0] = counts;
  const last = counts.at(-1) ?? 0;
  const slope = theilSen(places, counts)?.slope ?? 0;
  return {
    first,
    last,
    growth: last - first,
    slope,
    isSteady: slope > 0 && rises(counts) && !levelsOff(counts, places),
    isQuickening: counts.length <= fewCountMax && quickens(counts, places),
  };
}

function rises(counts: readonly number[]): boolean {
  if (counts.length >= manyCount) {
    const { score, probability } = mannKendall(counts);
    return score > 0 && probability <= probabilityMax;
  }
  return counts.every((count, index) => index === 0 || count > (counts[index - 1] ?? 0));
}

function levelsOff(counts: readonly number[], places: readonly number[]): boolean {
  const paces = pacesOf(counts, places);
  return paces !== undefined && paces.last < paceShareMin * paces.before;
}

function quickens(counts: readonly number[], places: readonly number[]): boolean {
  const paces = pacesOf(counts, places);
  return paces !== undefined && paces.last > paceRatioMax * paces.before;
}

/** How fast counts grew in the last third, and before. */
function pacesOf(
  counts: readonly number[],
  places: readonly number[],
): { readonly before: number; readonly last: number } | undefined {
  if (counts.length < 3) return undefined;
  const turn = Math.min(Math.floor((2 * counts.length) / 3), counts.length - 2);
  const pace = (from: number, to: number): number => {
    const run = (places[to] ?? 0) - (places[from] ?? 0);
    return run <= 0 ? 0 : ((counts[to] ?? 0) - (counts[from] ?? 0)) / run;
  };
  return { before: pace(0, turn), last: pace(turn, counts.length - 1) };
}
