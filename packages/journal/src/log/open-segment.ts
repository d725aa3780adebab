/** Opens the segment files of a folder and checks that their heads fit together. */

import { join } from "node:path";

import type { FileMode, JournalFile, JournalFileSystem } from "../file-system/file-system.ts";
import { JournalError } from "../journal-error.ts";
import {
  decodeSegmentHeader,
  draftSuffix,
  isSegmentName,
  type SegmentHeader,
  segmentHeaderBytesMax,
  segmentNumber,
} from "./segment-header.ts";

/** What lies in the folder of a log, by name. */
export interface FolderContent {
  /** Segments, in their order. */
  readonly segments: readonly string[];
  /** Segments that a crash has left unfinished before anything was in them. */
  readonly drafts: readonly string[];
}

/** An open segment file. */
export interface OpenSegment {
  readonly name: string;
  readonly file: JournalFile;
  readonly header: SegmentHeader;
  readonly headerBytes: number;
  readonly size: number;
}

/** Sorts the names of a folder; those that are none of the log's are left out. */
export async function listSegments(
  fileSystem: JournalFileSystem,
  folder: string,
): Promise<FolderContent> {
  const names = [...(await fileSystem.list(folder))].sort();
  return {
    segments: names.filter(isSegmentName),
    drafts: names.filter(
      (name) => name.endsWith(draftSuffix) && isSegmentName(name.slice(0, -draftSuffix.length)),
    ),
  };
}

/** Opens one segment and reads its head. Throws `journal_corrupt` or `journal_version_newer`. */
export async function openSegment(
  fileSystem: JournalFileSystem,
  { folder, name, mode }: { folder: string; name: string; mode: FileMode },
): Promise<OpenSegment> {
  const file = await fileSystem.open(join(folder, name), mode);
  try {
    const size = await file.size();
    const head = new Uint8Array(Math.min(size, segmentHeaderBytesMax));
    const outcome = decodeSegmentHeader(head.subarray(0, await file.read(head, 0)));
    if (outcome.kind === "newer") {
      throw new JournalError("journal_version_newer", outcome.reason, {
        place: { segment: name, offset: 0 },
      });
    }
    if (outcome.kind === "bad") throw corrupt(name, outcome.offset, outcome.reason);
    const { header, bytes } = outcome;
    if (header.number !== segmentNumber(name)) {
      throw corrupt(name, 0, `the file is segment ${header.number} by its head`);
    }
    return { name, file, header, headerBytes: bytes, size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Throws `journal_corrupt` unless `next` goes on where `before` ends. */
export function checkSuccession(before: OpenSegment, next: OpenSegment): void {
  const { name, header } = next;
  if (header.number !== before.header.number + 1) {
    throw corrupt(name, 0, `segment ${before.header.number + 1} is missing before it`);
  }
  if (!Buffer.from(header.logId).equals(before.header.logId)) {
    throw corrupt(name, 0, "the segment belongs to another log than the one before it");
  }
  if (header.base !== before.header.base + before.size) {
    const reason = `the segment before it ends at ${before.header.base + before.size}, and it starts at ${header.base}`;
    throw corrupt(name, 0, reason);
  }
}

/** The error that names a place in a segment. */
export function corrupt(segment: string, offset: number, reason: string): JournalError {
  return new JournalError("journal_corrupt", reason, { place: { segment, offset } });
}
