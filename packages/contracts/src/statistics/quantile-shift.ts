/** By how much a quantile of one population lies above that of another, whatever their distributions. */

import { binomialUpTo } from "./binomial.ts";
import { twoSidedQuantile } from "./normal-quantile.ts";
import { quantileOf } from "./quantiles.ts";

export interface QuantileShift {
  /** The quantile of the second less that of the first. */
  readonly shift: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The shift of a quantile between two sorted populations, with an interval that misses the truth with this chance. How uncertain
 * each quantile is, is read from order statistics around it, as Price and Bonett do for medians (Journal of Statistical
 * Computation and Simulation 72, 2002). `undefined` where a population is too small to have order statistics on both sides.
 */
export function quantileShift(
  first: Float64Array,
  second: Float64Array,
  { share, chance }: { readonly share: number; readonly chance: number },
): QuantileShift | undefined {
  const own = deviationOfQuantile(first, share);
  const other = deviationOfQuantile(second, share);
  if (own === undefined || other === undefined) return undefined;
  const shift = quantileOf(second, share) - quantileOf(first, share);
  const reach = twoSidedQuantile(chance) * Math.hypot(own, other);
  return { shift, low: shift - reach, high: shift + reach };
}

/** Values from which a quantile has enough order statistics around it. */
const countMin = 10;

/** The standard deviation of an estimated quantile, from the order statistics that are about two deviations away. */
function deviationOfQuantile(sorted: Float64Array, share: number): number | undefined {
  const count = sorted.length;
  if (count < countMin) return undefined;
  const reach = 2 * Math.sqrt(count * share * (1 - share));
  const below = Math.floor(count * share - reach);
  const above = Math.ceil(count * share + reach);
  if (below < 1 || above > count) return undefined;
  const covered = binomialUpTo(above - 1, count, share) - binomialUpTo(below - 1, count, share);
  const z = twoSidedQuantile(1 - covered);
  const width = (sorted[above - 1] ?? 0) - (sorted[below - 1] ?? 0);
  return width / (2 * z);
}
