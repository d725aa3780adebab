/** The one place at which a series most likely changes its level, found by ranks, so that no outlier decides. */

import { logSubsets } from "./log-factorial.ts";
import { normalDensity, twoSidedTail } from "./normal.ts";
import { sortedNumbers } from "./quantiles.ts";

export interface ChangePoint {
  /** The first value of the new level. */
  readonly index: number;
  /** The chance of as sharp a change somewhere in a series without one. */
  readonly chance: number;
  readonly direction: "up" | "down";
}

/**
 * The split with the largest standardised rank sum, as Pettitt (1979) proposed, weighted so that changes near the ends are
 * found as well. The chance is the approximation of Miller and Siegmund (1982) for the maximum over all splits, with the
 * variance widened by what neighbours have in common (`correlation`, that of values next to each other once the change
 * is taken out). A tail that lies wholly beyond everything before it has the chance of such an order.
 */
export function changePointOf(values: Float64Array, correlation = 0): ChangePoint | undefined {
  const count = values.length;
  if (count < 4) return undefined;
  const ranks = ranksOf(values);
  const mean = (count + 1) / 2;
  let variance = 0;
  for (const rank of ranks) variance += (rank - mean) ** 2;
  variance /= count - 1;
  if (variance === 0) return undefined;
  let sum = 0;
  let best = 0;
  let bestIndex = 0;
  for (let size = 1; size < count; size += 1) {
    sum += (ranks[size - 1] ?? mean) - mean;
    const z = -sum / Math.sqrt((variance * size * (count - size)) / count);
    if (Math.abs(z) > Math.abs(best)) {
      best = z;
      bestIndex = size;
    }
  }
  const widening = (1 + correlation) / (1 - correlation);
  const byRanks = chanceOfMaximum(Math.abs(best) / Math.sqrt(widening), count);
  return {
    index: bestIndex,
    chance: Math.min(byRanks, chanceOfTail(ranks, bestIndex, widening)),
    direction: best > 0 ? "up" : "down",
  };
}

/**
 * The chance of as sharp a change at a place that was known beforehand, in a series that has none there. `correlation` is
 * that of neighbours.
 */
export function chanceAtSplit(values: Float64Array, index: number, correlation = 0): number {
  const count = values.length;
  if (index < 1 || index >= count || count < 4) return 1;
  const ranks = ranksOf(values);
  const mean = (count + 1) / 2;
  let [variance, sum] = [0, 0];
  for (const [at, rank] of ranks.entries()) {
    variance += (rank - mean) ** 2;
    if (at < index) sum += rank - mean;
  }
  variance /= count - 1;
  if (variance === 0) return 1;
  const z = Math.abs(sum) / Math.sqrt((variance * index * (count - index)) / count);
  const widening = (1 + correlation) / (1 - correlation);
  return Math.min(twoSidedTail(z / Math.sqrt(widening)), chanceOfTail(ranks, index, widening));
}

/** Ranks from 1, the mean of the ranks for values that are equal. */
function ranksOf(values: Float64Array): Float64Array {
  const sorted = sortedNumbers(values);
  return values.map((value) => {
    const first = firstNotBelow(sorted, value);
    let after = first + 1;
    // Runs of equal values are walked over when they are short, and halved when they are long.
    if (sorted[after] === value) after = firstAbove(sorted, value, after);
    return (first + after + 1) / 2;
  });
}

function firstNotBelow(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? Infinity) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstAbove(sorted: Float64Array, value: number, from: number): number {
  let low = from;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? Infinity) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function chanceOfMaximum(z: number, count: number): number {
  if (z < 1.5) return 1;
  const spread = 2 * Math.log(count);
  const chance = z * normalDensity(z) * ((1 - 1 / (z * z)) * spread + 4 / (z * z));
  return Math.min(1, Math.max(chance, twoSidedTail(z)));
}

/** Of all orders of the values, the share that puts the largest, or the smallest, last or first; for any length of tail. */
function chanceOfTail(ranks: Float64Array, index: number, widening: number): number {
  const before = ranks.subarray(0, index);
  const after = ranks.subarray(index);
  const isApart = maxOf(before) < minOf(after) || maxOf(after) < minOf(before);
  if (!isApart) return 1;
  const count = Math.floor(ranks.length / widening);
  const tail = Math.floor(Math.min(before.length, after.length) / widening);
  if (tail < 2) return 1;
  return Math.min(1, Math.exp(Math.log(2 * count) - logSubsets(count, tail)));
}

function maxOf(values: Float64Array): number {
  let most = -Infinity;
  for (const value of values) if (value > most) most = value;
  return most;
}

function minOf(values: Float64Array): number {
  let least = Infinity;
  for (const value of values) if (value < least) least = value;
  return least;
}
