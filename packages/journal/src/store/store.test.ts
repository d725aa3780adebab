import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { describe, it } from "vitest";

import { SimulatedDisk } from "../../test/simulated-disk.ts";
import { storeOptions, StoreSystem } from "../../test/store-fixture.ts";
import { arbitraryHistory, ModelRun } from "../../test/store-model-run.ts";
import { nodeFileSystem } from "../file-system/node-file-system.ts";

describe("a store with its log and snapshot files", () => {
  it("does what a plain map does, compacted and opened again at any point", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryHistory, async (history) => {
        const system = await StoreSystem.open(storeOptions(new SimulatedDisk()));
        await new ModelRun(system).run([...history, { kind: "reopen" }]);
        await system.store[Symbol.asyncDispose]();
      }),
      { numRuns: 300 },
    );
  });

  it("does the same on a real disk", async () => {
    const folder = await mkdtemp(join(tmpdir(), "faultline-store-"));
    try {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(arbitraryHistory, async (history) => {
          run += 1;
          const options = storeOptions(nodeFileSystem, { folder: join(folder, String(run)) });
          const system = await StoreSystem.open(options);
          await new ModelRun(system).run([...history, { kind: "reopen" }]);
          await system.store[Symbol.asyncDispose]();
        }),
        { numRuns: 20 },
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
