/** Deadlines of many operations on one timer: a timer for each would cost more than what it guards. */

import type { Clock } from "#kernel/index.ts";

import { gatewayLimits } from "../limits.ts";
import { LiveList, type ListPlace } from "../live-list.ts";
import type { EventLoopWatch } from "../observation/event-loop-watch.ts";

export interface Guarded {
  /** Called on every tick with the monotonic time; the operation ends itself when it is too late. */
  onTick(nowMs: number): void;
  /** Its place among those that are guarded, kept for `Deadlines` alone. */
  guardPlace: ListPlace | undefined;
}

export class Deadlines {
  readonly #guarded = new LiveList<Guarded>();

  constructor(clock: Clock, signal: AbortSignal, loop: EventLoopWatch) {
    clock.every(gatewayLimits.deadlineTickMs, signal, () => {
      loop.touch();
      if (this.#guarded.size === 0) return;
      const nowMs = clock.monotonicMs();
      this.#guarded.each((guarded) => guarded.onTick(nowMs));
    });
  }

  get size(): number {
    return this.#guarded.size;
  }

  add(guarded: Guarded): void {
    guarded.guardPlace ??= this.#guarded.add(guarded);
  }

  remove(guarded: Guarded): void {
    const place = guarded.guardPlace;
    if (place === undefined) return;
    guarded.guardPlace = undefined;
    this.#guarded.remove(place);
  }
}
