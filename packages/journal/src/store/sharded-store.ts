/** Several shards as one store. A commit or a transaction stays within the shard of its keys. */

import { JournalError } from "../journal-error.ts";
import type { ScanOptions, StoreEntry, StoreReader } from "./reader.ts";
import { openShard, type ShardOptions, shardOf } from "./shard.ts";
import type { Store, TransactOptions } from "./store.ts";
import type { StoreTransaction, TransactOutcome } from "./transaction.ts";
import type { StoreWrite } from "./write.ts";

/** What a sharded store is opened with. */
export interface ShardedStoreOptions extends Omit<ShardOptions, "shard"> {
  /** The shards to open; all of them, unless given. Other processes may hold the others. */
  readonly shards?: readonly number[];
}

export class ShardedStore implements StoreReader, AsyncDisposable {
  readonly #shardCount: number;
  readonly #stores: ReadonlyMap<number, Store>;

  private constructor(shardCount: number, stores: ReadonlyMap<number, Store>) {
    this.#shardCount = shardCount;
    this.#stores = stores;
  }

  /** Opens shards one after another. Throws what `openShard` throws, and then holds none of them. */
  static async open(options: ShardedStoreOptions): Promise<ShardedStore> {
    const { shardCount, shards = Array.from({ length: shardCount }, (_, shard) => shard) } =
      options;
    await using stack = new AsyncDisposableStack();
    const stores = new Map<number, Store>();
    for (const shard of new Set(shards)) {
      stores.set(shard, stack.use(await openShard({ ...options, shard })));
    }
    stack.move();
    return new ShardedStore(shardCount, stores);
  }

  /** The open shards by their numbers. */
  get shards(): ReadonlyMap<number, Store> {
    return this.#stores;
  }

  get(key: Uint8Array): Buffer | undefined {
    return this.#storeOf(key).get(key);
  }

  async put(
    key: Uint8Array,
    value: Uint8Array,
    options: { readonly expiresAtMs?: number } = {},
  ): Promise<void> {
    await this.#storeOf(key).put(key, value, options);
  }

  async delete(key: Uint8Array): Promise<void> {
    await this.#storeOf(key).delete(key);
  }

  /** Writes all or nothing; all keys must be of one shard. */
  async batch(writes: readonly StoreWrite[]): Promise<void> {
    const [first] = writes;
    if (first === undefined) return;
    const shard = shardOf(first.key, this.#shardCount);
    for (const { key } of writes) checkShard(key, shard, this.#shardCount);
    await this.#storeOf(first.key).batch(writes);
  }

  /** A transaction in the shard of `anchor`: what it reads and writes must be of that shard, and it scans only that one. */
  async transact<T>(
    anchor: Uint8Array,
    work: (transaction: StoreTransaction) => T | Promise<T>,
    options: TransactOptions,
  ): Promise<TransactOutcome<T>> {
    const shard = shardOf(anchor, this.#shardCount);
    const check = (key: Uint8Array): void => checkShard(key, shard, this.#shardCount);
    return await this.#storeOf(anchor).transact(
      (transaction) => work(new ShardTransaction(transaction, check)),
      options,
    );
  }

  /** Entries of all open shards in the order of their keys, as they are at the first one. */
  *scan(options: ScanOptions = {}): Generator<StoreEntry, void, void> {
    using stack = new DisposableStack();
    const cursors = [...this.#stores.values()].map((store) =>
      stack.use(store.snapshot()).scan(options),
    );
    const heads = cursors.map((cursor) => ({ cursor, entry: nextOf(cursor) }));
    for (let left = options.limit ?? Infinity; left > 0; left -= 1) {
      let least: (typeof heads)[number] | undefined;
      for (const head of heads) {
        if (head.entry !== undefined && isLess(head.entry, least?.entry)) least = head;
      }
      if (least?.entry === undefined) return;
      yield least.entry;
      least.entry = nextOf(least.cursor);
    }
  }

  /** Compacts the open shards one after another. */
  async compact(signal: AbortSignal): Promise<void> {
    for (const store of this.#stores.values()) await store.compact(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using stack = new AsyncDisposableStack();
    for (const store of this.#stores.values()) stack.use(store);
  }

  #storeOf(key: Uint8Array): Store {
    const shard = shardOf(key, this.#shardCount);
    const store = this.#stores.get(shard);
    if (store !== undefined) return store;
    throw new JournalError("store_shard_mismatch", `Shard ${shard} of the key is not open here.`);
  }
}

class ShardTransaction implements StoreTransaction {
  readonly #transaction: StoreTransaction;
  readonly #check: (key: Uint8Array) => void;

  constructor(transaction: StoreTransaction, check: (key: Uint8Array) => void) {
    this.#transaction = transaction;
    this.#check = check;
  }

  get(key: Uint8Array): Buffer | undefined {
    this.#check(key);
    return this.#transaction.get(key);
  }

  scan(options?: ScanOptions): Iterable<StoreEntry> {
    return this.#transaction.scan(options);
  }

  put(key: Uint8Array, value: Uint8Array, options?: { readonly expiresAtMs?: number }): void {
    this.#check(key);
    this.#transaction.put(key, value, options);
  }

  delete(key: Uint8Array): void {
    this.#check(key);
    this.#transaction.delete(key);
  }
}

function checkShard(key: Uint8Array, shard: number, shardCount: number): void {
  const found = shardOf(key, shardCount);
  if (found === shard) return;
  throw new JournalError(
    "store_shard_mismatch",
    `One commit cannot write to two shards: ${shard} and ${found}.`,
  );
}

function nextOf(cursor: Iterator<StoreEntry, void>): StoreEntry | undefined {
  const { done, value } = cursor.next();
  return done === true ? undefined : value;
}

function isLess(entry: StoreEntry, than: StoreEntry | undefined): boolean {
  return than === undefined || Buffer.compare(entry.key, than.key) < 0;
}
