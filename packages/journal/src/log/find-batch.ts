/** Finds the batch in which a position lies. */

import { JournalError } from "../journal-error.ts";
import { corrupt } from "./open-segment.ts";
import type { BatchOutcome, SegmentReader } from "./segment-reader.ts";

export type FoundBatch =
  | { readonly kind: "found"; readonly offset: number }
  /** What stands between the head of the segment and the position cannot be read. */
  | { readonly kind: "flaw"; readonly offset: number; readonly outcome: BatchOutcome };

/** Where the batch starts that holds the byte `from`: as the record there says, or else by walking from the head. */
export async function findBatch(
  reader: SegmentReader,
  { headerBytes, from }: { headerBytes: number; from: number },
): Promise<FoundBatch> {
  // The start of a segment is one of a batch, and so is its end.
  if (from === headerBytes || from === reader.length) return { kind: "found", offset: from };
  const said = await reader.batchOffsetOf(from);
  if (said !== undefined) {
    const batch = await reader.batchAt(said);
    if (batch.kind === "batch" && batch.end > from) return { kind: "found", offset: said };
  }
  // The position is none of a record, or what stands there cannot be read; walking tells which.
  let offset = headerBytes;
  while (offset !== from) {
    const outcome = await reader.batchAt(offset);
    if (outcome.kind !== "batch") return { kind: "flaw", offset, outcome };
    if (outcome.end > from) break;
    offset = outcome.end;
  }
  return { kind: "found", offset };
}

/** The error for what stands in a segment in place of a batch. */
export function corruptBatch(segment: string, offset: number, outcome: BatchOutcome): JournalError {
  if (outcome.kind === "newer") {
    return new JournalError("journal_version_newer", outcome.reason, {
      place: { segment, offset },
    });
  }
  const reason = "reason" in outcome ? outcome.reason : "the log goes on behind its end";
  return corrupt(segment, "offset" in outcome ? outcome.offset : offset, reason);
}

/** The error for a position that is none of the log. */
export function unknownPosition(position: number): JournalError {
  return new JournalError(
    "journal_position_unknown",
    `Position ${position} is not one at which a record of this log starts.`,
  );
}

/** The error for a position that retention has dropped. */
export function droppedPosition(position: number): JournalError {
  return new JournalError(
    "journal_position_dropped",
    `Position ${position} lies in a segment that was dropped.`,
  );
}
