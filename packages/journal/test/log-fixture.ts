/** Logs for tests: on a simulated disk, with small limits, a counting clock and counted ids. */

import {
  type FileMode,
  type JournalFile,
  type JournalFileSystem,
  Log,
  type LogEntry,
  type LogOptions,
  type LogPosition,
  logStart,
} from "../src/index.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";

export const signal: AbortSignal = new AbortController().signal;
export const folder = "/journal";

/** Small, so that a few records fill a batch and a few batches a segment. */
export const smallLimits = { batchBytesMax: 256, segmentBytesMax: 512, bytesMax: 1_000_000 };

/** Opens a log on the disk with small limits. */
export async function openLog(
  disk: SimulatedDisk,
  options: Partial<LogOptions> = {},
): Promise<Log> {
  let nowMs = 1_000_000;
  return await Log.open({
    folder,
    limits: smallLimits,
    clock: { nowMs: () => (nowMs += 1) },
    random: { bytes: (length) => new Uint8Array(length).fill(7) },
    signal,
    fileSystem: disk,
    ...options,
  });
}

/** The disk with other files: `change` gives what each file that is opened does otherwise. */
export function withFiles(
  disk: SimulatedDisk,
  change: (file: JournalFile, mode: FileMode) => Partial<JournalFile>,
): JournalFileSystem {
  return {
    makeFolder: async () => await disk.makeFolder(),
    list: async (path) => await disk.list(path),
    rename: async (from, to) => await disk.rename(from, to),
    remove: async (path) => await disk.remove(path),
    syncFolder: async (path) => await disk.syncFolder(path),
    lock: async () => await disk.lock(),
    open: async (path, mode) => {
      const file = await disk.open(path, mode);
      return { ...file, ...change(file, mode) };
    },
  };
}

/** All entries from a position on. */
export async function entriesOf(log: Log, from: LogPosition = logStart): Promise<LogEntry[]> {
  return await Array.fromAsync(log.read(from, signal));
}

/** All records from a position on, as text. */
export async function textsOf(log: Log, from: LogPosition = logStart): Promise<string[]> {
  return (await entriesOf(log, from)).map(({ record }) => Buffer.from(record).toString("latin1"));
}

/** A record of a text. */
export function bytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** Chance from a seed, for what a crash leaves (mulberry32). */
export function seededChance(seed: number): { integer(bound: number): number } {
  let state = seed;
  return {
    integer(bound) {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
    },
  };
}
