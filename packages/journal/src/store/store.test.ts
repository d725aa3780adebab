import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Store, type StoreOptions } from "./store.ts";
import { arbitraryHistory, ModelRun, type System } from "./test/model-run.ts";

const signal = new AbortController().signal;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "faultline-store-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

class DiskSystem implements System {
  readonly clock = { value: 1_000, nowMs: () => this.clock.value };
  readonly #options: StoreOptions;
  store: Store;

  private constructor(store: Store, options: StoreOptions) {
    this.store = store;
    this.#options = { ...options, clock: this.clock };
  }

  static async open(subfolder: string): Promise<DiskSystem> {
    const options = {
      folder: join(folder, subfolder),
      clock: { nowMs: () => 1_000 },
      random: { bytes: (length: number) => new Uint8Array(length).fill(7) },
      signal,
    };
    return new DiskSystem(await Store.open(options), options);
  }

  async compact(): Promise<void> {
    await this.store.compact(signal);
  }

  async reopen(): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    this.store = await Store.open(this.#options);
  }
}

describe("a store on disk", () => {
  it("does what a plain map does, compacted and opened again at any point", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(arbitraryHistory, async (history) => {
        const system = await DiskSystem.open(String((run += 1)));
        await new ModelRun(system).run([...history, { kind: "reopen" }]);
        await system.store[Symbol.asyncDispose]();
      }),
      { numRuns: 60 },
    );
  });
});
