/** The divergence of Jensen and Shannon between two distributions over the same bins. */

import { chiSquareTail } from "./chi-square.ts";
import { sumOf } from "./sum.ts";

export interface Divergence {
  /** In bits: 0 when both are equal, 1 when they have nothing in common. */
  readonly bits: number;
  /** The chance of a divergence as large when both are drawn from one distribution. */
  readonly chance: number;
}

/**
 * The divergence of counts, weighted by how many there are of each. Weighted so, it is the statistic of the likelihood-ratio test of
 * homogeneity over twice the number of all, whose distribution is known (Grosse et al., Physical Review E 65, 2002). `bits` has equal
 * weights, as Lin (1991) defines it.
 */
export function jensenShannon(counts: readonly number[], others: readonly number[]): Divergence {
  const all = sumOf(counts);
  const otherAll = sumOf(others);
  const bins = Math.max(counts.length, others.length);
  if (all === 0 || otherAll === 0) return { bits: 0, chance: 1 };
  let bits = 0;
  let weighted = 0;
  let usedCount = 0;
  for (let bin = 0; bin < bins; bin += 1) {
    const count = counts[bin] ?? 0;
    const other = others[bin] ?? 0;
    if (count + other > 0) usedCount += 1;
    const share = count / all;
    const otherShare = other / otherAll;
    const pooled = (count + other) / (all + otherAll);
    const middle = (share + otherShare) / 2;
    bits += (term(share, middle) + term(otherShare, middle)) / (2 * Math.LN2);
    weighted += all * term(share, pooled) + otherAll * term(otherShare, pooled);
  }
  return { bits, chance: chiSquareTail(2 * weighted, usedCount - 1) };
}

function term(share: number, against: number): number {
  return share === 0 ? 0 : share * Math.log(share / against);
}
