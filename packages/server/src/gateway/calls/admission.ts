/** Places for model calls in one worker, and a bounded queue before them: first come, first served, within a deadline. */

import type { Clock } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";

import type { Deadlines, Guarded } from "./deadlines.ts";
import { gatewayLimits } from "../limits.ts";

/** Who waits for a place. Exactly one of the two is called, unless it leaves. */
export interface Waiting {
  readonly admitted: () => void;
  readonly refused: (error: PlatformError) => void;
}

export interface AdmissionBounds {
  readonly concurrencyMax: number;
  readonly queueMs: number;
}

interface Queued {
  readonly waiting: Waiting;
  readonly sinceMs: number;
}

export class Admission implements Guarded {
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #bounds: () => AdmissionBounds;
  readonly #queue = new Set<Queued>();
  #takenCount = 0;

  /** `bounds` gives those of the newest snapshot. */
  constructor(parts: { clock: Clock; deadlines: Deadlines; bounds: () => AdmissionBounds }) {
    this.#clock = parts.clock;
    this.#deadlines = parts.deadlines;
    this.#bounds = parts.bounds;
  }

  get takenCount(): number {
    return this.#takenCount;
  }

  get queueLength(): number {
    return this.#queue.size;
  }

  /** Takes a place or waits for one. Gives what must be called once, when the caller has left. */
  enter(waiting: Waiting): () => void {
    if (this.#takenCount < this.#bounds().concurrencyMax) {
      this.#takenCount += 1;
      waiting.admitted();
      return this.#leave;
    }
    if (this.#queue.size >= gatewayLimits.queueLengthMax) {
      waiting.refused(this.#refusal("and the queue for them is full"));
      return () => {};
    }
    const queued: Queued = { waiting, sinceMs: this.#clock.monotonicMs() };
    if (this.#queue.size === 0) this.#deadlines.add(this);
    this.#queue.add(queued);
    return () => {
      // Whoever is not in the queue any more was admitted, or refused and gave nothing back.
      if (this.#queue.delete(queued)) this.#watchQueue();
      else if (this.#admittedFromQueue.delete(queued)) this.#leave();
    };
  }

  onTick(nowMs: number): void {
    const { queueMs } = this.#bounds();
    for (const queued of this.#queue) {
      // The queue is in the order of arrival: who comes after has waited less.
      if (nowMs - queued.sinceMs <= queueMs) break;
      this.#queue.delete(queued);
      queued.waiting.refused(this.#refusal(`and none became free within ${queueMs} ms`));
    }
    this.#watchQueue();
  }

  readonly #admittedFromQueue = new Set<Queued>();

  readonly #leave = (): void => {
    this.#takenCount -= 1;
    while (this.#takenCount < this.#bounds().concurrencyMax) {
      const [next] = this.#queue;
      if (next === undefined) return;
      this.#queue.delete(next);
      this.#watchQueue();
      this.#takenCount += 1;
      this.#admittedFromQueue.add(next);
      next.waiting.admitted();
    }
  };

  #watchQueue(): void {
    if (this.#queue.size === 0) this.#deadlines.remove(this);
  }

  #refusal(reason: string): PlatformError {
    const { concurrencyMax } = this.#bounds();
    return new PlatformError(
      "limit_exceeded",
      `This gateway process already has ${concurrencyMax} model calls under way, ${reason}.`,
      { hint: "Try again; the operator sets gateway.concurrencyMax and gateway.queueMs." },
    );
  }
}
