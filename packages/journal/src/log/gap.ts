/** Gaps: batches of zeros that stand for records that were lost. */

import type { JournalFile } from "../file-system/file-system.ts";
import { batchHeaderBytes, writeBatchHeader } from "./batch-header.ts";
import { writeAll } from "./write-all.ts";

/** One gap, with its head, is no longer. */
const gapBytesMax = 1024 * 1024;

/** The lengths of the gaps that fill `bytes` exactly, or nothing when so few bytes hold no gap. */
export function gapPlan(bytes: number): readonly number[] | undefined {
  const lengths: number[] = [];
  let rest = bytes;
  while (rest > 0) {
    if (rest < batchHeaderBytes) return undefined;
    // What is left behind a gap must hold a gap too.
    const isTight = rest > gapBytesMax && rest - gapBytesMax < batchHeaderBytes;
    const length = Math.min(rest, isTight ? gapBytesMax - batchHeaderBytes : gapBytesMax);
    lengths.push(length);
    rest -= length;
  }
  return lengths;
}

/** Writes gaps one after another from `offset` of the file on. */
export async function writeGaps(
  file: JournalFile,
  lengths: readonly number[],
  place: { base: number; logSeed: number; offset: number; nowMs: number },
): Promise<void> {
  let { offset } = place;
  for (const length of lengths) {
    const bytes = new Uint8Array(length);
    writeBatchHeader(bytes, {
      kind: "gap",
      position: place.base + offset,
      recordCount: 0,
      writtenAtMs: place.nowMs,
      logSeed: place.logSeed,
    });
    await writeAll(file, bytes, offset);
    offset += length;
  }
}
