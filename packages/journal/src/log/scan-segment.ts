/** Walks a segment from its head to its end, and tells an end that a crash has torn from damage. */

import type { BatchOutcome, SegmentReader } from "./segment-reader.ts";

/** What follows the last whole batch of the last segment, and was never acknowledged. */
export interface TornTail {
  readonly bytes: number;
  readonly reason: string;
}

export interface SegmentContent {
  readonly kind: "whole";
  /** Where the next batch goes. */
  readonly end: number;
  readonly recordCount: number;
  readonly batchCount: number;
  /** Bytes of gaps that repairs have left. */
  readonly gapBytes: number;
  /** Where the last batch starts, when there is one. */
  readonly lastBatchOffset: number | undefined;
  readonly lastWrittenAtMs: number | undefined;
  /** Whether a mark says that all batches are synced. */
  readonly isMarked: boolean;
  readonly torn: TornTail | undefined;
}

export type SegmentScan =
  | SegmentContent
  /** `before` is what is whole up to there. */
  | {
      readonly kind: "corrupt";
      readonly offset: number;
      readonly reason: string;
      readonly before: SegmentContent;
    }
  | { readonly kind: "newer"; readonly offset: number; readonly reason: string };

export interface ScanOptions {
  /** Where the first batch starts. */
  readonly from: number;
  /** Only the last segment of a log may end with a mark or with a torn batch. */
  readonly isLast: boolean;
  readonly signal: AbortSignal;
}

/** Reads and checks every batch. */
export async function scanSegment(
  reader: SegmentReader,
  { from, isLast, signal }: ScanOptions,
): Promise<SegmentScan> {
  const content = {
    kind: "whole" as const,
    end: from,
    recordCount: 0,
    batchCount: 0,
    gapBytes: 0,
    lastBatchOffset: undefined as number | undefined,
    lastWrittenAtMs: undefined as number | undefined,
    isMarked: false,
    torn: undefined as TornTail | undefined,
  };
  // Every turn moves `end` on by a batch of at least its head, or leaves.
  for (;;) {
    signal.throwIfAborted();
    const outcome = await reader.batchAt(content.end);
    if (outcome.kind === "batch") {
      content.lastBatchOffset = outcome.offset;
      if (outcome.header.kind === "gap") content.gapBytes += outcome.end - outcome.offset;
      else content.batchCount += 1;
      content.lastWrittenAtMs = outcome.header.writtenAtMs;
      content.end = outcome.end;
      content.recordCount += outcome.header.recordCount;
      continue;
    }
    if (outcome.kind === "newer") return { ...outcome, offset: content.end };
    if (outcome.kind === "end") return content;
    const flaw = describeFlaw(outcome, content.end);
    if (!isLast) return { kind: "corrupt", ...flaw, before: content };
    return await judgeTail(reader, { outcome, content, flaw });
  }
}

/**
 * A batch is synced before the next one, or a mark, is written behind or over what follows it. So when the head of
 * either stands after a flaw, the flaw was acknowledged, and it is damage. When none does, what is there is what a
 * crash has left of a write that nobody was told about.
 */
async function judgeTail(
  reader: SegmentReader,
  { outcome, content, flaw }: { outcome: BatchOutcome; content: SegmentContent; flaw: Flaw },
): Promise<SegmentScan> {
  const isMarked = outcome.kind === "mark";
  const tailStart = isMarked ? outcome.end : content.end;
  const later = await reader.findHeader(isMarked ? outcome.end : content.end + 1);
  if (later !== undefined) {
    const reason = `${flaw.reason}, and more was written behind it`;
    return { kind: "corrupt", offset: flaw.offset, reason, before: content };
  }
  const bytes = reader.length - tailStart;
  const torn = bytes > 0 ? { bytes, reason: flaw.reason } : undefined;
  return { ...content, isMarked, torn };
}

interface Flaw {
  readonly offset: number;
  readonly reason: string;
}

function describeFlaw(
  outcome: Exclude<BatchOutcome, { kind: "batch" | "end" | "newer" }>,
  end: number,
): Flaw {
  switch (outcome.kind) {
    case "mark":
      return { offset: end, reason: "bytes follow a mark" };
    case "cut":
      return { offset: end, reason: outcome.reason };
    case "bad":
      return { offset: outcome.offset, reason: outcome.reason };
    default:
      return outcome;
  }
}
