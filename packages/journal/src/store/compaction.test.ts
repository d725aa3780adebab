import { describe, expect, it } from "vitest";

import { SimulatedDisk } from "../../test/simulated-disk.ts";
import {
  signal,
  smallStoreLimits,
  stillClock,
  storeFolder,
  storeOptions,
} from "../../test/store-fixture.ts";
import type { FileMode, JournalFile } from "../file-system/file-system.ts";
import { Store } from "./store.ts";

/** A disk on which writes to the draft of a snapshot file wait for the test. */
class GatedDisk extends SimulatedDisk {
  /** Resolves when the draft is first written to. */
  readonly draftBegun = Promise.withResolvers<void>();
  readonly gate = Promise.withResolvers<void>();

  override async open(path: string, mode: FileMode): Promise<JournalFile> {
    const file = await super.open(path, mode);
    if (!path.endsWith("snapshot.new")) return file;
    return {
      size: async () => await file.size(),
      read: async (into, offset) => await file.read(into, offset),
      truncate: async (length) => await file.truncate(length),
      sync: async () => await file.sync(),
      close: async () => await file.close(),
      write: async (bytes, offset) => {
        this.draftBegun.resolve();
        await this.gate.promise;
        return await file.write(bytes, offset);
      },
    };
  }
}

function key(number: number): Buffer {
  return Buffer.from(`key-${String(number).padStart(4, "0")}`);
}

async function putMany(store: Store, from: number, to: number): Promise<void> {
  for (let number = from; number < to; number += 1) {
    await store.put(key(number), Buffer.from(`value ${number}`));
  }
}

function snapshotNames(disk: SimulatedDisk): string[] {
  return [...disk.files().keys()].filter((path) => path.startsWith(`${storeFolder}/0`)).sort();
}

function logBytes(disk: SimulatedDisk): number {
  return [...disk.files()]
    .filter(([path]) => path.includes("/log/"))
    .reduce((total, [, { length }]) => total + length, 0);
}

