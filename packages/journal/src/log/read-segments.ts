/** Reads records of an open log across its segments. */

import { join } from "node:path";

import type { JournalFileSystem } from "../file-system/file-system.ts";
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

/** The records from a position on, up to the end of the chain as it is when the reader gets there. */
export async function* readSegments(
  options: ReadOptions,
): AsyncGenerator<LogEntry, void, undefined> {
  const { chain, from } = options;
  if (from > 0 && from < chain.start) {
    throw droppedPosition(from);
  }
  if (from > chain.end || from < 0) throw unknownPosition(from);
  let position: number = Math.max(from, chain.start);
  // Every turn reads one segment to its end.
  while (position < chain.end) {
    const segment = chain.segments.find(({ base, end }) => base <= position && position < end);
    if (segment === undefined) throw droppedPosition(position);
    yield* readSegment(options, segment, position);
    position = segment.end;
  }
}

async function* readSegment(
  { fileSystem, folder, chain, signal }: ReadOptions,
  segment: RecoveredSegment,
  position: number,
): AsyncGenerator<LogEntry, void, undefined> {
  const file = await fileSystem.open(join(folder, segment.name), "read").catch((error: unknown) => {
    throw systemCode(error) === "ENOENT" ? droppedPosition(position) : error;
  });
  try {
    const length = segment.end - segment.base;
    const reader = new SegmentReader({ file, header: chain.headerOf(segment), length });
    const from = Math.max(position - segment.base, segment.headerBytes);
    const found = await findBatch(reader, { headerBytes: segment.headerBytes, from });
    if (found.kind === "flaw") throw corruptBatch(segment.name, found.offset, found.outcome);
    let { offset } = found;
    while (offset < reader.length) {
      signal.throwIfAborted();
      const batch = await reader.batchAt(offset);
      if (batch.kind !== "batch") throw corruptBatch(segment.name, offset, batch);
      const entries = batchEntries(batch, segment.base, Math.max(from, offset));
      if (entries === undefined) throw unknownPosition(position);
      yield* entries;
      offset = batch.end;
      reader.extend(segment.end - segment.base);
    }
  } finally {
    await file.close();
  }
}
