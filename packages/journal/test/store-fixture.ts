/** Stores for tests: on a simulated disk, with small limits and a clock that the test moves. */

import type { StoreClock } from "../src/store/pace.ts";
import { Store, type StoreOptions } from "../src/store/store.ts";
import type { System } from "./store-model-run.ts";

export const signal: AbortSignal = new AbortController().signal;
export const storeFolder = "/store";

/** Small, so that a few entries fill a block, a few commits a segment, and some of them start a compaction. */
export const smallStoreLimits = {
  residentBytesMax: 2 ** 30,
  compactionBytes: 2_000,
  blockBytes: 128,
  log: { batchBytesMax: 2_048, segmentBytesMax: 4_096 },
};

/** A clock on which no time passes but the wall time that the test sets, so that compaction never rests. */
export function stillClock(nowMs: () => number): StoreClock {
  return { nowMs, monotonicMs: () => 0, sleep: async () => await Promise.resolve() };
}

/** Options on a disk; `clock` stands at 1,000 unless the test brings one. */
export function storeOptions(
  fileSystem: NonNullable<StoreOptions["fileSystem"]>,
  options: Partial<StoreOptions> = {},
): StoreOptions {
  return {
    folder: storeFolder,
    clock: stillClock(() => 1_000),
    random: { bytes: (length) => new Uint8Array(length).fill(7) },
    limits: smallStoreLimits,
    fileSystem,
    signal,
    ...options,
  };
}

/** A store that a history can compact and open again. */
export class StoreSystem implements System {
  readonly clock: System["clock"];
  readonly #options: StoreOptions;
  store: Store;

  private constructor(store: Store, options: StoreOptions, clock: System["clock"]) {
    this.store = store;
    this.#options = options;
    this.clock = clock;
  }

  static async open(options: StoreOptions): Promise<StoreSystem> {
    const clock = { value: 1_000, nowMs: () => clock.value };
    const own = { ...options, clock: stillClock(clock.nowMs) };
    return new StoreSystem(await Store.open(own), own, clock);
  }

  async compact(): Promise<void> {
    await this.store.compact(signal);
  }

  async reopen(): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    this.store = await Store.open(this.#options);
  }
}
