/** The heads of all segments of a folder, and what those that cannot be read must have said. */

import { join } from "node:path";

import {
  type ExaminedHead,
  type HeadsOptions,
  idByBatches,
  type RawHead,
  reconstructHead,
} from "./reconstruct-head.ts";
import {
  decodeSegmentHeader,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentHeaderBytesMax,
  segmentNumber,
} from "./segment-header.ts";

/** Reads the heads of the named segments, which come in order. */
export async function examineHeads(
  options: HeadsOptions,
  names: readonly string[],
): Promise<ExaminedHead[]> {
  const raws: RawHead[] = [];
  for (const name of names) raws.push(await readHead(options, name));
  const logId = commonId(raws) ?? (await idByBatches(options, raws));
  const heads: ExaminedHead[] = [];
  for (const [index, raw] of raws.entries()) {
    const { name, size, outcome } = raw;
    const reason = outcome.kind === "header" ? misfit(outcome.header, raw, logId) : undefined;
    if (outcome.kind === "header" && reason === undefined) {
      const { header, bytes } = outcome;
      heads.push({ name, size, header, headerBytes: bytes, flaw: undefined, newer: undefined });
      continue;
    }
    const around = { before: heads.at(-1), next: raws[index + 1], logId };
    const header = await reconstructHead(options, raw, around);
    const newer = outcome.kind === "newer" ? outcome.reason : undefined;
    const flaw = outcome.kind === "bad" ? outcome : { offset: 0, reason: reason ?? "" };
    heads.push({
      name,
      size,
      header,
      headerBytes: segmentHeaderBytes,
      flaw: newer === undefined ? { offset: flaw.offset, reason: flaw.reason } : undefined,
      newer,
    });
  }
  return heads;
}

async function readHead(
  { fileSystem, folder, signal }: HeadsOptions,
  name: string,
): Promise<RawHead> {
  signal.throwIfAborted();
  const file = await fileSystem.open(join(folder, name), "read");
  try {
    const size = await file.size();
    const buffer = new Uint8Array(Math.min(size, segmentHeaderBytesMax));
    const bytes = buffer.subarray(0, await file.read(buffer, 0));
    const number = segmentNumber(name) ?? 0;
    return { name, number, size, bytes, outcome: decodeSegmentHeader(bytes) };
  } finally {
    await file.close();
  }
}

/** The id that most heads carry. */
function commonId(raws: readonly RawHead[]): Uint8Array | undefined {
  const counts = new Map<string, { count: number; id: Uint8Array }>();
  for (const { outcome } of raws) {
    if (outcome.kind !== "header") continue;
    const id = outcome.header.logId;
    const key = Buffer.from(id).toString("hex");
    counts.set(key, { count: (counts.get(key)?.count ?? 0) + 1, id });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count)[0]?.id;
}

function misfit(header: SegmentHeader, { number }: RawHead, logId: Uint8Array): string | undefined {
  if (header.number !== number) return `the file is segment ${header.number} by its head`;
  if (!Buffer.from(header.logId).equals(logId)) {
    return "the segment belongs to another log than the others";
  }
  return undefined;
}
