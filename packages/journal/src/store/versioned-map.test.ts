import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { JournalError } from "../journal-error.ts";
import { Base } from "./base.ts";
import { binaryKey } from "./binary-key.ts";
import { Store } from "./store.ts";
import type { StoreTransaction } from "./transaction.ts";
import { ManualLog } from "../../test/manual-log.ts";
import { arbitraryHistory, ModelRun } from "../../test/store-model-run.ts";
import { VersionedMap } from "./versioned-map.ts";

const signal = new AbortController().signal;

function memoryStore() {
  const map = new VersionedMap(new Base([]), 0);
  const log = new ManualLog();
  const clock = { value: 1_000, nowMs: () => clock.value };
  const store = new Store({
    map,
    log,
    clock,
    limits: { residentBytesMax: 2 ** 30, compactionBytes: 2 ** 30 },
    compactor: { compact: async () => {} },
    recovery: { snapshotName: undefined, replayedCommitCount: 0, damagedSnapshots: [] },
  });
  return { map, log, clock, store };
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

function keysOf(store: Pick<Store, "scan">): string[] {
  return Array.from(store.scan(), ({ key }) => key.toString("latin1"));
}

describe("a store in memory", () => {
  it("does what a plain map does, in snapshots and transactions too", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryHistory, async (history) => {
        const { store, clock, map } = memoryStore();
        const compact = async (): Promise<void> => void map.seal();
        await new ModelRun({ store, clock, compact, reopen: async () => {} }).run(history);
        expect(map.openViewCount).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it("shows nothing before it is durable, and then in the order of the commits", async () => {
    const { store, log } = memoryStore();
    log.isHeld = true;
    const first = store.put(bytes("a"), bytes("1"));
    const second = store.put(bytes("b"), bytes("2"));
    let secondIsDone = false;
    void second.then(() => (secondIsDone = true));
    expect(keysOf(store)).toEqual([]);
    log.waiting[1]?.settle();
    await Promise.resolve();
    expect({ keys: keysOf(store), secondIsDone }).toEqual({ keys: [], secondIsDone: false });
    log.waiting[0]?.settle();
    await Promise.all([first, second]);
    expect(keysOf(store)).toEqual(["a", "b"]);
  });

  it("forgets a commit that the log refuses, and goes on", async () => {
    const { store, log } = memoryStore();
    await store.put(bytes("k"), bytes("old"));
    log.isHeld = true;
    const refused = store.batch([
      { kind: "put", key: bytes("k"), value: bytes("new") },
      { kind: "put", key: bytes("other"), value: bytes("new") },
    ]);
    const later = store.put(bytes("k"), bytes("later"));
    log.waiting[1]?.settle();
    log.waiting[0]?.refuse(new JournalError("journal_full", "The disk is full."));
    await expect(refused).rejects.toMatchObject({ code: "journal_full" });
    await later;
    expect(keysOf(store)).toEqual(["k"]);
    expect(store.get(bytes("k"))?.toString()).toBe("later");
  });

  it("goes back to what was there when the last commit is refused", async () => {
    const { store, log } = memoryStore();
    await store.put(bytes("k"), bytes("old"));
    log.isHeld = true;
    const refused = store.delete(bytes("k"));
    log.waiting[0]?.refuse(new JournalError("journal_busy", "Too many wait."));
    await expect(refused).rejects.toMatchObject({ code: "journal_busy" });
    expect(store.get(bytes("k"))?.toString()).toBe("old");
  });

  it("takes no more writes once it is unknown what the log has", async () => {
    const { store, log } = memoryStore();
    await store.put(bytes("k"), bytes("old"));
    log.isHeld = true;
    const failed = store.put(bytes("k"), bytes("new"));
    const behind = store.put(bytes("k"), bytes("newer"));
    log.waiting[0]?.refuse(new JournalError("journal_poisoned", "The sync failed."));
    log.waiting[1]?.settle();
    await expect(failed).rejects.toMatchObject({ code: "journal_poisoned" });
    await expect(behind).rejects.toMatchObject({ code: "journal_poisoned" });
    await expect(store.put(bytes("x"), bytes(""))).rejects.toMatchObject({
      code: "journal_poisoned",
    });
    expect(store.get(bytes("k"))?.toString()).toBe("old");
    expect(store.status.failure?.code).toBe("journal_poisoned");
  });

  it("refuses a lost update", async () => {
    const { store } = memoryStore();
    await store.put(bytes("count"), bytes("1"));
    const outcome = await store.transact(
      async (transaction) => {
        const count = Number(transaction.get(bytes("count")));
        await store.put(bytes("count"), bytes("10"));
        transaction.put(bytes("count"), bytes(String(count + 1)));
      },
      { signal },
    );
    expect(outcome).toEqual({ kind: "conflict", key: Buffer.from("count"), attemptCount: 1 });
    expect(store.get(bytes("count"))?.toString()).toBe("10");
  });

  it("refuses write skew", async () => {
    const { store } = memoryStore();
    await store.batch([
      { kind: "put", key: bytes("on-call/ada"), value: bytes("yes") },
      { kind: "put", key: bytes("on-call/bob"), value: bytes("yes") },
    ]);
    const bothHaveRead = Promise.withResolvers<void>();
    let readCount = 0;
    const leave = async (name: string): Promise<string> => {
      const outcome = await store.transact(
        async (transaction) => {
          const onCall = [...transaction.scan({ prefix: bytes("on-call/") })].length;
          readCount += 1;
          if (readCount === 2) bothHaveRead.resolve();
          await bothHaveRead.promise;
          if (onCall > 1) transaction.delete(bytes(`on-call/${name}`));
        },
        { signal },
      );
      return outcome.kind;
    };
    const outcomes = await Promise.all([leave("ada"), leave("bob")]);
    expect(outcomes.sort()).toEqual(["committed", "conflict"]);
    expect(keysOf(store)).toHaveLength(1);
  });

  it("refuses a phantom in a range that was read to its end", async () => {
    const { store } = memoryStore();
    const outcome = await store.transact(
      async (transaction) => {
        const isFree = [...transaction.scan({ prefix: bytes("seat/") })].length === 0;
        await store.put(bytes("seat/7"), bytes("taken"));
        if (isFree) transaction.put(bytes("booking"), bytes("1"));
      },
      { signal },
    );
    expect(outcome).toMatchObject({ kind: "conflict", key: Buffer.from("seat/7") });
  });

  it("lets transactions pass that read and write apart", async () => {
    const { store } = memoryStore();
    const outcome = await store.transact(
      async (transaction) => {
        transaction.get(bytes("a"));
        [...transaction.scan({ from: bytes("c"), to: bytes("d") })].forEach(() => {});
        await store.put(bytes("b"), bytes("1"));
        await store.put(bytes("d"), bytes("1"));
        transaction.put(bytes("b"), bytes("2"));
      },
      { signal },
    );
    expect(outcome.kind).toBe("committed");
    expect(store.get(bytes("b"))?.toString()).toBe("2");
  });

  it("reads and writes nothing in a transaction whose work has failed", async () => {
    const { store } = memoryStore();
    await store.put(bytes("k"), bytes("v"));
    let left: StoreTransaction | undefined;
    const outcome = store.transact(
      (transaction) => {
        left = transaction;
        throw new Error("The work failed.");
      },
      { signal },
    );
    await expect(outcome).rejects.toThrow("The work failed.");
    const closed = expect.objectContaining({ code: "journal_closed" });
    expect(() => left?.get(bytes("k"))).toThrow(closed);
    expect(() => left?.delete(bytes("k"))).toThrow(closed);
  });

  it("tries again as often as it may, on what was written meanwhile", async () => {
    const { store } = memoryStore();
    const increment = (): Promise<unknown> =>
      store.transact(
        async (transaction) => {
          const count = Number(transaction.get(bytes("count")) ?? 0);
          await Promise.resolve();
          transaction.put(bytes("count"), bytes(String(count + 1)));
        },
        { signal, attemptCountMax: 30 },
      );
    await Promise.all(Array.from({ length: 20 }, increment));
    expect(store.get(bytes("count"))?.toString()).toBe("20");
  });

  it("keeps of a hot key only what somebody can read", async () => {
    const { store, map } = memoryStore();
    await store.put(bytes("hot"), bytes("0"));
    using old = store.snapshot();
    for (let index = 1; index <= 100; index += 1) {
      await store.put(bytes("hot"), bytes(String(index)));
    }
    const overlay = map.present(0).overlays[0];
    const id = overlay?.find(binaryKey(bytes("hot")));
    const versions = id === undefined ? undefined : overlay?.versionsOf(id);
    expect(versions).toEqual([101, 100, 1]);
    expect(old.get(bytes("hot"))?.toString()).toBe("0");
    expect(store.get(bytes("hot"))?.toString()).toBe("100");
  });
});
