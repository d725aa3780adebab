/** How fast a worker spends: an average that forgets by half in each half-life. */

import { workerLimits } from "./limits.ts";

export class BurnRate {
  #weightedMicros = 0;
  #atMs = Number.NEGATIVE_INFINITY;

  /** Notes what was admitted. */
  add(micros: number, monotonicMs: number): void {
    this.#decay(monotonicMs);
    this.#weightedMicros += micros;
  }

  /** Micros in so many milliseconds at the present rate, rounded up. */
  microsWithin(durationMs: number, monotonicMs: number): number {
    this.#decay(monotonicMs);
    // The weights of a steady rate sum up to the half-life over the logarithm of two.
    const perMs = (this.#weightedMicros * Math.LN2) / workerLimits.burnHalfLifeMs;
    return Math.ceil(perMs * durationMs);
  }

  #decay(monotonicMs: number): void {
    const passedMs = monotonicMs - this.#atMs;
    if (passedMs <= 0) return;
    this.#weightedMicros *= 2 ** (-passedMs / workerLimits.burnHalfLifeMs);
    this.#atMs = monotonicMs;
  }
}