describe("compaction", () => {
  it("lets writers, readers and transactions go on while it is stuck in the middle", async () => {
    const disk = new GatedDisk();
    await using store = await Store.open(storeOptions(disk));
    await putMany(store, 0, 100);
    // The gate holds the first compaction of all, which began by itself.
    await disk.draftBegun.promise;
    expect(store.status.isCompacting).toBe(true);

    await store.put(key(3), Buffer.from("new"));
    await store.delete(key(4));
    using snapshot = store.snapshot();
    const outcome = await store.transact(
      async (transaction) => {
        const before = transaction.get(key(5))?.toString();
        await store.put(key(6), Buffer.from("meanwhile"));
        transaction.put(key(5), Buffer.from(`${before}!`));
      },
      { signal },
    );
    expect(outcome.kind).toBe("committed");
    const lost = await store.transact(
      async (transaction) => {
        transaction.get(key(7));
        await store.put(key(7), Buffer.from("meanwhile"));
        transaction.put(key(8), Buffer.from("never"));
      },
      { signal },
    );
    expect(lost).toMatchObject({ kind: "conflict", key: key(7) });
    expect(store.status.isCompacting).toBe(true);

    disk.gate.resolve();
    await store.compact(signal);
    const texts = [3, 4, 5, 6, 7, 8].map((number) => store.get(key(number))?.toString());
    expect(texts).toEqual(["new", undefined, "value 5!", "meanwhile", "meanwhile", "value 8"]);
    expect(snapshot.get(key(5))?.toString()).toBe("value 5");
    expect([...store.scan()]).toHaveLength(99);
  });

  it("finds a conflict with a write that was merged into the base meanwhile", async () => {
    await using store = await Store.open(storeOptions(new SimulatedDisk()));
    await putMany(store, 0, 10);
    const outcome = await store.transact(
      async (transaction) => {
        transaction.get(key(1));
        await store.delete(key(1));
        await store.compact(signal);
        transaction.put(key(2), Buffer.from("never"));
      },
      { signal },
    );
    expect(outcome).toMatchObject({ kind: "conflict", key: key(1) });
  });

  it("keeps what an open snapshot reads through several compactions, and no longer", async () => {
    await using store = await Store.open(storeOptions(new SimulatedDisk()));
    await putMany(store, 0, 60);
    await store.compact(signal);
    const snapshot = store.snapshot();
    const before = Array.from(snapshot.scan(), ({ value }) => value.toString());
    const pinnedBytes: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let number = 0; number < 60; number += 1) {
        await store.put(key(number), Buffer.from(`round ${round}`));
      }
      await store.compact(signal);
      pinnedBytes.push(store.status.pinnedBytes);
      expect(Array.from(snapshot.scan(), ({ value }) => value.toString())).toEqual(before);
    }
    // The blocks between the snapshot's and the newest ones are read by nobody.
    expect(pinnedBytes[0]).toBeGreaterThan(0);
    expect(pinnedBytes).toEqual(pinnedBytes.map(() => pinnedBytes[0]));
    snapshot[Symbol.dispose]();
    expect(store.status.pinnedBytes).toBe(0);
    expect(store.get(key(59))?.toString()).toBe("round 2");
  });

  it("keeps two snapshot files and the log since the older one, and no more", async () => {
    const disk = new SimulatedDisk();
    await using store = await Store.open(
      storeOptions(disk, { limits: { ...smallStoreLimits, compactionBytes: 2 ** 30 } }),
    );
    let bytesMax = 0;
    for (let round = 0; round < 8; round += 1) {
      await putMany(store, 0, 120);
      await store.compact(signal);
      expect(snapshotNames(disk)).toHaveLength(Math.min(2, round + 1));
      if (round === 2) bytesMax = logBytes(disk) * 1.2;
    }
    expect(logBytes(disk)).toBeLessThan(bytesMax);
  });

  it("drops what has expired, and what was deleted", async () => {
    let nowMs = 1_000;
    const disk = new SimulatedDisk();
    await using store = await Store.open(storeOptions(disk, { clock: stillClock(() => nowMs) }));
    for (let number = 0; number < 60; number += 1) {
      await store.put(key(number), Buffer.from("v"), { expiresAtMs: 2_000 + (number % 3) * 1_000 });
    }
    await store.compact(signal);
    for (const [time, left] of [
      [2_000, 40],
      [3_500, 20],
      [4_000, 0],
    ] as const) {
      nowMs = time;
      expect([...store.scan()]).toHaveLength(left);
      await store.compact(signal);
      expect(store.status.keyCountMax).toBe(left);
    }
    await store.put(key(1), Buffer.from("v"));
    await store.delete(key(1));
    await store.compact(signal);
    expect(store.status.keyCountMax).toBe(0);
  });

  it("writes nothing when nothing has changed", async () => {
    const disk = new SimulatedDisk();
    await using store = await Store.open(storeOptions(disk));
    await putMany(store, 0, 5);
    await store.compact(signal);
    const before = disk.effectCount;
    await store.compact(signal);
    expect(disk.effectCount).toBe(before);
  });

  it("begins by itself as the store is written, and by itself when it is opened", async () => {
    const disk = new SimulatedDisk();
    {
      await using store = await Store.open(
        storeOptions(disk, { limits: { ...smallStoreLimits, compactionBytes: 2 ** 30 } }),
      );
      await putMany(store, 0, 200);
      expect(snapshotNames(disk)).toEqual([]);
    }
    await using store = await Store.open(storeOptions(disk));
    expect(store.status.isCompacting).toBe(true);
    await store.compact(signal);
    expect(snapshotNames(disk)).toHaveLength(1);
    await putMany(store, 200, 400);
    await store.compact(signal);
    expect(snapshotNames(disk)).toHaveLength(2);
  });

  it("says that it failed, leaves the store as it was, and succeeds later", async () => {
    const disk = new SimulatedDisk();
    await using store = await Store.open(storeOptions(disk));
    await putMany(store, 0, 5);
    disk.faultsByKind.set("rename", { kind: "error", code: "EIO" });
    await expect(store.compact(signal)).rejects.toMatchObject({ code: "EIO" });
    expect(store.get(key(3))?.toString()).toBe("value 3");
    expect([...disk.files().keys()].filter((path) => path.endsWith(".new"))).toEqual([]);
    disk.faultsByKind.set("rename", { kind: "error", code: "EIO" });
    await putMany(store, 0, 60);
    await putMany(store, 0, 60);
    await store.compact(signal);
    expect(store.status.compactionFailure).toBeUndefined();
    expect([...store.scan()]).toHaveLength(60);
    expect(snapshotNames(disk).length).toBeGreaterThan(0);
  });

  it("ends when the store is closed, and leaves no draft", async () => {
    const disk = new GatedDisk();
    const store = await Store.open(storeOptions(disk));
    await putMany(store, 0, 100);
    await disk.draftBegun.promise;
    const closing = store[Symbol.asyncDispose]();
    disk.gate.resolve();
    await closing;
    expect([...disk.files().keys()].filter((path) => path.endsWith(".new"))).toEqual([]);
    await expect(store.put(key(1), Buffer.from("late"))).rejects.toMatchObject({
      code: "journal_closed",
    });
    await using again = await Store.open(storeOptions(disk));
    expect([...again.scan()]).toHaveLength(100);
  });
});
