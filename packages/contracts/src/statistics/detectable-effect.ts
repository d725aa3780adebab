/** How large a difference must be to be found: what a test that found nothing could have overlooked. */

import { twoSidedQuantile, upperQuantile } from "./normal-quantile.ts";

export interface ShareTest {
  /** The share of the population that the other is held against. */
  readonly share: number;
  readonly count: number;
  readonly otherCount: number;
  /** At which the test calls a difference, two-sided. */
  readonly chance: number;
  /** How probable it is that a difference as large is found. */
  readonly power: number;
}

/**
 * The smallest rise of a share that a test of two shares finds with the given power; 1 less the share where not even the
 * largest is found so often. Fleiss, Statistical Methods for Rates and Proportions, section 3.2, without continuity.
 */
export function detectableRise(test: ShareTest): number {
  const most = 1 - test.share;
  if (test.count === 0 || test.otherCount === 0 || !isFound(test, most)) return most;
  let low = 0;
  let high = most;
  for (let step = 0; step < 50; step += 1) {
    const middle = (low + high) / 2;
    if (isFound(test, middle)) high = middle;
    else low = middle;
  }
  return high;
}

function isFound({ share, count, otherCount, chance, power }: ShareTest, rise: number): boolean {
  const other = share + rise;
  const pooled = (share * count + other * otherCount) / (count + otherCount);
  const same = Math.sqrt(pooled * (1 - pooled) * (1 / count + 1 / otherCount));
  const unlike = Math.sqrt((share * (1 - share)) / count + (other * (1 - other)) / otherCount);
  return rise >= twoSidedQuantile(chance) * same + upperQuantile(1 - power) * unlike;
}
