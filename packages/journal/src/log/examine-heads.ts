/** The heads of all segments of a folder, and what those that cannot be read must have said. */

import { join } from "node:path";

import type { JournalFileSystem } from "../file-system/file-system.ts";
import { batchHeaderBytes } from "./batch-header.ts";
import { checksum } from "./checksum.ts";
import { decodeNumber } from "./fields.ts";
import {
  decodeSegmentHeader,
  logIdBytes,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentHeaderBytesMax,
  segmentNumber,
} from "./segment-header.ts";
import { SegmentReader } from "./segment-reader.ts";

export interface ExaminedHead {
  readonly name: string;
  readonly size: number;
  /** As read, or as it must have been. */
  readonly header: SegmentHeader;
  readonly headerBytes: number;
  /** Why the head was not taken as it stands. */
  readonly flaw: { readonly offset: number; readonly reason: string } | undefined;
  /** Written by a newer version; nothing behind it is judged. */
  readonly newer: string | undefined;
}

export interface HeadsOptions {
  readonly fileSystem: JournalFileSystem;
  readonly folder: string;
  readonly signal: AbortSignal;
}

interface RawHead {
  readonly name: string;
  readonly number: number;
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly outcome: ReturnType<typeof decodeSegmentHeader>;
}

/** Where this version puts the id and the base, for a head whose checksum no longer vouches for them. */
const idOffset = 20;
const baseOffset = 52;

/** Reads the heads of the named segments, which come in order. */
export async function examineHeads(
  options: HeadsOptions,
  names: readonly string[],
): Promise<ExaminedHead[]> {
  const raws: RawHead[] = [];
  for (const name of names) raws.push(await readHead(options, name));
  const logId = commonId(raws);
  const heads: ExaminedHead[] = [];
  for (const [index, raw] of raws.entries()) {
    const { name, size, number, outcome } = raw;
    const reason = outcome.kind === "header" ? misfit(outcome.header, number, logId) : undefined;
    if (outcome.kind === "header" && reason === undefined) {
      const { header, bytes } = outcome;
      heads.push({ name, size, header, headerBytes: bytes, flaw: undefined, newer: undefined });
      continue;
    }
    const neighbours = { before: heads.at(-1), next: raws[index + 1], logId };
    const { header, headerBytes } = await reconstruct(options, raw, neighbours);
    const flaw = outcome.kind === "bad" ? outcome : { offset: 0, reason: reason ?? "" };
    const newer = outcome.kind === "newer" ? outcome.reason : undefined;
    heads.push({
      name,
      size,
      header,
      headerBytes,
      newer,
      flaw: newer === undefined ? flaw : undefined,
    });
  }
  return heads;
}

async function readHead({ fileSystem, folder }: HeadsOptions, name: string): Promise<RawHead> {
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

function misfit(
  header: SegmentHeader,
  number: number,
  logId: Uint8Array | undefined,
): string | undefined {
  if (header.number !== number) return `the file is segment ${header.number} by its head`;
  if (logId !== undefined && !Buffer.from(header.logId).equals(logId)) {
    return "the segment belongs to another log than the others";
  }
  return undefined;
}

/** Of what the head may have said, that with which the segment's batches agree. */
async function reconstruct(
  { fileSystem, folder }: HeadsOptions,
  raw: RawHead,
  {
    before,
    next,
    logId,
  }: {
    before: ExaminedHead | undefined;
    next: RawHead | undefined;
    logId: Uint8Array | undefined;
  },
): Promise<{ header: SegmentHeader; headerBytes: number }> {
  const { number, size, bytes } = raw;
  const follows = before !== undefined && before.header.number + 1 === number;
  const nextHeader = next?.outcome.kind === "header" ? next.outcome.header : undefined;
  const rawBase =
    bytes.length >= baseOffset + 8
      ? decodeNumber(bytes.subarray(baseOffset, baseOffset + 8))
      : undefined;
  const bases = [
    number === 1 ? 0 : undefined,
    follows ? baseBehind(before) : undefined,
    nextHeader?.number === number + 1 ? baseBefore(nextHeader.base, size) : undefined,
    rawBase,
    0,
  ].filter((base) => base !== undefined && base >= 0);
  const ids = [logId, before?.header.logId, bytes.slice(idOffset, idOffset + logIdBytes)].filter(
    (id) => id?.length === logIdBytes,
  );
  const createdAtMs = before?.header.createdAtMs ?? nextHeader?.createdAtMs ?? 0;
  const candidates = ids.flatMap((id) =>
    bases.map((base): SegmentHeader => ({
      logId: id ?? new Uint8Array(logIdBytes),
      number,
      base: base ?? 0,
      createdAtMs,
    })),
  );
  const file = await fileSystem.open(join(folder, raw.name), "read");
  try {
    for (const header of candidates) {
      const reader = new SegmentReader({ file, header, length: size });
      if ((await reader.findHeader(segmentHeaderBytes)) !== undefined) {
        return { header, headerBytes: segmentHeaderBytes };
      }
    }
  } finally {
    await file.close();
  }
  const [first] = candidates;
  const id = new Uint8Array(logIdBytes);
  new DataView(id.buffer).setUint32(0, checksum(bytes), true);
  const header = first ?? { logId: id, number, base: bases[0] ?? 0, createdAtMs };
  return { header, headerBytes: segmentHeaderBytes };
}

function baseBehind({ header, size, flaw }: ExaminedHead): number {
  const bytesMin = flaw === undefined ? 0 : segmentHeaderBytes + batchHeaderBytes;
  return header.base + Math.max(size, bytesMin);
}

/** Where a segment starts that ends at `end`, at least so long that a head and a gap have room. */
function baseBefore(end: number, size: number): number {
  return end - Math.max(size, segmentHeaderBytes + batchHeaderBytes);
}
