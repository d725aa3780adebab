/** What a damaged head of a segment must have said, by the segments around it and the batches behind it. */

import { join } from "node:path";

import type { JournalFileSystem } from "../file-system/file-system.ts";
import { batchHeaderBytes } from "./batch-header.ts";
import { decodeNumber } from "./fields.ts";
import {
  logIdBytes,
  type SegmentHeader,
  segmentHeaderBytes,
  type SegmentHeaderOutcome,
} from "./segment-header.ts";
import { SegmentReader } from "./segment-reader.ts";

export interface HeadsOptions {
  readonly fileSystem: JournalFileSystem;
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** The head of a segment file as it stands. */
export interface RawHead {
  readonly name: string;
  /** By the file's name. */
  readonly number: number;
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly outcome: SegmentHeaderOutcome;
}

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

/** Where this version puts the id and the base, for a head whose checksum no longer vouches for them. */
const idOffset = 20;
const baseOffset = 52;

/** Of what the head may have said, that with which the segment's batches agree. */
export async function reconstructHead(
  options: HeadsOptions,
  raw: RawHead,
  around: { before: ExaminedHead | undefined; next: RawHead | undefined; logId: Uint8Array },
): Promise<SegmentHeader> {
  const { before, next, logId } = around;
  const nextHeader = next?.outcome.kind === "header" ? next.outcome.header : undefined;
  const { bases, fallback } = possibleBases(raw, before, nextHeader);
  const createdAtMs = before?.header.createdAtMs ?? nextHeader?.createdAtMs ?? 0;
  const header = await headWithBatches(options, raw, { logId, bases });
  return { ...(header ?? { logId, number: raw.number, base: fallback }), createdAtMs };
}

/** Where every head is damaged: the id in one of them with which a batch of its segment agrees, or else any. */
export async function idByBatches(
  options: HeadsOptions,
  raws: readonly RawHead[],
): Promise<Uint8Array> {
  const ids: Uint8Array[] = [];
  for (const raw of raws) {
    const logId = raw.bytes.slice(idOffset, idOffset + logIdBytes);
    if (logId.length < logIdBytes) continue;
    const { bases } = possibleBases(raw, undefined, undefined);
    if ((await headWithBatches(options, raw, { logId, bases })) !== undefined) return logId;
    ids.push(logId);
  }
  return ids[0] ?? new Uint8Array(logIdBytes);
}

/** The head, with one of the bases, to which a batch of the segment belongs. */
async function headWithBatches(
  { fileSystem, folder }: HeadsOptions,
  { name, number, size }: RawHead,
  { logId, bases }: { logId: Uint8Array; bases: readonly number[] },
): Promise<SegmentHeader | undefined> {
  const file = await fileSystem.open(join(folder, name), "read");
  try {
    for (const base of bases) {
      const header = { logId, number, base, createdAtMs: 0 };
      const reader = new SegmentReader({ file, header, length: size });
      if ((await reader.findHeader(segmentHeaderBytes)) !== undefined) return header;
    }
    return undefined;
  } finally {
    await file.close();
  }
}

/**
 * Where the segment may start, the likeliest first, and where it is taken to start when no batch in it tells. The
 * segments around it leave only so much room.
 */
function possibleBases(
  { number, size, bytes, outcome }: RawHead,
  before: ExaminedHead | undefined,
  next: SegmentHeader | undefined,
): { bases: number[]; fallback: number } {
  if (number === 1) return { bases: [0], fallback: 0 };
  const numbersAfter = next === undefined ? 0 : next.number - number;
  const numbersBefore = before === undefined ? number - 1 : number - before.header.number;
  const baseMin = (before?.header.base ?? 0) + numbersBefore * segmentHeaderBytes;
  const baseMax =
    next === undefined ? Number.MAX_SAFE_INTEGER : next.base - numbersAfter * segmentHeaderBytes;
  // Where segments are missing before it, they have room for gaps, and so has the one before them, if it was cut.
  const behind =
    before === undefined
      ? baseMin
      : endOf(before) + (numbersBefore - 1) * (segmentHeaderBytes + 2 * batchHeaderBytes);
  const ahead = numbersAfter === 1 && next !== undefined ? next.base - roomFor(size) : undefined;
  // A head that stands for another segment says where that one starts.
  const isOwn = outcome.kind === "bad" && bytes.length >= baseOffset + 8;
  const bases = [
    numbersBefore === 1 ? behind : undefined,
    ahead,
    isOwn ? decodeNumber(bytes.subarray(baseOffset, baseOffset + 8)) : undefined,
  ].flatMap((base) => (base !== undefined && base >= baseMin && base <= baseMax ? [base] : []));
  const isBehind = numbersBefore === 1 && before !== undefined;
  return { bases, fallback: isBehind ? behind : Math.max(behind, ahead ?? 0) };
}

function endOf({ header, size, flaw }: ExaminedHead): number {
  return header.base + (flaw === undefined ? size : roomFor(size));
}

/** At least so long that a head and a gap have room. */
function roomFor(size: number): number {
  return Math.max(size, segmentHeaderBytes + batchHeaderBytes);
}
