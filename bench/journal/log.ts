/**
 * How many records of 100 bytes the journal's log acknowledges after `fdatasync`, beside the floor: the same bytes by
 * bare writes and syncs of batches of the same size, in alternating rounds.
 */

import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type JournalFileSystem, Log, logStart, nodeFileSystem } from "@faultline/journal";

import type { BenchOptions, BenchResult } from "../bench.ts";
import { figureOfRounds } from "../figure-of-rounds.ts";

const recordBytes = 100;
/** Appends under way at once, as of so many connections. */
const callerCount = 4_096;
const recordCountSmall = 100_000;
const recordCountLarge = 2_000_000;
const roundCountSmall = 2;
const roundCountLarge = 5;
const aloneCountSmall = 50;
const aloneCountLarge = 2_000;

interface Round {
  readonly recordsPerSecond: number;
  readonly batchBytes: number;
  readonly recordsPerBatch: number;
}

/** Measures appends by promise and by callback, the floor, a caller alone, and reading it all back. */
export async function run({ small }: BenchOptions): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), "faultline-bench-journal-"));
  try {
    const count = small ? recordCountSmall : recordCountLarge;
    const promised: Round[] = [];
    const called: Round[] = [];
    const floor: number[] = [];
    const roundCount = small ? roundCountSmall : roundCountLarge;
    for (let round = 0; round < roundCount; round += 1) {
      promised.push(await measure(join(folder, `promised-${round}`), count, appendByPromise));
      called.push(await measure(join(folder, `called-${round}`), count, appendByCallback));
      const batchBytes = called.at(-1)?.batchBytes ?? recordBytes;
      floor.push(await measureFloor(join(folder, `floor-${round}`), count, batchBytes));
    }
    const alone = await measureAlone(
      join(folder, "alone"),
      small ? aloneCountSmall : aloneCountLarge,
    );
    const reading = await measureReading(join(folder, "promised-0"));
    const sizes = promised.map(({ recordsPerBatch }) => recordsPerBatch);
    return {
      name: "journal",
      figures: [
        figureOfRounds("append, a promise for each", "records/s", promised.map(rateOf)),
        figureOfRounds("appendThen, a callback for each", "records/s", called.map(rateOf)),
        figureOfRounds("floor: bare write and fdatasync", "records/s", floor),
        figureOfRounds("records in a batch", "records", sizes),
        { name: "a caller alone, median", value: alone.medianMs, unit: "ms" },
        { name: "a caller alone, 99th percentile", value: alone.p99Ms, unit: "ms" },
        { name: "opening, everything checked", value: reading.openMBps, unit: "MB/s" },
        { name: "reading, hash included", value: reading.recordsPerSecond, unit: "records/s" },
      ],
      resultHash: reading.hash,
      notes: [
        `${count} records of ${recordBytes} B in each round, ${callerCount} appends under way at once.`,
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function rateOf({ recordsPerSecond }: Round): number {
  return recordsPerSecond;
}

/** The real disk, which counts what is written and synced. */
class CountedDisk {
  syncCount = 0;
  writtenBytes = 0;

  readonly fileSystem: JournalFileSystem = {
    ...nodeFileSystem,
    open: async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode);
      return {
        size: async () => await file.size(),
        read: async (into, offset) => await file.read(into, offset),
        truncate: async (length) => await file.truncate(length),
        close: async () => await file.close(),
        write: async (bytes, offset) => {
          this.writtenBytes += bytes.length;
          return await file.write(bytes, offset);
        },
        sync: async () => {
          this.syncCount += 1;
          await file.sync();
        },
      };
    },
  };
}

async function openLog(folder: string, fileSystem: JournalFileSystem): Promise<Log> {
  return await Log.open({
    folder,
    clock: { nowMs: () => Date.now() },
    random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
    signal: new AbortController().signal,
    fileSystem,
  });
}

async function measure(
  folder: string,
  count: number,
  append: (log: Log, count: number) => Promise<void>,
): Promise<Round> {
  const disk = new CountedDisk();
  await using log = await openLog(folder, disk.fileSystem);
  const syncsBefore = disk.syncCount;
  const startedMs = performance.now();
  await append(log, count);
  const seconds = (performance.now() - startedMs) / 1_000;
  const batchCount = disk.syncCount - syncsBefore;
  return {
    recordsPerSecond: count / seconds,
    batchBytes: Math.round(disk.writtenBytes / batchCount),
    recordsPerBatch: count / batchCount,
  };
}

async function appendByPromise(log: Log, count: number): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: callerCount }, async () => {
      const record = new Uint8Array(recordBytes);
      const view = new DataView(record.buffer);
      while (next < count) {
        view.setUint32(0, next, true);
        next += 1;
        await log.append(record);
      }
    }),
  );
}

async function appendByCallback(log: Log, count: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const record = new Uint8Array(recordBytes);
  const view = new DataView(record.buffer);
  let next = 0;
  let doneCount = 0;
  const appendNext = (): void => {
    if (next >= count) return;
    view.setUint32(0, next, true);
    next += 1;
    log.appendThen(record, done);
  };
  const done: Parameters<Log["appendThen"]>[1] = (error) => {
    if (error !== undefined) return reject(error);
    doneCount += 1;
    if (doneCount === count) resolve();
    appendNext();
  };
  for (let caller = 0; caller < callerCount; caller += 1) appendNext();
  await promise;
}

async function measureFloor(path: string, count: number, batchBytes: number): Promise<number> {
  const batch = new Uint8Array(batchBytes).fill(7);
  const file = await open(path, "w");
  try {
    const startedMs = performance.now();
    let written = 0;
    while (written < count * recordBytes) {
      await file.write(batch, 0, batch.length, written);
      await file.datasync();
      written += batch.length;
    }
    return count / ((performance.now() - startedMs) / 1_000);
  } finally {
    await file.close();
  }
}

async function measureAlone(
  folder: string,
  count: number,
): Promise<{ medianMs: number; p99Ms: number }> {
  await using log = await openLog(folder, nodeFileSystem);
  const record = new Uint8Array(recordBytes);
  const durationsMs: number[] = [];
  while (durationsMs.length < count) {
    const startedMs = performance.now();
    await log.append(record);
    durationsMs.push(performance.now() - startedMs);
  }
  durationsMs.sort((a, b) => a - b);
  return {
    medianMs: durationsMs[Math.floor(count / 2)] ?? 0,
    p99Ms: durationsMs[Math.floor(count * 0.99)] ?? 0,
  };
}

async function measureReading(
  folder: string,
): Promise<{ openMBps: number; recordsPerSecond: number; hash: string }> {
  const startedMs = performance.now();
  await using log = await openLog(folder, nodeFileSystem);
  const openSeconds = (performance.now() - startedMs) / 1_000;
  const hash = createHash("sha256");
  let count = 0;
  const readingMs = performance.now();
  for await (const entries of log.readBatches(logStart, new AbortController().signal)) {
    for (const { record } of entries) hash.update(record);
    count += entries.length;
  }
  return {
    openMBps: (log.end - log.start) / 1_000_000 / openSeconds,
    recordsPerSecond: count / ((performance.now() - readingMs) / 1_000),
    hash: hash.digest("hex"),
  };
}
