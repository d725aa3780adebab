/** Runs a history of operations on a store and on a plain map, and compares all that can be seen. */

import * as fc from "fast-check";
import { expect } from "vitest";

import type { ScanOptions, StoreReader } from "../src/store/reader.ts";
import type { StoreSnapshot } from "../src/store/store-snapshot.ts";
import type { Store } from "../src/store/store.ts";
import type { StoreTransaction, TransactOutcome } from "../src/store/transaction.ts";
import type { StoreWrite } from "../src/store/write.ts";
import { arbitraryKey, arbitraryScan, arbitraryWrite } from "./store-arbitraries.ts";
import {
  applyToModel,
  entryText,
  hex,
  isInScan,
  type ModelState,
  modelGet,
  modelScan,
} from "./store-model.ts";

/** A store that the history may compact and open again. */
export interface System {
  readonly store: Store;
  readonly clock: { readonly nowMs: () => number; value: number };
  /** Merges all that was written so far. */
  compact(): Promise<void>;
  /** Closes the store and opens it from what is on disk. */
  reopen(): Promise<void>;
}

export type Operation =
  | { readonly kind: "batch"; readonly writes: readonly StoreWrite[] }
  | { readonly kind: "read"; readonly key: Uint8Array; readonly scan: ScanOptions }
  | { readonly kind: "open-snapshot" }
  | { readonly kind: "read-snapshot"; readonly pick: number; readonly scan: ScanOptions }
  | { readonly kind: "close-snapshot"; readonly pick: number }
  | { readonly kind: "begin" }
  | { readonly kind: "transaction-get"; readonly pick: number; readonly key: Uint8Array }
  | { readonly kind: "transaction-scan"; readonly pick: number; readonly scan: ScanOptions }
  | { readonly kind: "transaction-write"; readonly pick: number; readonly write: StoreWrite }
  | { readonly kind: "commit"; readonly pick: number }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "compact" }
  | { readonly kind: "reopen" };

const pick = fc.nat({ max: 3 });

export const arbitraryHistory: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: operation("batch", { writes: fc.array(arbitraryWrite, { maxLength: 4 }) }),
    },
    { weight: 4, arbitrary: operation("read", { key: arbitraryKey, scan: arbitraryScan }) },
    { weight: 1, arbitrary: operation("open-snapshot", {}) },
    { weight: 2, arbitrary: operation("read-snapshot", { pick, scan: arbitraryScan }) },
    { weight: 1, arbitrary: operation("close-snapshot", { pick }) },
    { weight: 2, arbitrary: operation("begin", {}) },
    { weight: 3, arbitrary: operation("transaction-get", { pick, key: arbitraryKey }) },
    { weight: 2, arbitrary: operation("transaction-scan", { pick, scan: arbitraryScan }) },
    { weight: 4, arbitrary: operation("transaction-write", { pick, write: arbitraryWrite }) },
    { weight: 3, arbitrary: operation("commit", { pick }) },
    { weight: 1, arbitrary: operation("advance", { ms: fc.integer({ min: 1, max: 60 }) }) },
    { weight: 2, arbitrary: operation("compact", {}) },
    { weight: 1, arbitrary: operation("reopen", {}) },
  ),
  { maxLength: 60, size: "max" },
) as fc.Arbitrary<Operation[]>; // Each branch above is one member of the union, which the types cannot follow.

function operation(kind: Operation["kind"], rest: Record<string, fc.Arbitrary<unknown>>) {
  return fc.record({ kind: fc.constant(kind), ...rest });
}

interface ModelSnapshot {
  readonly snapshot: StoreSnapshot;
  readonly state: ModelState;
  readonly nowMs: number;
}

interface ModelTransaction {
  readonly transaction: StoreTransaction;
  readonly finish: () => Promise<TransactOutcome<void>>;
  /** What it reads, with its own writes. */
  readonly state: ModelState;
  readonly nowMs: number;
  readonly ownWrites: StoreWrite[];
  readonly isRead: ((key: string) => boolean)[];
  /** Keys that others have written since it began. */
  readonly writtenByOthers: Set<string>;
}

/** The two sides of a history. */
export class ModelRun {
  readonly #system: System;
  #state: ModelState = new Map();
  #snapshots: ModelSnapshot[] = [];
  #transactions: ModelTransaction[] = [];

  constructor(system: System) {
    this.#system = system;
  }

