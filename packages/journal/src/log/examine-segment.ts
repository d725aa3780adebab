/** Walks a segment over damage: what is whole, what is lost, and how it ends. */

import { type BatchOutcome, type SegmentReader } from "./segment-reader.ts";

/** A part of a segment, by bytes of the file, that cannot be read any more. */
export interface LostRange {
  readonly offset: number;
  readonly end: number;
  /** How many records were in it, where the head of their batch still tells. */
  readonly recordCount: number | undefined;
  readonly reason: string;
}

export interface SegmentExamination {
  readonly recordCount: number;
  readonly batchCount: number;
  /** Bytes of gaps that earlier repairs have left. */
  readonly gapBytes: number;
  readonly firstWrittenAtMs: number | undefined;
  readonly lastWrittenAtMs: number | undefined;
  readonly lost: readonly LostRange[];
  /** Where what belongs to the log ends. */
  readonly end: number;
  /** Bytes behind it of a write that nobody was told about. */
  readonly tornBytes: number;
  readonly tornReason: string | undefined;
  /** Whether a mark says that all is synced. */
  readonly isMarked: boolean;
  readonly newer: string | undefined;
}

export interface ExamineSegmentOptions {
  /** Where the first batch starts. */
  readonly from: number;
  /** Where the segment must end, when the next one tells; absent for the last. */
  readonly limit: number | undefined;
  readonly signal: AbortSignal;
}

/** Reads and checks all that is there. */
export async function examineSegment(
  reader: SegmentReader,
  { from, limit, signal }: ExamineSegmentOptions,
): Promise<SegmentExamination> {
  const lost: LostRange[] = [];
  const tally = {
    recordCount: 0,
    batchCount: 0,
    gapBytes: 0,
    firstWrittenAtMs: undefined as number | undefined,
    lastWrittenAtMs: undefined as number | undefined,
  };
  let offset = from;
  const finish = (rest: Partial<SegmentExamination> = {}): SegmentExamination => ({
    ...tally,
    lost,
    end: offset,
    tornBytes: 0,
    tornReason: undefined,
    isMarked: false,
    newer: undefined,
    ...rest,
  });
  // Every turn moves the offset on, or leaves.
  for (;;) {
    signal.throwIfAborted();
    const outcome = await reader.batchAt(offset);
    if (outcome.kind === "newer") return finish({ newer: outcome.reason });
    if (outcome.kind === "batch") {
      const { header, end } = outcome;
      if (header.kind === "gap") tally.gapBytes += end - offset;
      else tally.batchCount += 1;
      tally.recordCount += header.recordCount;
      tally.firstWrittenAtMs ??= header.writtenAtMs;
      tally.lastWrittenAtMs = header.writtenAtMs;
      offset = end;
      continue;
    }
    const later = outcome.kind === "end" ? undefined : await reader.findHeader(offset + 1);
    if (later === undefined && limit === undefined) {
      const isMarked = outcome.kind === "mark";
      const tornBytes = Math.max(0, reader.length - (isMarked ? outcome.end : offset));
      return finish({
        isMarked,
        tornBytes,
        tornReason: tornBytes > 0 ? reasonOf(outcome) : undefined,
      });
    }
    const end = later ?? limit ?? offset;
    if (end > offset) {
      const recordCount = "recordCount" in outcome ? outcome.recordCount : undefined;
      lost.push({ offset, end, recordCount, reason: reasonOf(outcome) });
    }
    offset = end;
    if (later === undefined) return finish();
  }
}

function reasonOf(outcome: BatchOutcome): string {
  if ("reason" in outcome) return outcome.reason;
  return outcome.kind === "mark" ? "bytes follow a mark" : "the segment ends too early";
}
