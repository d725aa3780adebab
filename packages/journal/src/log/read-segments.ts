/** Reads records of an open log across its segments. */

import { join } from "node:path";

import type { JournalFileSystem } from "../file-system/file-system.ts";
import { JournalError } from "../journal-error.ts";
import { batchEntries } from "./batch-entries.ts";
import { corrupt } from "./open-segment.ts";
import type { LogEntry, LogPosition } from "./position.ts";
import type { RecoveredSegment } from "./recover.ts";
import type { SegmentChain } from "./segment-chain.ts";
import { type BatchOutcome, SegmentReader } from "./segment-reader.ts";

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
    throw new JournalError(
      "journal_position_dropped",
      `Position ${from} was dropped; the log starts at ${chain.start}.`,
    );
  }
  if (from > chain.end || from < 0) throw unknownPosition(from);
  let position: number = Math.max(from, chain.start);
  // Every turn reads one segment to its end.
  while (position < chain.end) {
    const segment = chain.segments.find(({ base, end }) => base <= position && position < end);
    if (segment === undefined) throw unknownPosition(position);
    yield* readSegment(options, segment, position);
    position = segment.end;
  }
}

async function* readSegment(
  { fileSystem, folder, chain, signal }: ReadOptions,
  segment: RecoveredSegment,
  position: number,
): AsyncGenerator<LogEntry, void, undefined> {
  const file = await fileSystem.open(join(folder, segment.name), "read");
  try {
    const length = segment.end - segment.base;
    const reader = new SegmentReader({ file, header: chain.headerOf(segment), length });
    const from = Math.max(position - segment.base, segment.headerBytes);
    let offset = await findBatch(reader, segment, from);
    while (offset < reader.length) {
      signal.throwIfAborted();
      const batch = await reader.batchAt(offset);
      if (batch.kind !== "batch") throw corruptAt(segment, offset, batch);
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

/** Where the batch starts that holds `from`: as the record there says, or else by walking there from the head. */
async function findBatch(
  reader: SegmentReader,
  segment: RecoveredSegment,
  from: number,
): Promise<number> {
  // A segment that holds nothing yet.
  if (from >= reader.length) return from;
  const said = await reader.batchOffsetOf(from);
  if (said !== undefined) {
    const batch = await reader.batchAt(said);
    if (batch.kind === "batch" && batch.end > from) return said;
  }
  // The position is none of a record, or what stands there is damaged; walking tells which.
  let offset = segment.headerBytes;
  for (;;) {
    const batch = await reader.batchAt(offset);
    if (batch.kind !== "batch") throw corruptAt(segment, offset, batch);
    if (batch.end > from) return offset;
    offset = batch.end;
  }
}

function corruptAt(segment: RecoveredSegment, offset: number, outcome: BatchOutcome): JournalError {
  const reason = "reason" in outcome ? outcome.reason : "the log goes on behind its end";
  return corrupt(segment.name, "offset" in outcome ? outcome.offset : offset, reason);
}

function unknownPosition(position: number): JournalError {
  return new JournalError(
    "journal_position_unknown",
    `Position ${position} is not one at which a record of this log starts.`,
  );
}
