/** Quantiles of the normal distribution. */

import { normalDensity, twoSidedTail } from "./normal.ts";

/** The chance that a standard normal variable is larger than `z`. */
export function upperTail(z: number): number {
  const half = twoSidedTail(z) / 2;
  return z >= 0 ? half : 1 - half;
}

/** The `z` beyond which, on both sides together, a standard normal variable lies with this chance. */
export function twoSidedQuantile(chance: number): number {
  return chance >= 1 ? 0 : upperQuantile(chance / 2);
}

/** The `z` that a standard normal variable exceeds with this chance; bounded at 38, where the tail underflows. */
export function upperQuantile(chance: number): number {
  if (chance > 0.5) return -upperQuantile(1 - chance);
  if (!(chance > 1e-300)) return 38;
  let z = startOf(chance);
  // Newton's steps on the logarithm of the tail, which is nearly a parabola.
  for (let step = 0; step < 4; step += 1) {
    const tail = upperTail(z);
    z += ((Math.log(tail) - Math.log(chance)) * tail) / normalDensity(z);
  }
  return Math.max(0, z);
}

/** Abramowitz and Stegun's rational approximation 26.2.23, off by less than 4.5e-4. */
function startOf(chance: number): number {
  const t = Math.sqrt(-2 * Math.log(chance));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return t - above / below;
}
