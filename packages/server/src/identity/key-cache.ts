/** Keys by their hash, bounded in number and age. Unknown keys are not kept, or guesses would crowd out real ones. */

import type { Clock } from "#kernel/index.ts";

import type { KeyRecord } from "./key-record.ts";

interface Cached {
  readonly key: KeyRecord;
  readonly freshUntilMs: number;
}

export class KeyCache {
  readonly #clock: Clock;
  readonly #countMax: number;
  readonly #ageMsMax: number;
  readonly #keys = new Map<string, Cached>();

  constructor(clock: Clock, countMax: number, ageMsMax: number) {
    this.#clock = clock;
    this.#countMax = countMax;
    this.#ageMsMax = ageMsMax;
  }

  find(hash: string): KeyRecord | undefined {
    const cached = this.#keys.get(hash);
    if (cached === undefined) return undefined;
    if (cached.freshUntilMs > this.#clock.monotonicMs()) return cached.key;
    this.#keys.delete(hash);
    return undefined;
  }

  /** Keeps a key; the one that was kept longest makes room. */
  put(key: KeyRecord): void {
    this.#keys.delete(key.hash);
    if (this.#keys.size >= this.#countMax) {
      const [oldest] = this.#keys.keys();
      if (oldest !== undefined) this.#keys.delete(oldest);
    }
    this.#keys.set(key.hash, { key, freshUntilMs: this.#clock.monotonicMs() + this.#ageMsMax });
  }

  forget(hash: string): void {
    this.#keys.delete(hash);
  }
}
