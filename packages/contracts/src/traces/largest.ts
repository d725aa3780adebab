/** The largest of numbers. */

/** The largest of any count of numbers, 0 where there is none that is larger. `Math.max` takes only so many at once. */
export function largestOf(numbers: readonly number[]): number {
  return numbers.reduce((largest, number) => (number > largest ? number : largest), 0);
}
