/** Reads records of an open log across its segments. */

import { join } from "node:path";

import type { JournalFile, JournalFileSystem } from "../file-system/file-system.ts";
import { systemCode } from "../journal-error.ts";
import { batchEntries } from "./batch-entries.ts";
import { corruptBatch, droppedPosition, findBatch, unknownPosition } from "./find-batch.ts";
import type { LogEntry, LogPosition } from "./position.ts";
import type { RecoveredSegment } from "./recover.ts";
import type { SegmentChain } from "./segment-chain.ts";
import { SegmentReader } from "./segment-reader.ts";

export interface ReadOptions {
  readonly fileSystem: JournalFileSystem;
  readonly folder: string;
  readonly chain: SegmentChain;
  readonly from: LogPosition;
  readonly signal: AbortSignal;
}

/** The records from a position on, by batches, up to the end of the chain as it is when the reader gets there. */
export async function* readSegments(
  options: ReadOptions,
): AsyncGenerator<LogEntry[], void, undefined> {
  const { chain, from, signal } = options;
  if (from > 0 && from < chain.start) throw droppedPosition(from);
  if (from > chain.end || from < 0) throw unknownPosition(from);
  let position: number = Math.max(from, chain.start);
  // Every turn reads one segment to its end, as that is by then.
  while (position < chain.end) {
    const segment = chain.segments.find(({ base, end }) => base <= position && position < end);
    if (segment === undefined) throw droppedPosition(position);
    const { base, headerBytes, name } = segment;
    const file = await openAt(options, segment, position);
    try {
      const header = chain.headerOf(segment);
      const reader = new SegmentReader({ file, header, length: segment.end - base });
      const start = Math.max(position - base, headerBytes);
      const found = await findBatch(reader, { headerBytes, from: start });
      if (found.kind === "flaw") throw corruptBatch(name, found.offset, found.outcome);
      let { offset } = found;
      while (offset < reader.length) {
        signal.throwIfAborted();
        const batch = await reader.batchAt(offset);
        if (batch.kind !== "batch") throw corruptBatch(name, offset, batch);
        const entries = batchEntries(batch, base, Math.max(start, offset));
        if (entries === undefined) throw unknownPosition(position);
        yield entries;
        offset = batch.end;
        reader.extend(segment.end - base);
      }
      position = base + offset;
    } finally {
      await file.close();
    }
  }
}

async function openAt(
  { fileSystem, folder }: ReadOptions,
  segment: RecoveredSegment,
  position: number,
): Promise<JournalFile> {
  try {
    return await fileSystem.open(join(folder, segment.name), "read");
  } catch (error) {
    throw systemCode(error) === "ENOENT" ? droppedPosition(position) : error;
  }
}