  async run(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations) await this.#step(operation);
    this.#compare(this.#system.store, this.#state, { nowMs: this.#nowMs, scan: {} });
    await this.#closeReaders();
  }

  get #nowMs(): number {
    return this.#system.clock.value;
  }

  async #step(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case "batch":
        await this.#system.store.batch(operation.writes);
        return this.#written(operation.writes);
      case "read":
        expect(textOf(this.#system.store.get(operation.key))).toBe(
          modelGet(this.#state, hex(operation.key), this.#nowMs),
        );
        return this.#compare(this.#system.store, this.#state, {
          nowMs: this.#nowMs,
          scan: operation.scan,
        });
      case "open-snapshot":
        this.#snapshots.push({
          snapshot: this.#system.store.snapshot(),
          state: new Map(this.#state),
          nowMs: this.#nowMs,
        });
        return;
      case "read-snapshot": {
        const open = pickOf(this.#snapshots, operation.pick);
        if (open === undefined) return;
        return this.#compare(open.snapshot, open.state, {
          nowMs: open.nowMs,
          scan: operation.scan,
        });
      }
      case "close-snapshot": {
        const open = pickOf(this.#snapshots, operation.pick);
        open?.snapshot[Symbol.dispose]();
        this.#snapshots = this.#snapshots.filter((other) => other !== open);
        return;
      }
      case "advance":
        this.#system.clock.value += operation.ms;
        return;
      case "compact":
        return await this.#system.compact();
      case "reopen":
        await this.#closeReaders();
        return await this.#system.reopen();
      default:
        return await this.#transactionStep(operation);
    }
  }

  async #transactionStep(
    operation: Extract<Operation, { kind: "begin" | "commit" | `transaction-${string}` }>,
  ): Promise<void> {
    if (operation.kind === "begin") return await this.#begin();
    const open = pickOf(this.#transactions, operation.pick);
    if (open === undefined) return;
    const { transaction, state, nowMs } = open;
    if (operation.kind === "transaction-get") {
      const key = hex(operation.key);
      const isOwn = open.ownWrites.some((write) => hex(write.key) === key);
      if (!isOwn) open.isRead.push((other) => other === key);
      expect(textOf(transaction.get(operation.key))).toBe(modelGet(state, key, nowMs));
    } else if (operation.kind === "transaction-scan") {
      open.isRead.push(seenByScan(state, operation.scan, nowMs));
      this.#compare(transaction, state, { nowMs, scan: operation.scan });
    } else if (operation.kind === "transaction-write") {
      const { write } = operation;
      if (write.kind === "delete") transaction.delete(write.key);
      else transaction.put(write.key, write.value, write);
      open.ownWrites.push(write);
      applyToModel(state, [write]);
    } else {
      await this.#commit(open);
    }
  }

  async #begin(): Promise<void> {
    const begun = Promise.withResolvers<StoreTransaction>();
    const finished = Promise.withResolvers<void>();
    const outcome = this.#system.store.transact(
      async (transaction) => {
        begun.resolve(transaction);
        await finished.promise;
      },
      { signal: new AbortController().signal },
    );
    this.#transactions.push({
      transaction: await begun.promise,
      finish: async () => {
        finished.resolve();
        return await outcome;
      },
      state: new Map(this.#state),
      nowMs: this.#nowMs,
      ownWrites: [],
      isRead: [],
      writtenByOthers: new Set(),
    });
  }

  async #commit(open: ModelTransaction): Promise<void> {
    this.#transactions = this.#transactions.filter((other) => other !== open);
    const outcome = await open.finish();
    const conflicts = [...open.writtenByOthers].filter((key) =>
      open.isRead.some((isRead) => isRead(key)),
    );
    // Who only reads has seen one moment, and needs no other.
    if (conflicts.length > 0 && open.ownWrites.length > 0) {
      expect(outcome.kind).toBe("conflict");
      if (outcome.kind === "conflict") expect(conflicts).toContain(hex(outcome.key));
      return;
    }
    expect(outcome.kind).toBe("committed");
    this.#written(open.ownWrites);
  }

  #written(writes: readonly StoreWrite[]): void {
    applyToModel(this.#state, writes);
    for (const { writtenByOthers } of this.#transactions) {
      for (const { key } of writes) writtenByOthers.add(hex(key));
    }
  }

  #compare(
    reader: StoreReader,
    state: ModelState,
    { nowMs, scan }: { nowMs: number; scan: ScanOptions },
  ): void {
    expect([...reader.scan(scan)].map(entryText)).toEqual(modelScan(state, scan, nowMs));
  }

  async #closeReaders(): Promise<void> {
    for (const { snapshot } of this.#snapshots) snapshot[Symbol.dispose]();
    this.#snapshots = [];
    for (const open of this.#transactions) await this.#commit(open);
  }
}

/** The keys that a scan has looked at: up to the last one that it gave when a limit has stopped it. */
function seenByScan(state: ModelState, scan: ScanOptions, nowMs: number): (key: string) => boolean {
  if (scan.limit === 0) return () => false;
  const given = modelScan(state, scan, nowMs);
  const last = given.at(-1)?.split("=", 1)[0];
  const isStopped = scan.limit !== undefined && given.length === scan.limit;
  return (key) => isInScan(key, scan) && (!isStopped || last === undefined || key <= last);
}

function pickOf<T>(open: readonly T[], pick: number): T | undefined {
  return open.length === 0 ? undefined : open[pick % open.length];
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : hex(bytes);
}
