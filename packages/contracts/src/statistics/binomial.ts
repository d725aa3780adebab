/** Tails of the binomial distribution. */

import { logSubsets } from "./log-factorial.ts";
import { upperTail } from "./normal-quantile.ts";

/** Trials from which the normal approximation is as good as the sum. */
const exactCountMax = 2_000;

/** The chance of at most `successes` in so many trials, each of which succeeds with the chance `share`. */
export function binomialUpTo(successes: number, trials: number, share: number): number {
  if (successes < 0) return 0;
  if (successes >= trials || share <= 0) return 1;
  if (share >= 1) return 0;
  if (trials > exactCountMax) {
    const deviation = Math.sqrt(trials * share * (1 - share));
    return 1 - upperTail((successes + 0.5 - trials * share) / deviation);
  }
  let sum = 0;
  for (let count = 0; count <= successes; count += 1) {
    const logChance =
      logSubsets(trials, count) + count * Math.log(share) + (trials - count) * Math.log1p(-share);
    sum += Math.exp(logChance);
  }
  return Math.min(1, sum);
}
