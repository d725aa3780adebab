/** A call that the limits admitted: what it was charged with, and how that ends. */

import { tightest, type RateStanding } from "./rate-standing.ts";
import type { Reservation } from "./reservations.ts";
import type { Taken } from "./slice.ts";

export interface Grant {
  /** The call has ended: its places are free. Once more changes nothing. */
  release(): void;
  /** The call turns to another target: its model and provider count it no more. So many tokens were used until then. */
  leaveTarget(tokensUsed: number): void;
  /** Says how many tokens the call used; what was reserved beyond is given back. Once more changes nothing. */
  settle(tokensUsed: number): void;
  /** Where the tightest layers stand now. */
  standing(): RateStanding;
}

/** Who gave a grant. */
export interface GrantOwner {
  monotonicMs(): number;
  /** Units that a grant held are idle again. */
  onFreed(): void;
}

const nothingStands: RateStanding = { requests: undefined, tokens: undefined };

/** The grant of a call that nothing limits. */
export const unlimitedGrant: Grant = {
  release() {},
  leaveTarget() {},
  settle() {},
  standing: () => nothingStands,
};

/** What one layer was charged with. */
interface Charge {
  readonly taken: Taken;
  readonly reservation: Reservation | undefined;
}

export class LimitedGrant implements Grant {
  readonly #owner: GrantOwner;
  #charges: readonly Charge[];
  #isReleased = false;
  #isSettled = false;

  constructor(taken: readonly Taken[], owner: GrantOwner) {
    this.#owner = owner;
    const nowMs = owner.monotonicMs();
    for (const one of taken) one.slice.confirm(one);
    this.#charges = taken.map((one) => ({ taken: one, reservation: reserve(one, nowMs) }));
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    for (const { taken } of this.#charges) releasePermit(taken);
    this.#owner.onFreed();
  }

  leaveTarget(tokensUsed: number): void {
    if (this.#isReleased || this.#isSettled) return;
    const nowMs = this.#owner.monotonicMs();
    const left = this.#charges.filter(isOfTarget);
    if (left.length === 0) return;
    this.#charges = this.#charges.filter((charge) => !isOfTarget(charge));
    for (const charge of left) {
      settleCharge(charge, tokensUsed, nowMs);
      releasePermit(charge.taken);
    }
    this.#owner.onFreed();
  }

  settle(tokensUsed: number): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const nowMs = this.#owner.monotonicMs();
    for (const charge of this.#charges) settleCharge(charge, tokensUsed, nowMs);
    this.#owner.onFreed();
  }

  standing(): RateStanding {
    const nowMs = this.#owner.monotonicMs();
    return tightest(
      this.#charges.map(({ taken }) => taken.slice),
      nowMs,
    );
  }
}

function isOfTarget({ taken }: Charge): boolean {
  const { scope } = taken.slice.layer;
  return scope === "model" || scope === "provider";
}

function reserve({ slice, tokens }: Taken, nowMs: number): Reservation | undefined {
  const perMinute = slice.limits.tokensPerMinute;
  if (tokens === 0 || perMinute === undefined) return undefined;
  return slice.reservations.add(tokens, { perMinute, nowMs });
}

function settleCharge({ taken, reservation }: Charge, tokensUsed: number, nowMs: number): void {
  if (reservation === undefined) return;
  const { slice, tokens } = taken;
  const perMinute = slice.limits.tokensPerMinute ?? 0;
  const unused = Math.floor(tokens - tokensUsed);
  const refund = slice.reservations.settle(reservation, unused, { perMinute, nowMs });
  // What a provider counts beyond the reservation is charged afterwards.
  slice.refund(unused < 0 ? unused : refund);
}

function releasePermit({ slice, permit }: Taken): void {
  if (permit) slice.release();
}
