/** Brings the segments of a folder into a state that can be written to, or refuses and changes nothing. */

import { join } from "node:path";

import type { JournalFile, JournalFileSystem } from "../file-system/file-system.ts";
import { JournalError } from "../journal-error.ts";
import { createSegment } from "./create-segment.ts";
import {
  checkSuccession,
  corrupt,
  listSegments,
  type OpenSegment,
  openSegment,
} from "./open-segment.ts";
import type { LogOptions } from "./options.ts";
import { scanSegment, type SegmentContent } from "./scan-segment.ts";
import { logIdBytes } from "./segment-header.ts";
import { SegmentReader } from "./segment-reader.ts";
import { writeAll } from "./write-all.ts";

/** What opening found and did. */
export interface LogRecovery {
  /** Bytes after the last whole batch that were cut away: a write that a crash has torn, never acknowledged. */
  readonly tornBytes: number;
  readonly tornReason: string | undefined;
  readonly segmentCount: number;
  readonly isNew: boolean;
}

export interface RecoveredSegment {
  readonly name: string;
  readonly number: number;
  readonly base: number;
  /** The position behind its last batch. */
  readonly end: number;
  readonly headerBytes: number;
  readonly createdAtMs: number;
}

export interface RecoveredLog {
  readonly logId: Uint8Array;
  /** In their order; at least one. */
  readonly segments: readonly RecoveredSegment[];
  /** The last segment's file, open for writing and no longer than its batches. */
  readonly file: JournalFile;
  readonly recovery: LogRecovery;
}

/** Called under the writer's lock. */
export async function recoverLog(
  fileSystem: JournalFileSystem,
  options: LogOptions,
): Promise<RecoveredLog> {
  const { folder } = options;
  const { segments, drafts } = await listSegments(fileSystem, folder);
  const last = segments.at(-1);
  // A draft holds a head and no record, so nothing is lost with it.
  const removeDrafts = async (): Promise<void> => {
    for (const draft of drafts) await fileSystem.remove(join(folder, draft));
  };
  if (last === undefined) {
    await removeDrafts();
    return await beginLog(fileSystem, options);
  }

  const opened: OpenSegment[] = [];
  try {
    for (const name of segments) {
      options.signal.throwIfAborted();
      const mode = name === last ? "update" : "read";
      const segment = await openSegment(fileSystem, { folder, name, mode });
      const before = opened.at(-1);
      opened.push(segment);
      if (before !== undefined) checkSuccession(before, segment);
      if (name !== last && options.verify !== "last-segment") {
        await checkSegment(segment, { isLast: false, signal: options.signal });
      }
      // All but the last two are done with; so many descriptors are never open together.
      if (before !== undefined) await before.file.close();
    }
    const tail = opened.at(-1);
    if (tail === undefined) throw new Error("The list of segments was not empty.");
    const content = await checkSegment(tail, { isLast: true, signal: options.signal });
    await removeDrafts();
    await secureTail(tail, content);
    // A writer that died may have renamed its last segment without syncing the name.
    await fileSystem.syncFolder(folder);
    return {
      logId: tail.header.logId,
      segments: opened.map((segment) =>
        describeSegment(segment, segment === tail ? content.end : segment.size),
      ),
      file: tail.file,
      recovery: {
        tornBytes: content.torn?.bytes ?? 0,
        tornReason: content.torn?.reason,
        segmentCount: opened.length,
        isNew: false,
      },
    };
  } catch (error) {
    for (const { file } of opened.slice(-2)) await file.close().catch(() => undefined);
    throw error;
  }
}

async function beginLog(
  fileSystem: JournalFileSystem,
  { folder, random, clock }: LogOptions,
): Promise<RecoveredLog> {
  const header = {
    logId: random.bytes(logIdBytes),
    number: 1,
    base: 0,
    createdAtMs: clock.nowMs(),
  };
  const { name, file, headerBytes } = await createSegment(fileSystem, { folder, header });
  const { number, base, createdAtMs } = header;
  return {
    logId: header.logId,
    segments: [{ name, number, base, end: headerBytes, headerBytes, createdAtMs }],
    file,
    recovery: { tornBytes: 0, tornReason: undefined, segmentCount: 1, isNew: true },
  };
}

async function checkSegment(
  segment: OpenSegment,
  { isLast, signal }: { isLast: boolean; signal: AbortSignal },
): Promise<SegmentContent> {
  const { file, header, headerBytes, size, name } = segment;
  const reader = new SegmentReader({ file, header, length: size });
  const scan = await scanSegment(reader, { from: headerBytes, isLast, signal });
  switch (scan.kind) {
    case "whole":
      return scan;
    case "corrupt":
      throw corrupt(name, scan.offset, scan.reason);
    case "newer":
      throw new JournalError("journal_version_newer", scan.reason, {
        place: { segment: name, offset: scan.offset },
      });
    default:
      return scan;
  }
}

/** Leaves the last segment with exactly its whole batches, all of them durable. */
async function secureTail(
  { file, size }: OpenSegment,
  { end, lastBatchOffset, isMarked }: SegmentContent,
): Promise<void> {
  if (!isMarked && lastBatchOffset !== undefined) {
    // The last writer may have died because this batch could not be synced. The system may then hold it for clean
    // although the disk never got it, so it is written once more before it is synced.
    const batch = new Uint8Array(end - lastBatchOffset);
    await file.read(batch, lastBatchOffset);
    await writeAll(file, batch, lastBatchOffset);
  }
  if (size > end) await file.truncate(end);
  await file.sync();
}

function describeSegment(
  { name, header, headerBytes }: OpenSegment,
  length: number,
): RecoveredSegment {
  const { number, base, createdAtMs } = header;
  return { name, number, base, end: base + length, headerBytes, createdAtMs };
}
