/**
 * The key-value store of the journal: how fast it writes, how long it takes to open again, what a key takes in memory,
 * and how long operations take while it compacts, beside the same operations while it does not, in turns.
 */

import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { Store, type StoreWrite } from "@faultline/journal";
import { systemClock } from "@faultline/server/kernel/index.ts";

import type { BenchFigure, BenchOptions, BenchResult } from "../bench.ts";
import { figureOfRounds } from "../figure-of-rounds.ts";

interface Size {
  readonly keyCount: number;
  /** Keys of one batch while the store is filled. */
  readonly batchKeyCount: number;
  /** Pairs of a calm and a compacting turn. */
  readonly roundCount: number;
  /** Keys that are written before each turn, so that compaction has what it has in earnest. */
  readonly dirtyKeyCount: number;
  readonly turnMs: number;
  /** Operations that are due in a second, each of a kind of its own in turns: put, get, scan, transaction. */
  readonly operationsPerSecond: number;
}

const small: Size = {
  keyCount: 20_000,
  batchKeyCount: 500,
  roundCount: 1,
  dirtyKeyCount: 2_000,
  turnMs: 300,
  operationsPerSecond: 1_000,
};
const large: Size = {
  keyCount: 1_000_000,
  batchKeyCount: 1_000,
  roundCount: 5,
  dirtyKeyCount: 60_000,
  turnMs: 3_000,
  operationsPerSecond: 1_000,
};

const value = Buffer.alloc(100, "v");
const entryLifeMs = 86_400_000;
const signal = new AbortController().signal;
setFlagsFromString("--expose-gc");
// The flag makes it a function of every new context.
const collectGarbage = runInNewContext("gc") as () => void;

