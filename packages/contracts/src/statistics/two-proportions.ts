/** The difference of two shares, with its interval. */

import { twoSidedQuantile } from "./normal-quantile.ts";

/** Marked things out of all, in each of two populations. */
export interface Shares {
  readonly marked: number;
  readonly all: number;
  readonly otherMarked: number;
  readonly otherAll: number;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The share of the first less that of the other. */
export interface ShareDifference extends Interval {
  readonly difference: number;
}

/**
 * The interval of a difference of two independent shares from Wilson's intervals of each: method 10 of Newcombe, Statistics in
 * Medicine 17 (1998). `chance` is that of an interval that misses the truth.
 */
export function shareDifference(shares: Shares, chance: number): ShareDifference {
  const { marked, all, otherMarked, otherAll } = shares;
  if (all === 0 || otherAll === 0) return { difference: 0, low: -1, high: 1 };
  const share = marked / all;
  const other = otherMarked / otherAll;
  const own = wilsonInterval(marked, all, chance);
  const others = wilsonInterval(otherMarked, otherAll, chance);
  const difference = share - other;
  return {
    difference,
    low: difference - Math.hypot(share - own.low, others.high - other),
    high: difference + Math.hypot(own.high - share, other - others.low),
  };
}

/** Wilson's score interval of one share. */
export function wilsonInterval(marked: number, all: number, chance: number): Interval {
  if (all === 0) return { low: 0, high: 1 };
  const z = twoSidedQuantile(chance);
  const share = marked / all;
  const middle = marked + (z * z) / 2;
  const reach = z * Math.sqrt(share * (1 - share) * all + (z * z) / 4);
  const whole = all + z * z;
  return {
    low: Math.max(0, (middle - reach) / whole),
    high: Math.min(1, (middle + reach) / whole),
  };
}
