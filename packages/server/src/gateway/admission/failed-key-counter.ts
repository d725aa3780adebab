/** Counts the keys that failed by client address, over all workers: the control side of `FailedKeys`. */

import type { LimitsConfig } from "#config/index.ts";

import { leaseBounds } from "./lease-bounds.ts";

/** An address that is refused before its key is looked at. */
export interface BlockedAddress {
  readonly address: string;
  readonly durationMs: number;
}

interface Failures {
  count: number;
  /** When the window of the first failure ends, or the block. */
  endsMs: number;
  isBlocked: boolean;
}

export class FailedKeyCounter {
  readonly #bounds: () => LimitsConfig["failedKeys"];
  /** In the order of their first failure. */
  readonly #addresses = new Map<string, Failures>();

  constructor(bounds: () => LimitsConfig["failedKeys"]) {
    this.#bounds = bounds;
  }

  /** Counts a failure; gives the address when it is to be blocked from now on. */
  note(address: string, nowMs: number): BlockedAddress | undefined {
    const { countMax, windowMs } = this.#bounds();
    const failures = this.#failuresOf(address, nowMs);
    failures.count += 1;
    if (failures.isBlocked || failures.count < countMax) return undefined;
    failures.isBlocked = true;
    failures.endsMs = nowMs + windowMs;
    return { address, durationMs: windowMs };
  }

  /** How much longer an address is blocked; `undefined` when it is not. */
  blockedForMs(address: string, nowMs: number): number | undefined {
    const failures = this.#addresses.get(address);
    if (failures?.isBlocked !== true || failures.endsMs <= nowMs) return undefined;
    return failures.endsMs - nowMs;
  }

  /** Blocks an address because of what others saw of it. */
  block({ address, durationMs }: BlockedAddress, nowMs: number): void {
    const failures = this.#failuresOf(address, nowMs);
    failures.isBlocked = true;
    failures.endsMs = nowMs + durationMs;
  }

  blocked(nowMs: number): BlockedAddress[] {
    return [...this.#addresses.keys()].flatMap((address) => {
      const durationMs = this.blockedForMs(address, nowMs);
      return durationMs === undefined ? [] : { address, durationMs };
    });
  }

  /** Forgets what is over. */
  sweep(nowMs: number): void {
    for (const [address, { endsMs }] of this.#addresses) {
      if (endsMs <= nowMs) this.#addresses.delete(address);
    }
  }

  #failuresOf(address: string, nowMs: number): Failures {
    const known = this.#addresses.get(address);
    if (known !== undefined && known.endsMs > nowMs) return known;
    this.#addresses.delete(address);
    this.#makeRoom();
    const begun = { count: 0, endsMs: nowMs + this.#bounds().windowMs, isBlocked: false };
    this.#addresses.set(address, begun);
    return begun;
  }

  /** Whoever fails from ever new addresses must not cost memory; the oldest that is not blocked goes first. */
  #makeRoom(): void {
    if (this.#addresses.size < leaseBounds.failedAddressCountMax) return;
    let oldest: string | undefined;
    for (const [address, { isBlocked }] of this.#addresses) {
      oldest ??= address;
      if (isBlocked) continue;
      this.#addresses.delete(address);
      return;
    }
    if (oldest !== undefined) this.#addresses.delete(oldest);
  }
}
