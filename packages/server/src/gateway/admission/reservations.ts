/**
 * What of reserved tokens may still be given back when a call ends with fewer. The bucket filled up again while the call
 * ran, and what flowed in since counts against the oldest reservation first; else a caller that reserves much, uses
 * nothing and waits would save up more than one bucket.
 */

import { leaseBounds, unitsPerMs } from "./lease-bounds.ts";

/** Tokens that one call reserved in one slice. */
export interface Reservation {
  /** What may still be given back. */
  refundable: number;
}

export class Reservations {
  #open: Reservation[] = [];
  /** Those before this index are over. */
  #head = 0;
  #atMs = 0;
  #refundable = 0;

  /** What may still be given back, of all of them together. */
  get refundable(): number {
    return this.#refundable;
  }

  get isEmpty(): boolean {
    return this.#head === this.#open.length;
  }

  add(tokens: number, drain: { perMinute: number; nowMs: number }): Reservation {
    this.drain(drain);
    if (this.#open.length - this.#head >= leaseBounds.reservationCountMax) this.#dropOldest();
    const reservation: Reservation = { refundable: tokens };
    this.#open.push(reservation);
    this.#refundable += tokens;
    return reservation;
  }

  /** Ends a reservation of which so many tokens were not used; gives how many of them may be used again. */
  settle(
    reservation: Reservation,
    unused: number,
    drain: { perMinute: number; nowMs: number },
  ): number {
    this.drain(drain);
    const refund = Math.max(0, Math.min(Math.floor(reservation.refundable), unused));
    this.#refundable -= reservation.refundable;
    reservation.refundable = 0;
    return refund;
  }

  /** Takes what flowed in since the last call off the oldest reservations. */
  drain({ perMinute, nowMs }: { perMinute: number; nowMs: number }): void {
    let inflow = unitsPerMs(perMinute) * Math.max(0, nowMs - this.#atMs);
    this.#atMs = Math.max(this.#atMs, nowMs);
    for (
      let oldest = this.#open[this.#head];
      oldest !== undefined;
      oldest = this.#open[this.#head]
    ) {
      const drained = Math.min(inflow, oldest.refundable);
      oldest.refundable -= drained;
      this.#refundable -= drained;
      inflow -= drained;
      if (oldest.refundable > 0) return;
      this.#pop();
    }
  }

  #dropOldest(): void {
    const oldest = this.#open[this.#head];
    if (oldest !== undefined) {
      this.#refundable -= oldest.refundable;
      oldest.refundable = 0;
    }
    this.#pop();
  }

  #pop(): void {
    this.#head += 1;
    if (this.#head === this.#open.length) {
      this.#open = [];
      this.#head = 0;
      // Sums of fractions do not end at nothing by themselves.
      this.#refundable = 0;
    } else if (this.#head > compactAt && this.#head * 2 > this.#open.length) {
      this.#open = this.#open.slice(this.#head);
      this.#head = 0;
    }
  }
}

const compactAt = 1_024;
