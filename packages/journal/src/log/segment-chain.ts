/** The segment files of an open log: writes batches to the last, begins the next, drops the oldest. */

import { join } from "node:path";

import type { JournalFile, JournalFileSystem } from "../file-system/file-system.ts";
import { isNoRoom, JournalError } from "../journal-error.ts";
import { BatchBuffer } from "./batch-buffer.ts";
import { batchHeaderBytes } from "./batch-header.ts";
import { checksum } from "./checksum.ts";
import { createSegment } from "./create-segment.ts";
import type { LogLimits, LogOptions } from "./options.ts";
import type { RecoveredLog, RecoveredSegment } from "./recover.ts";
import type { SegmentHeader } from "./segment-header.ts";
import { writeAll } from "./write-all.ts";

export interface SegmentChainOptions {
  readonly fileSystem: JournalFileSystem;
  readonly folder: string;
  readonly limits: LogLimits;
  readonly clock: LogOptions["clock"];
  readonly recovered: RecoveredLog;
}

/** A segment of an open log; its end moves while it is the last. */
export interface ChainSegment extends RecoveredSegment {
  end: number;
}

/** One caller at a time may use `write`, `mark` and `close`; `dropBefore` may run beside them. */
export class SegmentChain {
  readonly #fileSystem: JournalFileSystem;
  readonly #folder: string;
  readonly #limits: LogLimits;
  readonly #clock: LogOptions["clock"];
  readonly #logId: Uint8Array;
  readonly #logSeed: number;
  readonly #segments: ChainSegment[];
  /** An empty batch. */
  readonly #mark = new BatchBuffer(batchHeaderBytes);
  #tail: ChainSegment;
  #file: JournalFile;
  /** Whether the file may be longer than its batches. */
  #hasExcess = false;

  constructor({ fileSystem, folder, limits, clock, recovered }: SegmentChainOptions) {
    this.#fileSystem = fileSystem;
    this.#folder = folder;
    this.#limits = limits;
    this.#clock = clock;
    this.#logId = recovered.logId;
    this.#logSeed = checksum(recovered.logId);
    this.#segments = recovered.segments.map((segment) => ({ ...segment }));
    const tail = this.#segments.at(-1);
    if (tail === undefined) throw new Error("A log has at least one segment.");
    this.#tail = tail;
    this.#file = recovered.file;
  }

  get segments(): readonly ChainSegment[] {
    return this.#segments;
  }

  get start(): number {
    return this.#segments[0]?.base ?? this.#tail.base;
  }

  get end(): number {
    return this.#tail.end;
  }

  headerOf(segment: RecoveredSegment): SegmentHeader {
    const { number, base, createdAtMs } = segment;
    return { logId: this.#logId, number, base, createdAtMs };
  }

  /**
   * Writes and syncs a batch and gives its position. Throws `journal_full` when nothing was kept and the next try may
   * succeed, `journal_poisoned` when what the disk holds is unknown.
   */
  async write(batch: BatchBuffer): Promise<number> {
    const { bytesMax, segmentBytesMax } = this.#limits;
    if (this.end - this.start + batch.length > bytesMax) {
      throw new JournalError("journal_full", `The journal holds its ${bytesMax} bytes.`);
    }
    const length = this.#tail.end - this.#tail.base;
    if (length + batch.length > segmentBytesMax && length > this.#tail.headerBytes) {
      await this.#rotate();
    }
    const position = this.#tail.end;
    const bytes = batch.seal({
      position,
      writtenAtMs: this.#clock.nowMs(),
      logSeed: this.#logSeed,
    });
    await this.#writeTail(bytes);
    // After a failed sync the system may call pages clean that never reached the disk: trying again proves nothing.
    await this.#orPoison("sync", async () => await this.#file.sync());
    // A batch is longer than the mark that it took the place of.
    this.#hasExcess = false;
    this.#tail.end = position + bytes.length;
    return position;
  }

  /**
   * Says behind the last batch that all is synced. It is not synced itself, and the next batch takes its place; it
   * lets recovery tell a batch that was damaged after it was acknowledged from one that a crash has torn.
   */
  async mark(): Promise<void> {
    const bytes = this.#mark.seal({
      position: this.#tail.end,
      writtenAtMs: this.#clock.nowMs(),
      logSeed: this.#logSeed,
    });
    this.#hasExcess = true;
    try {
      await writeAll(this.#file, bytes, this.#tail.end - this.#tail.base);
    } catch (error) {
      // Without room the log stands without its mark, as it does between any two batches.
      if (!isNoRoom(error)) throw poison("write", error);
    }
  }

  /** Removes the segments that end at or before `position`, oldest first, but never the last. */
  async dropBefore(position: number): Promise<number> {
    let count = 0;
    for (;;) {
      const [oldest] = this.#segments;
      if (oldest === undefined || oldest === this.#tail || oldest.end > position) return count;
      this.#segments.shift();
      await this.#fileSystem.remove(join(this.#folder, oldest.name));
      // One after another, so that no crash leaves a gap.
      await this.#fileSystem.syncFolder(this.#folder);
      count += 1;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #writeTail(bytes: Uint8Array): Promise<void> {
    const offset = this.#tail.end - this.#tail.base;
    this.#hasExcess = true;
    try {
      await writeAll(this.#file, bytes, offset);
    } catch (error) {
      if (!isNoRoom(error)) throw poison("write", error);
      await this.#orPoison("cut", async () => await this.#file.truncate(offset));
      this.#hasExcess = false;
      throw new JournalError("journal_full", "The disk has no room.", { cause: error });
    }
  }

  /** Ends the last segment exactly behind its last batch, then begins the next one there. */
  async #rotate(): Promise<void> {
    const { end, base, number } = this.#tail;
    if (this.#hasExcess) {
      await this.#orPoison("cut", async () => {
        await this.#file.truncate(end - base);
        await this.#file.sync();
      });
      this.#hasExcess = false;
    }
    const createdAtMs = this.#clock.nowMs();
    const header = { logId: this.#logId, number: number + 1, base: end, createdAtMs };
    const created = await this.#orPoison(
      "new segment",
      async () => await createSegment(this.#fileSystem, { folder: this.#folder, header }),
    );
    const before = this.#file;
    this.#file = created.file;
    const { name, headerBytes } = created;
    this.#tail = {
      name,
      number: number + 1,
      base: end,
      end: end + headerBytes,
      headerBytes,
      createdAtMs,
    };
    this.#segments.push(this.#tail);
    await before.close();
  }

  async #orPoison<Result>(what: string, act: () => Promise<Result>): Promise<Result> {
    try {
      return await act();
    } catch (error) {
      throw error instanceof JournalError ? error : poison(what, error);
    }
  }
}

function poison(what: string, cause: unknown): JournalError {
  return new JournalError(
    "journal_poisoned",
    `A ${what} failed (${String(cause)}), so what the disk holds is unknown until the journal is opened anew.`,
    { cause },
  );
}
