/** A rate as the control process counts it: a bucket that fills continuously and lends out slices. */

import { unitsPerMs } from "./lease-bounds.ts";

/**
 * Holds at most one minute's units, those that are lent out and not known to be used included: so whatever happens to
 * the slices, no window of time sees more used than one bucket and what flowed in during the window.
 */
export class RateBucket {
  #perMinute: number;
  #level: number;
  #atMs: number;
  /** Lent out, and neither reported used nor returned. */
  #lent = 0;

  constructor(perMinute: number, nowMs: number) {
    this.#perMinute = perMinute;
    this.#level = perMinute;
    this.#atMs = nowMs;
  }

  get perMinute(): number {
    return this.#perMinute;
  }

  get lent(): number {
    return this.#lent;
  }

  /** Units that can be lent now; less than nothing when more was used than was lent. */
  level(nowMs: number): number {
    const inflow = unitsPerMs(this.#perMinute) * Math.max(0, nowMs - this.#atMs);
    this.#atMs = Math.max(this.#atMs, nowMs);
    this.#level = Math.min(this.#level + inflow, this.#perMinute - this.#lent);
    return this.#level;
  }

  /** Lends units that are there. */
  lend(units: number): void {
    this.#level -= units;
    this.#lent += units;
  }

  /** A holder used so many of what it had; less than nothing when it had reported too many before. */
  noteUsed(units: number, nowMs: number): void {
    // Until now the units were lent, and the bucket could not fill up for them.
    this.level(nowMs);
    this.#lent -= units;
    this.level(nowMs);
  }

  /** A holder gives back; less than nothing is what it used beyond what it had. */
  takeBack(units: number, nowMs: number): void {
    this.level(nowMs);
    this.#lent -= units;
    // A debt beyond one minute's units would shut a caller out for longer than any limit says.
    this.#level = Math.max(
      -this.#perMinute,
      Math.min(this.#level + units, this.#perMinute - this.#lent),
    );
  }

  /** Changes the rate; what flowed in until now stays, as far as the new rate can hold it. */
  setRate(perMinute: number, nowMs: number): void {
    this.level(nowMs);
    this.#perMinute = perMinute;
    this.level(nowMs);
  }

  /** Milliseconds until so many units can be lent, when nobody else takes any. */
  msUntil(units: number, nowMs: number): number {
    return Math.max(0, (units - this.level(nowMs)) / unitsPerMs(this.#perMinute));
  }

  /** Whether it is as a new one would be. */
  isFull(nowMs: number): boolean {
    return this.#lent === 0 && this.level(nowMs) >= this.#perMinute;
  }
}
