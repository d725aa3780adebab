/**
 * Whether one target gets calls: a circuit breaker that opens after failures in a row, and lets one probe at a time
 * through before it closes again. How often calls succeed is counted too, for the comparison with siblings.
 */

import type { Clock, Random } from "#kernel/index.ts";

import { dispatchLimits } from "./limits.ts";

export interface BreakerBounds {
  /** Failures in a row that open it. */
  readonly failureCountMax: number;
  /** How long it stays open the first time; doubles with each probe that fails. */
  readonly openMsMin: number;
  readonly openMsMax: number;
}

/** Says which state of the breaker a call belongs to: what an earlier state's call brings back counts no more. */
export type HealthTicket = number & { readonly healthTicket: unique symbol };

export type HealthState = "closed" | "open" | "half-open";

export interface HealthParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Those of the newest configuration. */
  readonly bounds: () => BreakerBounds;
}

/** What one slice of time saw. */
interface Slice {
  index: number;
  successCount: number;
  failureCount: number;
}

export class TargetHealth {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #bounds: () => BreakerBounds;
  readonly #slices: Slice[] = Array.from({ length: dispatchLimits.healthSliceCount }, () => ({
    index: -1,
    successCount: 0,
    failureCount: 0,
  }));
  #state: HealthState = "closed";
  /** Grows with every change of state. */
  #generation = 0;
  #failureCount = 0;
  /** How often it opened without having closed in between. */
  #openCount = 0;
  #openUntilMs = 0;
  #probing = false;

  constructor(parts: HealthParts) {
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#bounds = parts.bounds;
  }

  get state(): HealthState {
    return this.#state;
  }

  /** Whether a call would be let through now. */
  admits(nowMs: number): boolean {
    if (this.#state === "closed") return true;
    return nowMs >= this.#openUntilMs && !this.#probing;
  }

  /** Milliseconds until a call may be let through; 0 when one may be now. */
  waitMs(nowMs: number): number {
    return this.#state === "closed" ? 0 : Math.max(0, this.#openUntilMs - nowMs);
  }

  /**
   * Lets a call through, or gives `undefined`. Whoever has a ticket tells how the call went: by `succeeded`, `failed` or
   * `abandoned`. One that began well may still fail later.
   */
  enter(): HealthTicket | undefined {
    if (this.#state !== "closed") {
      if (!this.admits(this.#clock.monotonicMs())) return undefined;
      if (this.#state === "open") this.#change("half-open");
      this.#probing = true;
    }
    // A generation is a ticket; the brand keeps other numbers out.
    return this.#generation as HealthTicket;
  }

  /** The target did its part: its answer began well, or its error speaks against the request alone. */
  succeeded(ticket: HealthTicket): void {
    this.#slice().successCount += 1;
    if (ticket !== this.#generation) return;
    this.#failureCount = 0;
    if (this.#state !== "half-open") return;
    this.#probing = false;
    this.#openCount = 0;
    this.#change("closed");
  }

  failed(ticket: HealthTicket): void {
    this.#slice().failureCount += 1;
    if (ticket !== this.#generation) return;
    this.#failureCount += 1;
    const tripped = this.#failureCount >= this.#bounds().failureCountMax;
    if (this.#state === "half-open" || (this.#state === "closed" && tripped)) this.open();
  }

  /** The call ended before it could show anything, for example because its caller left. */
  abandoned(ticket: HealthTicket): void {
    if (ticket === this.#generation) this.#probing = false;
  }

  /** Takes the target out for a while, longer each time that it comes back unwell. */
  open(): void {
    const { openMsMin, openMsMax } = this.#bounds();
    const wholeMs = Math.min(openMsMin * 2 ** Math.min(this.#openCount, 30), openMsMax);
    // Half of it is by chance, so that many workers do not probe at the same moment.
    const openMs = wholeMs / 2 + this.#random.integer(Math.floor(wholeMs / 2) + 1);
    this.#openCount += 1;
    this.#probing = false;
    this.#openUntilMs = this.#clock.monotonicMs() + openMs;
    this.#change("open");
  }

  /** Calls that ended within the last slices. */
  recent(): { readonly successCount: number; readonly failureCount: number } {
    const oldest = this.#sliceIndex() - dispatchLimits.healthSliceCount;
    let successCount = 0;
    let failureCount = 0;
    for (const slice of this.#slices) {
      if (slice.index <= oldest) continue;
      successCount += slice.successCount;
      failureCount += slice.failureCount;
    }
    return { successCount, failureCount };
  }

  #change(state: HealthState): void {
    this.#state = state;
    this.#generation += 1;
    this.#failureCount = 0;
  }

  #sliceIndex(): number {
    return Math.floor(this.#clock.monotonicMs() / dispatchLimits.healthSliceMs);
  }

  #slice(): Slice {
    const index = this.#sliceIndex();
    const slice = this.#slices[index % dispatchLimits.healthSliceCount];
    // The remainder is an index into the slices, all of which exist.
    const current = slice as Slice;
    if (current.index !== index) {
      current.index = index;
      current.successCount = 0;
      current.failureCount = 0;
    }
    return current;
  }
}
