/** Mann and Kendall's test for a trend, whatever the distribution of the values. */

import { twoSidedTail } from "./normal.ts";

/** Values looked at; of more, evenly chosen ones stand for all. */
const valueCountMax = 2_000;

export interface Trend {
  /** Pairs that rise less pairs that fall. */
  readonly score: number;
  /** From -1 (always falls) to 1 (always rises). */
  readonly tau: number;
  /** The probability of a score at least so far from 0 without a trend, on both sides. */
  readonly probability: number;
}

/** The trend of values in the order of time. Kendall, Rank Correlation Methods (1975); ties are corrected for. */
export function mannKendall(values: readonly number[]): Trend {
  const step = Math.max(1, Math.ceil(values.length / valueCountMax));
  const chosen = step === 1 ? values : values.filter((_value, index) => index % step === 0);
  const count = chosen.length;
  let score = 0;
  for (let left = 0; left < count; left += 1) {
    for (let right = left + 1; right < count; right += 1) {
      score += Math.sign((chosen[right] ?? 0) - (chosen[left] ?? 0));
    }
  }
  const pairs = (count * (count - 1)) / 2;
  if (pairs === 0) return { score: 0, tau: 0, probability: 1 };
  let variance = count * (count - 1) * (2 * count + 5);
  for (const ties of tiesOf(chosen)) variance -= ties * (ties - 1) * (2 * ties + 5);
  variance /= 18;
  if (variance <= 0) return { score, tau: score / pairs, probability: 1 };
  const z = (score - Math.sign(score)) / Math.sqrt(variance);
  return { score, tau: score / pairs, probability: twoSidedTail(z) };
}

function tiesOf(values: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].filter((count) => count > 1);
}
