import { describe, expect, it } from "vitest";

import { SimulatedDisk } from "../../test/simulated-disk.ts";
import { signal, smallStoreLimits, storeOptions } from "../../test/store-fixture.ts";
import {
  commitBytesMax,
  commitWriteCountMax,
  keyBytesMax,
  openViewCountMax,
  transactionReadCountMax,
  valueBytesMax,
} from "./limits.ts";
import { Store } from "./store.ts";
import type { StoreWrite } from "./write.ts";

const withRoomyLog = { ...smallStoreLimits, log: {} };
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

async function openRoomy(): Promise<Store> {
  return await Store.open(storeOptions(new SimulatedDisk(), { limits: withRoomyLog }));
}

describe("the limits of a store", () => {
  it("takes the longest key and value, and refuses longer ones", async () => {
    await using store = await openRoomy();
    const key = Buffer.alloc(keyBytesMax, 0xff);
    const value = Buffer.alloc(valueBytesMax, 0x00);
    await store.put(key, value);
    await store.compact(signal);
    expect(store.get(key)?.byteLength).toBe(valueBytesMax);
    const refusal = { code: "store_limit_exceeded" };
    await expect(store.put(Buffer.alloc(keyBytesMax + 1), value)).rejects.toMatchObject(refusal);
    await expect(store.put(key, Buffer.alloc(valueBytesMax + 1))).rejects.toMatchObject(refusal);
    expect(() => store.get(Buffer.alloc(keyBytesMax + 1))).toThrow(
      expect.objectContaining(refusal),
    );
    for (const expiresAtMs of [-1, 1.5, Number.NaN, 2 ** 53]) {
      await expect(store.put(key, value, { expiresAtMs })).rejects.toMatchObject(refusal);
    }
    expect([...store.scan()]).toHaveLength(1);
  });

  it("refuses a commit of too many keys or bytes, and writes nothing of it", async () => {
    await using store = await openRoomy();
    const many = Array.from({ length: commitWriteCountMax + 1 }, (_, number): StoreWrite => {
      return { kind: "delete", key: bytes(String(number)) };
    });
    const refusal = { code: "store_limit_exceeded" };
    await expect(store.batch(many)).rejects.toMatchObject(refusal);
    await store.batch(many.slice(1));
    const half = Buffer.alloc(commitBytesMax / 2);
    const large = ["a", "b"].map((key): StoreWrite => ({
      kind: "put",
      key: bytes(key),
      value: half,
    }));
    await expect(store.batch(large)).rejects.toMatchObject(refusal);
    expect([...store.scan()]).toEqual([]);
  });

  it("refuses what it has no memory for, lets deletions pass, and takes more after compaction", async () => {
    const limits = { ...smallStoreLimits, residentBytesMax: 20_000, compactionBytes: 2 ** 30 };
    await using store = await Store.open(storeOptions(new SimulatedDisk(), { limits }));
    const value = Buffer.alloc(100);
    let count = 0;
    const put = async (): Promise<void> => await store.put(bytes(`key-${count}`), value);
    await expect(
      (async () => {
        for (; count < 1_000; count += 1) await put();
      })(),
    ).rejects.toMatchObject({ code: "journal_full" });
    expect(count).toBeGreaterThan(10);
    for (let number = 0; number < count; number += 1) await store.delete(bytes(`key-${number}`));
    await store.compact(signal);
    expect(store.status.residentBytes).toBeLessThan(limits.residentBytesMax);
    await put();
  });

  it("bounds the snapshots, scans and transactions that are open at once", async () => {
    await using store = await openRoomy();
    await store.put(bytes("a"), bytes("1"));
    const snapshots = Array.from({ length: openViewCountMax }, () => store.snapshot());
    const refusal = { code: "store_views_exhausted" };
    expect(() => store.snapshot()).toThrow(expect.objectContaining(refusal));
    expect(() => [...store.scan()]).toThrow(expect.objectContaining(refusal));
    await expect(store.transact(() => 1, { signal })).rejects.toMatchObject(refusal);
    expect(store.get(bytes("a"))?.toString()).toBe("1");
    for (const snapshot of snapshots) snapshot[Symbol.dispose]();
    expect([...store.scan()]).toHaveLength(1);
    expect(store.status.openViewCount).toBe(0);
  });

  it("bounds what one transaction reads", async () => {
    await using store = await openRoomy();
    const outcome = store.transact(
      (transaction) => {
        for (let number = 0; number <= transactionReadCountMax; number += 1) {
          transaction.get(bytes(String(number)));
        }
      },
      { signal },
    );
    await expect(outcome).rejects.toMatchObject({ code: "store_limit_exceeded" });
    expect(store.status.openViewCount).toBe(0);
  });

  it("ends a transaction whose work throws or was aborted, without a trace", async () => {
    await using store = await openRoomy();
    const failing = store.transact(
      (transaction) => {
        transaction.put(bytes("a"), bytes("1"));
        throw new Error("the work failed");
      },
      { signal },
    );
    await expect(failing).rejects.toThrow("the work failed");
    const controller = new AbortController();
    const aborted = store.transact(
      (transaction) => {
        transaction.put(bytes("a"), bytes("1"));
        controller.abort(new Error("enough"));
      },
      { signal: controller.signal },
    );
    await expect(aborted).rejects.toThrow("enough");
    expect(store.get(bytes("a"))).toBeUndefined();
    expect(store.status.openViewCount).toBe(0);
  });

  it("refuses the use of a transaction or a snapshot that has ended", async () => {
    await using store = await openRoomy();
    const refusal = expect.objectContaining({ code: "journal_closed" });
    const outcome = await store.transact((transaction) => ({ transaction }), { signal });
    if (outcome.kind !== "committed") throw new Error("Nothing stood in its way.");
    const { transaction } = outcome.result;
    expect(() => transaction.get(bytes("a"))).toThrow(refusal);
    expect(() => transaction.put(bytes("a"), bytes("1"))).toThrow(refusal);
    const snapshot = store.snapshot();
    const scan = snapshot.scan();
    snapshot[Symbol.dispose]();
    snapshot[Symbol.dispose]();
    expect(() => snapshot.get(bytes("a"))).toThrow(refusal);
    expect(() => scan.next()).toThrow(refusal);
  });

  it("keeps its bytes to itself: what callers pass or get may be changed", async () => {
    await using store = await openRoomy();
    const key = bytes("key");
    const value = bytes("value");
    const writing = store.put(key, value);
    key.fill("x");
    value.fill("x");
    await writing;
    for (const round of ["before", "after"]) {
      const read = store.get(bytes("key"));
      expect(read?.toString(), round).toBe("value");
      read?.fill("y");
      for (const entry of store.scan()) entry.value.fill("z");
      expect(store.get(bytes("key"))?.toString(), round).toBe("value");
      await store.compact(signal);
    }
  });

  it("scans one moment while others write, and a transaction sees its own writes as it scans", async () => {
    await using store = await openRoomy();
    for (const key of ["b", "d", "f"]) await store.put(bytes(key), bytes("1"));
    const seen: string[] = [];
    for (const { key } of store.scan()) {
      seen.push(key.toString());
      await store.put(bytes(`${key.toString()}x`), bytes("2"));
      await store.delete(bytes("f"));
    }
    expect(seen).toEqual(["b", "d", "f"]);
    const own = await store.transact(
      (transaction) => {
        const keys: string[] = [];
        for (const { key } of transaction.scan()) {
          keys.push(key.toString());
          if (key.toString() === "b") {
            transaction.put(bytes("a"), bytes("behind"));
            transaction.put(bytes("c"), bytes("before the next"));
            transaction.delete(bytes("d"));
          }
        }
        return keys;
      },
      { signal },
    );
    expect(own).toMatchObject({ kind: "committed", result: ["b", "bx", "c", "dx", "fx"] });
  });
});
