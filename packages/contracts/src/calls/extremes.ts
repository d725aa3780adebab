/** The least and the most of any number of numbers: more than a function takes as arguments. */

/** The largest of them, or `least` when none is larger. */
export function largestOf(numbers: Iterable<number>, least = 0): number {
  let largest = least;
  for (const number of numbers) if (number > largest) largest = number;
  return largest;
}

/** The smallest of them; infinite when there are none. */
export function smallestOf(numbers: Iterable<number>): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (const number of numbers) if (number < smallest) smallest = number;
  return smallest;
}
