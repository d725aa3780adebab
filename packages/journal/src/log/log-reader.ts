/**
 * Reads a log beside its writer, also from another process: without the lock, and only what is known to be durable. A
 * batch counts once something stands behind it, which its writer puts there after the sync.
 */

import type { JournalFileSystem } from "../file-system/file-system.ts";
import { nodeFileSystem } from "../file-system/node-file-system.ts";
import { systemCode } from "../journal-error.ts";
import { batchEntries } from "./batch-entries.ts";
import { corruptBatch, droppedPosition, findBatch, unknownPosition } from "./find-batch.ts";
import { listSegments, type OpenSegment, openSegment } from "./open-segment.ts";
import { type LogEntry, type LogPosition, logPosition } from "./position.ts";
import { type Batch, SegmentReader } from "./segment-reader.ts";

export interface LogReaderOptions {
  readonly folder: string;
  /** As for `Log.read`. */
  readonly from: LogPosition;
  readonly fileSystem?: JournalFileSystem;
}

/** Every reading of what may still be written is tried so often before its flaw is believed. */
const attemptCountMax = 3;

export class LogReader {
  readonly #fileSystem: JournalFileSystem;
  readonly #folder: string;
  #position: LogPosition;
  /** Where a batch starts or will start, as far as it was read; so nothing has to be searched there again. */
  #boundary: number | undefined;

  constructor({ folder, from, fileSystem = nodeFileSystem }: LogReaderOptions) {
    this.#fileSystem = fileSystem;
    this.#folder = folder;
    this.#position = from;
  }

  /** Where the next reading goes on. */
  get position(): LogPosition {
    return this.#position;
  }

  /**
   * The records that are durable and not yet read; ends where the writer has got to, and goes on from there when it is
   * called again. An entry counts as read when the next one is asked for. Throws as `Log.read` does, and
   * `journal_version_newer`.
   */
  async *read(signal: AbortSignal): AsyncGenerator<LogEntry, void, undefined> {
    // Every turn reads one segment to its end.
    for (;;) {
      signal.throwIfAborted();
      const found = await this.#openSegment();
      if (found === undefined) return;
      const { segment, isLast } = found;
      try {
        yield* this.#readSegment(segment, isLast, signal);
      } finally {
        await segment.file.close();
      }
      // Another segment may have begun meanwhile; then all that is here is durable.
      if (isLast && !(await this.#isFollowed(segment.name))) return;
    }
  }

  /** Opens the segment in which the position lies, looking from the newest to the oldest. */
  async #openSegment(): Promise<{ segment: OpenSegment; isLast: boolean } | undefined> {
    const { segments } = await listSegments(this.#fileSystem, this.#folder);
    let isOldest = false;
    for (let index = segments.length - 1; index >= 0 && !isOldest; index -= 1) {
      const name = segments[index] ?? "";
      const segment = await this.#openIfThere(name);
      if (segment === undefined) throw droppedPosition(this.#position);
      isOldest = index === 0;
      const isHere = segment.header.base <= this.#position;
      if (isHere || (isOldest && this.#position === 0)) {
        return { segment, isLast: index === segments.length - 1 };
      }
      await segment.file.close();
    }
    if (segments.length === 0) return undefined;
    throw droppedPosition(this.#position);
  }

  async #openIfThere(name: string): Promise<OpenSegment | undefined> {
    try {
      const where = { folder: this.#folder, name, mode: "read" as const };
      return await openSegment(this.#fileSystem, where);
    } catch (error) {
      // Dropped since it was listed, with all before it.
      if (systemCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  async *#readSegment(
    segment: OpenSegment,
    isLast: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<LogEntry, void, undefined> {
    const { file, header, headerBytes } = segment;
    const { base } = header;
    let reader = new SegmentReader({ file, header, length: segment.size });
    const from = Math.max(this.#position - base, headerBytes);
    let offset = await this.#locate(reader, segment, from);
    let attempt = 1;
    for (;;) {
      if (!isLast && offset >= reader.length) break;
      signal.throwIfAborted();
      const outcome = await reader.batchAt(offset);
      const behind = outcome.kind === "batch" ? outcome.end : offset + 1;
      // Nothing stands behind what is not synced.
      const isDurable = !isLast || (await reader.findHeader(behind)) !== undefined;
      if (outcome.kind === "batch" && isDurable) {
        yield* this.#entriesOf(outcome, base, Math.max(from, offset));
        offset = outcome.end;
        this.#position = logPosition(base + offset);
        this.#boundary = this.#position;
        attempt = 1;
        continue;
      }
      if (isLast && attempt < attemptCountMax) {
        // What was read before may be older than what stands there now.
        reader = new SegmentReader({ file, header, length: await file.size() });
        attempt += 1;
        continue;
      }
      if (isDurable || outcome.kind === "newer") throw corruptBatch(segment.name, offset, outcome);
      return;
    }
    this.#position = logPosition(base + offset);
    this.#boundary = this.#position;
  }

  *#entriesOf(batch: Batch, base: number, from: number): Generator<LogEntry, void, undefined> {
    const entries = batchEntries(batch, base, from);
    if (entries === undefined) throw unknownPosition(this.#position);
    for (const entry of entries) {
      yield entry;
      this.#position = entry.next;
    }
  }

  async #locate(reader: SegmentReader, segment: OpenSegment, from: number): Promise<number> {
    const position = segment.header.base + from;
    if (position === this.#boundary) return from;
    if (from > reader.length) throw unknownPosition(position);
    const found = await findBatch(reader, { headerBytes: segment.headerBytes, from });
    if (found.kind === "found") return found.offset;
    const { offset, outcome } = found;
    if (outcome.kind === "end" || outcome.kind === "mark") throw unknownPosition(position);
    throw corruptBatch(segment.name, offset, outcome);
  }

  async #isFollowed(name: string): Promise<boolean> {
    const { segments } = await listSegments(this.#fileSystem, this.#folder);
    const last = segments.at(-1);
    return last !== undefined && last > name;
  }
}
