/** A bound on how many spans are walked, so that no trace makes a check walk it once for each of its spans. */

/** Spans that are walked below calls in one trace, for one question. */
const stepCountMax = 2_000_000;

/** Counts steps down. */
export class WorkBudget {
  #left = stepCountMax;

  /** Takes a step; false when there are none left, and what was walked is not the whole. */
  take(): boolean {
    this.#left -= 1;
    return this.#left >= 0;
  }
}