/** Fills, compacts, closes, opens again, and then measures operations in turns. */
export async function run(options: BenchOptions): Promise<BenchResult> {
  const size = options.small ? small : large;
  const folder = mkdtempSync(join(tmpdir(), "faultline-bench-store-"));
  try {
    const residentBefore = residentBytes();
    const filledMs = await fill(folder, size);
    const openedAtMs = performance.now();
    await using store = await openStore(folder);
    const reopenMs = performance.now() - openedAtMs;
    const residentAfter = residentBytes();
    const turns = await measureTurns(store, size);
    const diskBytes = bytesOnDisk(folder);
    return {
      name: "journal-store",
      figures: [
        {
          name: `writes in batches of ${size.batchKeyCount}`,
          value: size.keyCount / (filledMs / 1_000),
          unit: "keys/s",
        },
        {
          name: `${size.keyCount.toLocaleString("en-US")} keys opened again`,
          value: Math.round(reopenMs),
          unit: "ms",
        },
        {
          name: "memory of a key with 100 bytes of value",
          value: (residentAfter - residentBefore) / size.keyCount,
          unit: "bytes",
        },
        {
          name: "disk for a key, with two snapshot files",
          value: diskBytes / size.keyCount,
          unit: "bytes",
        },
        ...turnFigures(turns),
      ],
      resultHash: hashOf(store),
      notes: [
        `${size.operationsPerSecond} operations are due in a second; each is measured from when it is due, so that waiting counts.`,
        "An operation that writes is done when it is durable. Turns alternate; the ratio is that of the pairs.",
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openStore(folder: string): Promise<Store> {
  return await Store.open({
    folder,
    clock: systemClock,
    random: { bytes: (length) => randomBytes(length) },
    signal,
  });
}

/** Writes all keys; leaves a snapshot file and a log that goes on after it. */
async function fill(folder: string, size: Size): Promise<number> {
  await using store = await openStore(folder);
  const startedMs = performance.now();
  await putAll(store, { count: size.keyCount, step: 1, size });
  const filledMs = performance.now() - startedMs;
  await store.compact(signal);
  await putAll(store, { count: size.dirtyKeyCount, step: 7, size });
  return filledMs;
}

async function putAll(
  store: Store,
  { count, step, size }: { count: number; step: number; size: Size },
): Promise<void> {
  let writes: StoreWrite[] = [];
  for (let index = 0; index < count; index += 1) {
    const key = keyOf((index * step) % size.keyCount);
    writes.push({ kind: "put", key, value, expiresAtMs: Date.now() + entryLifeMs });
    if (writes.length < size.batchKeyCount) continue;
    await store.batch(writes);
    writes = [];
  }
  await store.batch(writes);
}

/** Keys as those of idempotency records: a tenant, and a hash in no order. */
function keyOf(index: number): Buffer {
  const hash = ((index * 2_654_435_761) >>> 0).toString(16).padStart(8, "0");
  return Buffer.from(`tenant-${index % 97}/idempotency/${hash}-${index}`);
}

interface Turns {
  readonly calm: number[][];
  readonly compacting: number[][];
}

async function measureTurns(store: Store, size: Size): Promise<Turns> {
  const turns: Turns = { calm: [], compacting: [] };
  // What was left to be replayed would otherwise be compacted in the first calm turn.
  await store.compact(signal);
  for (let round = 0; round < size.roundCount; round += 1) {
    await putAll(store, { count: size.dirtyKeyCount, step: 11 + round, size });
    turns.calm.push(await measure(store, size, undefined));
    const compaction = store.compact(signal);
    turns.compacting.push(await measure(store, size, compaction));
    await compaction;
  }
  return turns;
}

/** Latencies of what is due, until the time or the compaction is over. */
async function measure(
  store: Store,
  size: Size,
  until: Promise<void> | undefined,
): Promise<number[]> {
  const compaction = { isOver: false };
  void until?.then(() => (compaction.isOver = true));
  const latencies: number[] = [];
  const open: Promise<void>[] = [];
  const startedMs = performance.now();
  const intervalMs = 1_000 / size.operationsPerSecond;
  const countMax = Math.floor(size.turnMs / intervalMs);
  let count = 0;
  while (!compaction.isOver && count < countMax) {
    while (count < countMax && startedMs + count * intervalMs <= performance.now()) {
      const dueMs = startedMs + count * intervalMs;
      open.push(
        operate(store, count, size).then(() => void latencies.push(performance.now() - dueMs)),
      );
      count += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(open);
  return latencies;
}

async function operate(store: Store, number: number, { keyCount }: Size): Promise<void> {
  const key = keyOf((number * 7_919) % keyCount);
  switch (number % 4) {
    case 0:
      return await store.put(key, value, { expiresAtMs: Date.now() + entryLifeMs });
    case 1:
      return void store.get(key);
    case 2:
      return void [...store.scan({ from: key, limit: 20 })];
    default:
      await store.transact(
        (transaction) => {
          transaction.get(key);
          transaction.put(keyOf((number * 104_729) % keyCount), value);
        },
        { signal, attemptCountMax: 10 },
      );
  }
}

function turnFigures({ calm, compacting }: Turns): BenchFigure[] {
  const calmP99 = calm.map((latencies) => quantile(latencies, 0.99));
  const compactingP99 = compacting.map((latencies) => quantile(latencies, 0.99));
  const ratios = compactingP99.map((value, index) => value / (calmP99[index] ?? Infinity));
  return [
    figureOfRounds(
      "p50 while calm",
      "ms",
      calm.map((latencies) => quantile(latencies, 0.5)),
    ),
    figureOfRounds(
      "p50 while it compacts",
      "ms",
      compacting.map((latencies) => quantile(latencies, 0.5)),
    ),
    figureOfRounds("p99 while calm", "ms", calmP99),
    figureOfRounds("p99 while it compacts", "ms", compactingP99),
    figureOfRounds("p99 while it compacts, beside calm", "times", ratios),
  ];
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** What the process holds after garbage was collected. */
function residentBytes(): number {
  // Twice, because buffers are let go of one turn after the objects that held them.
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function bytesOnDisk(folder: string): number {
  return readdirSync(folder, { recursive: true })
    .map((name) => statSync(join(folder, String(name))))
    .filter((entry) => entry.isFile())
    .reduce((total, { size }) => total + size, 0);
}

/** Over all keys and values in their order. */
function hashOf(store: Store): string {
  const hash = createHash("sha256");
  for (const { key, value } of store.scan()) hash.update(key).update(value);
  return hash.digest("hex");
}
