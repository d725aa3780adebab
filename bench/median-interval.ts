/** How sure a median is. */

/** At most this much of the probability lies on either side of the interval. */
const tailMax = 0.025;

/**
 * The interval that covers the true median with at least 95 %, whatever the distribution: between two of the values in
 * order, as the binomial distribution has it. Of fewer than six values nothing is so sure: then it is their whole range.
 */
export function medianInterval(values: readonly number[]): readonly [number, number] {
  const sorted = values.toSorted((left, right) => left - right);
  const count = sorted.length;
  // The probability that at most `left` of the values lie below the median.
  let term = 0.5 ** count;
  let tail = term;
  let left = 0;
  while (left + 1 < count / 2) {
    term = (term * (count - left)) / (left + 1);
    if (tail + term > tailMax) break;
    tail += term;
    left += 1;
  }
  return [sorted[left] ?? Number.NaN, sorted[count - 1 - left] ?? Number.NaN];
}
