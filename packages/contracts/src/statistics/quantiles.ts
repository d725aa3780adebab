/** Quantiles of sorted numbers, and what stands for their middle and their spread. */

/** The numbers in ascending order; the given ones stay as they are. */
export function sortedNumbers(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).sort();
}

/** The quantile of ascending numbers, between neighbours in proportion (the seventh definition of Hyndman and Fan). */
export function quantileOf(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low;
  return low + (high - low) * (place - below);
}

/** The median of numbers in any order; not a number where there are none. */
export function medianOf(values: ArrayLike<number>): number {
  return quantileOf(sortedNumbers(values), 0.5);
}

/** The median and the range between the quartiles. */
export function middleAndSpread(sorted: Float64Array): { median: number; quartileRange: number } {
  return {
    median: quantileOf(sorted, 0.5),
    quartileRange: quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25),
  };
}
