/** Latencies of one kind: the median of each window, beside the lowest median of the windows before. */

import { dispatchLimits } from "./limits.ts";

export class LatencyTrack {
  readonly #samples: number[] = [];
  /** Medians of earlier windows; a ring. */
  readonly #medians: number[] = [];
  #sampleCount = 0;
  #windowCount = 0;

  /** How many came in this window; beyond a bound, the newest replace the oldest. */
  get sampleCount(): number {
    return this.#sampleCount;
  }

  add(latencyMs: number): void {
    this.#samples[this.#sampleCount % dispatchLimits.latencySampleCountMax] = latencyMs;
    this.#sampleCount += 1;
  }

  /** Forgets how fast the target once was: its latency follows something else than our load. */
  forgetBaseline(): void {
    this.#medians.length = 0;
    this.#windowCount = 0;
  }

  /** Ends a window in which something came: its median, and that in units of the baseline. */
  endWindow(): { readonly medianMs: number; readonly ratio: number } {
    this.#samples.sort((left, right) => left - right);
    const medianMs = Math.max(this.#samples[this.#samples.length >> 1] ?? 0, latencyMsMin);
    this.#samples.length = 0;
    this.#sampleCount = 0;
    this.#medians[this.#windowCount % dispatchLimits.latencyBaselineWindowCount] = medianMs;
    this.#windowCount += 1;
    return { medianMs, ratio: medianMs / Math.min(...this.#medians) };
  }
}

/** Below this, differences are those of this machine and not of a model. */
const latencyMsMin = 50;
