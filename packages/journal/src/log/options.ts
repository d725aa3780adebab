/** What a log is opened with, and its limits. */

import type { JournalFileSystem } from "../file-system/file-system.ts";

export interface LogLimits {
  /** A segment is closed before it grows beyond this. */
  readonly segmentBytesMax: number;
  /** All segments together; an append beyond it is refused as `journal_full`. */
  readonly bytesMax: number;
  /** One batch, which is one write and one sync; so also the largest record, and the memory of what waits. */
  readonly batchBytesMax: number;
  /** Appends that may wait for the next batch but one; a further one is refused as `journal_busy`. */
  readonly waitingCountMax: number;
}

export const defaultLogLimits: LogLimits = {
  segmentBytesMax: 64 * 1024 * 1024,
  bytesMax: 8 * 1024 * 1024 * 1024,
  batchBytesMax: 4 * 1024 * 1024,
  waitingCountMax: 10_000,
};

export interface LogOptions {
  /** Holds the segments and nothing else of importance. It is made when it is missing. */
  readonly folder: string;
  readonly limits?: Partial<LogLimits>;
  /** Wall time, for the times that segments and batches carry. */
  readonly clock: { nowMs(): number };
  /** Names a new log. */
  readonly random: { bytes(length: number): Uint8Array };
  /** Stops the opening; an open log is closed by disposal. */
  readonly signal: AbortSignal;
  /** Whether opening checks every checksum, or those of the last segment alone; reading checks always. */
  readonly verify?: "everything" | "last-segment";
  /** The disk, unless a test brings its own. */
  readonly fileSystem?: JournalFileSystem;
}
