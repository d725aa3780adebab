/** The top of a scale of amounts: the next of a few round multiples of a power of ten, so that it reads well. */

/** At least two micros, so that half of it is one. */
export function niceMicrosAbove(most: bigint): bigint {
  let power = 1n;
  while (power * 10n <= most) power *= 10n;
  for (const factor of [1n, 2n, 3n, 4n, 5n, 6n, 8n, 10n]) {
    const top = power * factor;
    if (top >= most && top >= 2n) return top;
  }
  return 10n;
}
