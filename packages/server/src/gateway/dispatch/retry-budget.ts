/** How much of the traffic to one target may be retries: when most calls fail, retries would only add to its load. */

import type { Clock } from "#kernel/index.ts";

export interface RetryBudgetBounds {
  /** Retries for each call, such as 0.2. */
  readonly share: number;
  /** Retries that are allowed in each second whatever the traffic, so that a quiet target can be retried. */
  readonly perSecondMin: number;
  /** What can be saved up. */
  readonly savedMax: number;
}

const msPerSecond = 1_000;
/** Five fifths must be one retry, although they add up to a little less. */
const roundingMax = 1e-6;

export class RetryBudget {
  readonly #clock: Clock;
  readonly #bounds: () => RetryBudgetBounds;
  #saved: number;
  #refilledMs: number;

  /** Starts with what one second allows. `bounds` gives those of the newest configuration. */
  constructor(clock: Clock, bounds: () => RetryBudgetBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
    const { perSecondMin, savedMax } = bounds();
    this.#saved = Math.min(perSecondMin, savedMax);
    this.#refilledMs = clock.monotonicMs();
  }

  /** Counts a first attempt, which earns a share of a retry. */
  noteCall(): void {
    const { share, savedMax } = this.#bounds();
    this.#saved = Math.min(this.#saved + share, savedMax);
  }

  /** Whether one more retry is within the budget; it is spent then. */
  trySpend(): boolean {
    const { perSecondMin, savedMax } = this.#bounds();
    const nowMs = this.#clock.monotonicMs();
    const earned = ((nowMs - this.#refilledMs) / msPerSecond) * perSecondMin;
    this.#saved = Math.min(this.#saved + earned, savedMax);
    this.#refilledMs = nowMs;
    if (this.#saved < 1 - roundingMax) return false;
    this.#saved = Math.max(0, this.#saved - 1);
    return true;
  }
}
