import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { nodeFileSystem, Store } from "../src/index.ts";
import { seededChance } from "./log-fixture.ts";
import { lastNumberKey, numberedCommit } from "./numbered-commit.ts";
import { storeOptions } from "./store-fixture.ts";
import { contentText } from "./store-history.ts";
import { applyToModel, modelScan, type ModelState } from "./store-model.ts";

const writer = fileURLToPath(new URL("./store-writer-process.ts", import.meta.url));
const roundCount = 8;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "faultline-store-kill-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs the writer until so many commits are acknowledged, then kills it. Gives the last one that it acknowledged. */
async function writeAndKill(first: number, count: number): Promise<number> {
  const child = spawn(process.execPath, [writer, folder, String(first)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let last = first - 1;
  let acknowledgedCount = 0;
  for await (const line of createInterface(child.stdout)) {
    last = Math.max(last, Number(line));
    acknowledgedCount += 1;
    if (acknowledgedCount === count) child.kill("SIGKILL");
  }
  await exited;
  expect(child.signalCode).toBe("SIGKILL");
  return last;
}

describe("a store whose process is killed again and again", () => {
  it("holds every acknowledged commit and all before it, and no part of another", async () => {
    const chance = seededChance(7);
    const state: ModelState = new Map();
    let next = 0;
    let snapshotCount = 0;
    for (let round = 0; round < roundCount; round += 1) {
      const acknowledged = await writeAndKill(next, 1 + chance.integer(1_500));
      await using store = await Store.open(storeOptions(nodeFileSystem, { folder }));
      const last = Number(store.get(lastNumberKey)?.toString());
      expect(last).toBeGreaterThanOrEqual(acknowledged);
      for (; next <= last; next += 1) applyToModel(state, numberedCommit(next));
      expect(contentText(store)).toBe(modelScan(state, {}, 0).join("\n"));
      expect(store.recovery.damagedSnapshots).toEqual([]);
      if (store.recovery.snapshotName !== undefined) snapshotCount += 1;
    }
    expect(snapshotCount).toBeGreaterThan(0);
    const names = (await readdir(folder)).filter((name) => name.endsWith(".snapshot"));
    expect(names.length).toBeLessThanOrEqual(3);
  });
});
