/**
 * Keeps work in the background from holding up what is in the foreground: after a stretch of work it rests for longer
 * than it has worked, unless the work is urgent.
 */

/** Time as a store needs it; the platform's clock satisfies it. */
export interface StoreClock {
  /** Wall time in milliseconds: for expiry, and for the times that files carry. */
  nowMs(): number;
  /** Monotonic milliseconds with fraction; only differences mean anything. */
  monotonicMs(): number;
  /** Resolves after `durationMs`; rejects with the signal's reason when it aborts first. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}

/** A stretch of work between two rests: short beside what a caller notices. */
const workMsMax = 0.5;
/**
 * A rest is this many times as long as the work before it, waiting for the disk included: a commit that comes while the
 * work syncs waits behind it, and the slower the work, the fewer meet it.
 */
const restFactor = 6;
/** However slow the disk was. */
const restMsMax = 50;

export class Pace {
  readonly #clock: StoreClock;
  readonly #isUrgent: () => boolean;
  #workedSinceMs: number;

  constructor(clock: StoreClock, isUrgent: () => boolean) {
    this.#clock = clock;
    this.#isUrgent = isUrgent;
    this.#workedSinceMs = clock.monotonicMs();
  }

  /** Called after each slice of the work; gives the event loop a turn when a stretch is over. */
  async rest(signal: AbortSignal): Promise<void> {
    const workedMs = this.#clock.monotonicMs() - this.#workedSinceMs;
    if (workedMs < workMsMax) return;
    const restMs = this.#isUrgent() ? 0 : Math.min(restMsMax, workedMs * restFactor);
    await this.#clock.sleep(restMs, signal);
    this.#workedSinceMs = this.#clock.monotonicMs();
  }
}
