/** A call that the limits admitted: what it was charged with, and how that ends. */

import { tightest, type RateStanding } from "./rate-standing.ts";
import type { Reservation } from "./reservations.ts";
import type { Taken } from "./slice.ts";

export interface Grant {
  /** The call has ended: its places are free. Once more changes nothing. */
  release(): void;
  /** Says how many tokens the call used; what was reserved beyond is given back. Once more changes nothing. */
  settle(tokensUsed: number): void;
  /** Where the tightest layers stand now. */
  standing(): RateStanding;
}

const nothingStands: RateStanding = { requests: undefined, tokens: undefined };

/** The grant of a call that nothing limits. */
export const unlimitedGrant: Grant = {
  release() {},
  settle() {},
  standing: () => nothingStands,
};

export class LimitedGrant implements Grant {
  readonly #taken: readonly Taken[];
  readonly #monotonicMs: () => number;
  readonly #reservations: (Reservation | undefined)[];
  #isReleased = false;
  #isSettled = false;

  constructor(taken: readonly Taken[], monotonicMs: () => number) {
    this.#taken = taken;
    this.#monotonicMs = monotonicMs;
    const nowMs = monotonicMs();
    for (const one of taken) one.slice.confirm(one);
    this.#reservations = taken.map(({ slice, tokens }) => {
      const perMinute = slice.limits.tokensPerMinute;
      if (tokens === 0 || perMinute === undefined) return undefined;
      return slice.reservations.add(tokens, { perMinute, nowMs });
    });
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    for (const { slice, permit } of this.#taken) if (permit) slice.release();
  }

  settle(tokensUsed: number): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const nowMs = this.#monotonicMs();
    this.#taken.forEach(({ slice, tokens }, index) => {
      const reservation = this.#reservations[index];
      if (reservation === undefined) return;
      const perMinute = slice.limits.tokensPerMinute ?? 0;
      const unused = Math.floor(tokens - tokensUsed);
      const refund = slice.reservations.settle(reservation, unused, { perMinute, nowMs });
      // What a provider counts beyond the reservation is charged afterwards.
      slice.refund(unused < 0 ? unused : refund);
    });
  }

  standing(): RateStanding {
    const nowMs = this.#monotonicMs();
    return tightest(
      this.#taken.map(({ slice }) => slice),
      nowMs,
    );
  }
}
