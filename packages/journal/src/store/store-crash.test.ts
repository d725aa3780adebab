import { describe, expect, it } from "vitest";

import { seededChance } from "../../test/log-fixture.ts";
import { type Fault, SimulatedDisk } from "../../test/simulated-disk.ts";
import { signal, storeOptions } from "../../test/store-fixture.ts";
import { contentText, StoreHistory } from "../../test/store-history.ts";
import { JournalError } from "../journal-error.ts";
import { Store } from "./store.ts";

const seedCount = 50;
const roundCount = 6;

async function openOrRefuse(disk: SimulatedDisk): Promise<Store | undefined> {
  return await Store.open(storeOptions(disk)).catch((error: unknown) => {
    if (error instanceof JournalError) return undefined;
    throw error;
  });
}

describe("a store after a loss of power", () => {
  it("holds every acknowledged commit in full and nothing else, however the disk was torn", async () => {
    let acknowledgedCount = 0;
    let snapshotCount = 0;
    for (let seed = 1; seed <= seedCount; seed += 1) {
      const chance = seededChance(seed);
      const history = new StoreHistory();
      let disk = new SimulatedDisk();
      for (let round = 0; round < roundCount; round += 1) {
        disk.faults.set(disk.effectCount + 1 + chance.integer(120), { kind: "power-loss" });
        await workUntilDead(disk, history, chance);
        disk = disk.survivor(chance);
        await using store = await Store.open(storeOptions(disk));
        expect(history.check(store), `seed ${seed}, round ${round}`).toEqual([]);
        expect(store.recovery.damagedSnapshots).toEqual([]);
        if (store.recovery.snapshotName !== undefined) snapshotCount += 1;
        await store[Symbol.asyncDispose]();
        disk = SimulatedDisk.of(disk.files());
      }
      acknowledgedCount += history.acknowledgedCount;
    }
    expect(acknowledgedCount).toBeGreaterThan(seedCount * roundCount);
    expect(snapshotCount).toBeGreaterThan(seedCount);
  });
});

describe("a store whose n-th effect fails", () => {
  const faults: readonly [string, Fault][] = [
    ["EIO", { kind: "error", code: "EIO" }],
    ["ENOSPC", { kind: "error", code: "ENOSPC" }],
    ["a short write", { kind: "short" }],
  ];

  it.each(faults)("keeps its promises for every n: %s", async (name, fault) => {
    let isClean = false;
    let n = 0;
    while (!isClean) {
      n += 1;
      const history = new StoreHistory();
      const disk = new SimulatedDisk();
      disk.faults.set(n, fault);
      await workThrough(disk, history);
      isClean = disk.effectCount < n;
      disk.faults.clear();
      {
        await using store = await Store.open(storeOptions(disk.afterProcess()));
        expect(history.check(store), `${name} at ${n}`).toEqual([]);
      }
      for (const seed of [1, 2]) {
        const survivor = SimulatedDisk.of(disk.durableFiles()).survivor(seededChance(seed));
        await using store = await Store.open(storeOptions(survivor));
        expect(history.check(store), `${name} at ${n}, then without power`).toEqual([]);
      }
    }
    expect(n).toBeGreaterThan(60);
  });
});

describe("a store one of whose files is damaged", () => {
  it("holds what it held or refuses with a place, for a flipped bit anywhere", async () => {
    const { files, content } = await exampleFiles();
    const chance = seededChance(3);
    let refusedCount = 0;
    for (const [path, bytes] of files) {
      // The tests of the log flip every byte of a segment.
      const step = path.endsWith(".snapshot") ? 1 : 11;
      for (let offset = 0; offset < bytes.length; offset += step) {
        const flipped = Uint8Array.from(bytes);
        flipped[offset] = (flipped[offset] ?? 0) ^ (1 << chance.integer(8));
        const outcome = await reopen(new Map([...files, [path, flipped]]), content);
        expect(outcome, `${path} at ${offset}`).toMatch(/^(same|refused)$/);
        if (outcome === "refused") refusedCount += 1;
      }
    }
    expect(refusedCount).toBeGreaterThan(20);
  });

  it("holds what it held or refuses with a place, for a snapshot file that is cut anywhere", async () => {
    const { files, content } = await exampleFiles();
    for (const [path, bytes] of files) {
      if (!path.endsWith(".snapshot")) continue;
      for (let length = 0; length < bytes.length; length += 1) {
        const outcome = await reopen(new Map([...files, [path, bytes.slice(0, length)]]), content);
        expect(outcome, `${path} cut to ${length}`).toMatch(/^(same|refused)$/);
      }
      const longer = Buffer.concat([bytes, Buffer.from("x")]);
      expect(await reopen(new Map([...files, [path, longer]]), content)).toBe("same");
    }
  });
});

async function workUntilDead(
  disk: SimulatedDisk,
  history: StoreHistory,
  chance: { integer(bound: number): number },
): Promise<void> {
  const store = await openOrRefuse(disk);
  if (store === undefined) return;
  for (let outcome = "acknowledged"; outcome !== "unknown";) {
    const calls: Promise<string>[] = [];
    for (let count = 1 + chance.integer(4); count > 0; count -= 1) {
      calls.push(history.commit(store, chance));
    }
    if (chance.integer(10) === 0) store.compact(signal).catch(() => undefined);
    outcome = (chance.integer(2) === 0 ? (await Promise.all(calls)).at(-1) : await calls[0]) ?? "";
  }
}

/** A fixed work with six compactions that is told of every failure. */
async function workThrough(disk: SimulatedDisk, history: StoreHistory): Promise<void> {
  const store = await openOrRefuse(disk);
  if (store === undefined) return;
  const chance = seededChance(5);
  for (let turn = 0; turn < 9; turn += 1) {
    const calls = [1, 2, 3].map(async () => await history.commit(store, chance));
    // Every other compaction begins while the commits are under way.
    if (turn % 3 === 0) await Promise.all(calls);
    if (turn % 3 !== 1) {
      await store.compact(signal).catch((error: unknown) => {
        if (!(error instanceof Error)) throw error;
      });
    }
    await Promise.all(calls);
  }
  await store[Symbol.asyncDispose]();
}

/** The files of a store with two snapshot files and a log that goes on after them, and what it holds. */
async function exampleFiles(): Promise<{ files: Map<string, Uint8Array>; content: string }> {
  const disk = new SimulatedDisk();
  const chance = seededChance(11);
  const history = new StoreHistory();
  const store = await Store.open(storeOptions(disk));
  for (let turn = 0; turn < 3; turn += 1) {
    for (let count = 0; count < 4; count += 1) await history.commit(store, chance);
    if (turn < 2) await store.compact(signal);
  }
  const content = contentText(store);
  await store[Symbol.asyncDispose]();
  return { files: disk.files(), content };
}

async function reopen(files: ReadonlyMap<string, Uint8Array>, content: string): Promise<string> {
  let store: Store;
  try {
    store = await Store.open(storeOptions(SimulatedDisk.of(files)));
  } catch (error) {
    if (!(error instanceof JournalError)) return `not a typed error: ${String(error)}`;
    const isNamed = error.code === "journal_corrupt" || error.code === "journal_version_newer";
    return isNamed && error.place !== undefined ? "refused" : `${error.code} without a place`;
  }
  const found = contentText(store);
  await store[Symbol.asyncDispose]();
  return found === content ? "same" : "holds something else";
}
