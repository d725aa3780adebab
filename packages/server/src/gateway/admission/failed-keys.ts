/** Throttles client addresses whose keys fail, before a key is looked at. One for each worker; all of them learn of a block. */

import type { LimitsConfig } from "#config/index.ts";

import { type BlockedAddress, FailedKeyCounter } from "./failed-key-counter.ts";
import { leaseBounds } from "./lease-bounds.ts";
import type { LimitRefusal } from "./limit-refusal.ts";

export class FailedKeys {
  readonly #bounds: () => LimitsConfig["failedKeys"];
  /** What this worker saw itself, so that it blocks also while the control process is away. */
  readonly #counter: FailedKeyCounter;
  #unreported: string[] = [];

  constructor(bounds: () => LimitsConfig["failedKeys"]) {
    this.#bounds = bounds;
    this.#counter = new FailedKeyCounter(bounds);
  }

  /** Why an address is refused; `undefined` when its key may be looked at. */
  refusalOf(address: string, nowMs: number): LimitRefusal | undefined {
    const retryAfterMs = this.#counter.blockedForMs(address, nowMs);
    if (retryAfterMs === undefined) return undefined;
    return {
      scope: "failed-keys",
      name: address,
      dimension: "requests",
      limit: this.#bounds().countMax,
      left: 0,
      needed: 1,
      retryAfterMs,
      reason: "exhausted",
    };
  }

  note(address: string, nowMs: number): void {
    this.#counter.note(address, nowMs);
    if (this.#unreported.length < leaseBounds.failedBatchMax) this.#unreported.push(address);
  }

  /** The failures since the last call. */
  takeUnreported(): readonly string[] {
    if (this.#unreported.length === 0) return none;
    const taken = this.#unreported;
    this.#unreported = [];
    return taken;
  }

  block(blocked: readonly BlockedAddress[], nowMs: number): void {
    for (const one of blocked) this.#counter.block(one, nowMs);
  }

  sweep(nowMs: number): void {
    this.#counter.sweep(nowMs);
  }
}

const none: readonly string[] = [];
