/** Deadlines of many operations on one timer: a timer for each would cost more than what it guards. */

import type { Clock } from "#kernel/index.ts";

import { gatewayLimits } from "../limits.ts";
import type { EventLoopWatch } from "../observation/event-loop-watch.ts";

export interface Guarded {
  /** Called on every tick with the monotonic time; the operation ends itself when it is too late. */
  onTick(nowMs: number): void;
}

export class Deadlines {
  readonly #guarded = new Set<Guarded>();

  constructor(clock: Clock, signal: AbortSignal, loop: EventLoopWatch) {
    clock.every(gatewayLimits.deadlineTickMs, signal, () => {
      loop.touch();
      if (this.#guarded.size === 0) return;
      const nowMs = clock.monotonicMs();
      for (const guarded of this.#guarded) guarded.onTick(nowMs);
    });
  }

  get size(): number {
    return this.#guarded.size;
  }

  add(guarded: Guarded): void {
    this.#guarded.add(guarded);
  }

  remove(guarded: Guarded): void {
    this.#guarded.delete(guarded);
  }
}
