/** Time as an argument: wall time for records, monotonic time for durations. */

import { setTimeout as sleepTimer } from "node:timers/promises";

export interface Clock {
  /** Wall time in milliseconds since the Unix epoch. For records, never for durations. */
  nowMs(): number;
  /** Monotonic milliseconds with fraction; only differences mean anything. */
  monotonicMs(): number;
  /** Resolves after `durationMs`; rejects with the signal's reason when it aborts first. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
  /** A signal that aborts with `TimeoutError` after `durationMs`, or earlier with `parent`. */
  deadline(durationMs: number, parent?: AbortSignal): AbortSignal;
  /** Calls `run` every `intervalMs` until the signal aborts. Does not keep the process alive. */
  every(intervalMs: number, signal: AbortSignal, run: () => void): void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(durationMs, signal) {
    try {
      await sleepTimer(durationMs, undefined, { signal });
    } catch (error) {
      // Node gives an error of its own; who cancelled has said why.
      throw signal.aborted ? signal.reason : error;
    }
  },
  deadline(durationMs, parent) {
    const timeout = AbortSignal.timeout(durationMs);
    return parent === undefined ? timeout : AbortSignal.any([timeout, parent]);
  },
  every(intervalMs, signal, run) {
    if (signal.aborted) return;
    const timer = setInterval(run, intervalMs);
    timer.unref();
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  },
};
