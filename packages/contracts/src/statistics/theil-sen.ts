/** Theil and Sen's line: the median of the slopes between all pairs of points, which outliers hardly move. */

import { quantileOf, sortedNumbers } from "./quantiles.ts";

/** Pairs looked at; of more points than that allows, evenly chosen ones stand for all. */
const pointCountMax = 1_000;

export interface Line {
  readonly slope: number;
  readonly intercept: number;
}

/** The line through points, or nothing where there are not two different places. Sen, J. Am. Stat. Assoc. 63 (1968). */
export function theilSen(xs: readonly number[], ys: readonly number[]): Line | undefined {
  const count = Math.min(xs.length, ys.length);
  const step = Math.max(1, Math.ceil(count / pointCountMax));
  const slopes: number[] = [];
  for (let left = 0; left < count; left += step) {
    for (let right = left + step; right < count; right += step) {
      const run = (xs[right] ?? 0) - (xs[left] ?? 0);
      if (run !== 0) slopes.push(((ys[right] ?? 0) - (ys[left] ?? 0)) / run);
    }
  }
  if (slopes.length === 0) return undefined;
  const slope = quantileOf(sortedNumbers(slopes), 0.5);
  const rests = ys.slice(0, count).map((y, index) => y - slope * (xs[index] ?? 0));
  return { slope, intercept: quantileOf(sortedNumbers(rests), 0.5) };
}
