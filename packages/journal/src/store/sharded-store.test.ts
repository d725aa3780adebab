import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { signal, storeOptions } from "../../test/store-fixture.ts";
import { nodeFileSystem } from "../file-system/node-file-system.ts";
import { openShard, shardOf } from "./shard.ts";
import { ShardedStore, type ShardedStoreOptions } from "./sharded-store.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "faultline-shards-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function options(shardCount: number, shards?: readonly number[]): ShardedStoreOptions {
  const base = { ...storeOptions(nodeFileSystem, { folder }), shardCount };
  return shards === undefined ? base : { ...base, shards };
}

function key(number: number): Buffer {
  return Buffer.from(`key-${number}`);
}

/** Some keys of one shard of four. */
function keysOfShard(shard: number): Buffer[] {
  return Array.from({ length: 40 }, (_, number) => key(number)).filter(
    (candidate) => shardOf(candidate, 4) === shard,
  );
}

describe("shards", () => {
  it("spreads keys that differ in a digit over all shards", () => {
    for (const shardCount of [2, 3, 8, 16]) {
      const counts = Array.from({ length: shardCount }, () => 0);
      for (let number = 0; number < 16_000; number += 1) {
        const shard = shardOf(key(number), shardCount);
        counts[shard] = (counts[shard] ?? 0) + 1;
      }
      for (const count of counts) {
        expect(count * shardCount).toBeGreaterThan(16_000 * 0.9);
        expect(count * shardCount).toBeLessThan(16_000 * 1.1);
      }
    }
  });

  it("puts a key into the same shard for ever", () => {
    // Written down once; a change would lose every key that is on disk.
    expect(
      ["", "a", "tenant/key", "\u0000\u00ff"].map((text) => shardOf(Buffer.from(text), 256)),
    ).toEqual([0, 183, 206, 53]);
  });

  it("keeps each shard in a folder of its own, and finds everything again", async () => {
    {
      await using store = await ShardedStore.open(options(4));
      for (let number = 0; number < 40; number += 1) {
        await store.put(key(number), Buffer.from(String(number)));
      }
      await store.delete(key(7));
      await store.compact(signal);
    }
    expect((await readdir(folder)).sort()).toEqual([
      "0000-of-0004",
      "0001-of-0004",
      "0002-of-0004",
      "0003-of-0004",
    ]);
    await using store = await ShardedStore.open(options(4));
    expect(store.get(key(12))?.toString()).toBe("12");
    const expected = Array.from({ length: 40 }, (_, number) => `key-${number}`)
      .filter((name) => name !== "key-7")
      .sort();
    expect(Array.from(store.scan(), (entry) => entry.key.toString())).toEqual(expected);
    const some = store.scan({ prefix: Buffer.from("key-1"), limit: 3 });
    expect(Array.from(some, (entry) => entry.key.toString())).toEqual([
      "key-1",
      "key-10",
      "key-11",
    ]);
  });

  it("lets other processes hold the other shards", async () => {
    await using one = await ShardedStore.open(options(4, [1]));
    await using rest = await ShardedStore.open(options(4, [0, 2, 3]));
    const [own] = keysOfShard(1);
    const [foreign] = keysOfShard(2);
    if (own === undefined || foreign === undefined) throw new Error("There are keys of both.");
    await one.put(own, Buffer.from("mine"));
    expect(() => one.get(foreign)).toThrow(
      expect.objectContaining({ code: "store_shard_mismatch" }),
    );
    expect(() => rest.get(own)).toThrow(expect.objectContaining({ code: "store_shard_mismatch" }));
    await expect(ShardedStore.open(options(4, [3]))).rejects.toMatchObject({
      code: "journal_locked",
    });
  });

  it("refuses another number of shards, and leaves the folder as it was", async () => {
    await using store = await openShard({ ...options(4), shard: 0 });
    await expect(openShard({ ...options(5), shard: 0 })).rejects.toMatchObject({
      code: "store_shard_mismatch",
    });
    expect(await readdir(folder)).toEqual(["0000-of-0004"]);
    expect(store.get(key(1))).toBeUndefined();
  });

  it("keeps commits and transactions within one shard", async () => {
    await using store = await ShardedStore.open(options(4));
    const [first, second] = keysOfShard(1);
    const [foreign] = keysOfShard(2);
    if (first === undefined || second === undefined || foreign === undefined)
      throw new Error("keys");
    const put = (target: Uint8Array) =>
      ({ kind: "put", key: target, value: Buffer.from("1") }) as const;
    await store.batch([put(first), put(second)]);
    await expect(store.batch([put(first), put(foreign)])).rejects.toMatchObject({
      code: "store_shard_mismatch",
    });
    const within = await store.transact(
      first,
      (transaction) => {
        transaction.delete(second);
        return transaction.get(first)?.toString();
      },
      { signal },
    );
    expect(within).toMatchObject({ kind: "committed", result: "1" });
    const across = store.transact(first, (transaction) => transaction.put(foreign, first), {
      signal,
    });
    await expect(across).rejects.toMatchObject({ code: "store_shard_mismatch" });
    expect(store.get(second)).toBeUndefined();
    expect(store.get(foreign)).toBeUndefined();
  });
});
