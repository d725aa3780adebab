/** Places for model calls in one worker, shared fairly between tenants, and a bounded queue before them. */

import type { Clock } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";

import {
  FairQueue,
  type Lane,
  type QueueRefusal,
  type QueueRequest,
} from "../dispatch/fair-queue.ts";
import { dispatchLimits } from "../dispatch/limits.ts";
import { gatewayLimits } from "../limits.ts";
import type { ListPlace } from "../live-list.ts";
import type { Deadlines, Guarded } from "./deadlines.ts";

/** Who waits for a place. Exactly one of the two is called, unless it leaves. */
export interface Waiting {
  readonly admitted: () => void;
  readonly refused: (error: PlatformError) => void;
}

export interface AdmissionParts {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Places by the newest snapshot. */
  readonly concurrencyMax: () => number;
}

export class Admission implements Guarded {
  readonly #deadlines: Deadlines;
  readonly #concurrencyMax: () => number;
  readonly #queue: FairQueue;
  readonly #lane: Lane;
  #takenCount = 0;
  guardPlace: ListPlace | undefined;

  constructor({ clock, deadlines, concurrencyMax }: AdmissionParts) {
    this.#deadlines = deadlines;
    this.#concurrencyMax = concurrencyMax;
    this.#queue = new FairQueue(clock, () => queueBounds);
    this.#lane = this.#queue.openLane({
      tryTake: () => {
        if (this.#takenCount >= this.#concurrencyMax()) return false;
        this.#takenCount += 1;
        return true;
      },
      giveBack: () => {
        this.#takenCount -= 1;
      },
    });
  }

  get takenCount(): number {
    return this.#takenCount;
  }

  get queueLength(): number {
    return this.#queue.length;
  }

  /**
   * Takes a place or waits for one. Gives what must be called once, when the caller has left; `waiting` may be called
   * before this returns.
   */
  enter(request: QueueRequest, waiting: Waiting): () => void {
    const leave = this.#lane.enter(request, {
      admitted: waiting.admitted,
      refused: (refusal) => waiting.refused(this.#refusal(refusal, request.queueMsMax)),
    });
    if (this.#queue.length > 0) this.#deadlines.add(this);
    return leave;
  }

  /** Lets waiting calls through after the number of places has risen. */
  apply(): void {
    this.#queue.pump();
  }

  onTick(nowMs: number): void {
    this.#queue.onTick(nowMs);
    if (this.#queue.length === 0) this.#deadlines.remove(this);
  }

  #refusal(refusal: QueueRefusal, queueMs: number): PlatformError {
    const reason =
      refusal === "queue-full"
        ? "and the queue for them is full"
        : `and none became free within ${Math.round(queueMs)} ms`;
    return new PlatformError(
      "limit_exceeded",
      `This gateway process already has ${this.#concurrencyMax()} model calls under way, ${reason}.`,
      { hint: "Try again; the operator sets gateway.concurrencyMax and gateway.queueMs." },
    );
  }
}

const queueBounds = {
  lengthMax: gatewayLimits.queueLengthMax,
  ageMs: dispatchLimits.queueAgeMs,
};
