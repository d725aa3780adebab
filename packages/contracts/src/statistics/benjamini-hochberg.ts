/** Which of many tests to believe: the procedure of Benjamini and Hochberg (1995) for the false discovery rate. */

/**
 * Adjusted chances, in the order of the given ones: accepting those of at most `q` keeps the expected share of false
 * ones among the accepted at or below `q`, for tests that are independent or positively dependent.
 */
export function adjustForMany(chances: readonly number[]): number[] {
  const order = chances.map((_, index) => index);
  order.sort((left, right) => (chances[left] ?? 1) - (chances[right] ?? 1) || left - right);
  const adjusted = chances.map(() => 1);
  let least = 1;
  for (let rank = order.length; rank >= 1; rank -= 1) {
    const index = order[rank - 1] ?? 0;
    least = Math.min(least, ((chances[index] ?? 1) * chances.length) / rank);
    adjusted[index] = least;
  }
  return adjusted;
}
