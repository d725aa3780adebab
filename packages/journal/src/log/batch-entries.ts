/** The records of a batch, one after another. */

import { recordPrefixBytes } from "./batch-header.ts";
import { type LogEntry, logPosition } from "./position.ts";
import type { Batch } from "./segment-reader.ts";

/** The records from the offset `from` of the segment on. Gives nothing when no record of the batch starts there. */
export function batchEntries(batch: Batch, base: number, from: number): LogEntry[] | undefined {
  const { payload, header, offset, end } = batch;
  // Whoever goes on from a record that was lost goes on behind the gap.
  if (header.kind === "gap") return [];
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const entries: LogEntry[] = [];
  let isBoundary = from === offset;
  let at = 0;
  while (at < payload.length) {
    const length = view.getUint32(at, true);
    const start = offset + header.headerBytes + at;
    const next = start + recordPrefixBytes + length;
    if (start === from) isBoundary = true;
    if (start >= from) {
      entries.push({
        position: logPosition(base + start),
        next: logPosition(base + next),
        record: payload.subarray(at + recordPrefixBytes, at + recordPrefixBytes + length),
      });
    }
    at += recordPrefixBytes + length;
  }
  return isBoundary || from === end ? entries : undefined;
}
