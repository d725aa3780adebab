/**
 * The head of a batch: records that were written and synced together, under one checksum. Two further kinds hold no
 * record: a mark says that all before it is synced, a gap stands where a repair has taken damaged batches out, so that
 * those behind it keep their positions.
 */

import { crc32 } from "node:zlib";

import { checksum } from "./checksum.ts";
import { decodeFields, decodeNumber } from "./fields.ts";

/** "FLB1", least significant byte first; greater than any length of a record, which may stand in its place. */
export const batchMagic = 0x31424c46;
export const batchMagicBytes: Uint8Array = Uint8Array.of(0x46, 0x4c, 0x42, 0x31);
const version = 1;
const kinds: readonly BatchKind[] = ["records", "mark", "gap"];

/** Before a record: its length, and how far back its batch starts. */
export const recordPrefixBytes = 8;
/** Up to the fields. These places keep their meaning in every version. */
export const batchFixedBytes = 32;
/** The fields of a batch together, in any version. */
const fieldBytesMax = 1_024;
const checksumOffset = 28;
const fieldWrittenAt = 1;
const fieldLengths: ReadonlyMap<number, number> = new Map([[fieldWrittenAt, 8]]);
/** The head as this version writes it. */
export const batchHeaderBytes: number = batchFixedBytes + 12;
/** No batch of any version is longer; a greater length is refused before memory is taken for it. */
export const payloadBytesLimit: number = 64 * 1024 * 1024;

export type BatchKind = "records" | "mark" | "gap";

export interface BatchHeader {
  readonly kind: BatchKind;
  readonly headerBytes: number;
  readonly recordCount: number;
  readonly payloadBytes: number;
  readonly payloadChecksum: number;
  readonly writtenAtMs: number;
}

export type BatchHeaderOutcome =
  | { readonly kind: "header"; readonly header: BatchHeader }
  /** The bytes end before the head does; `bytesNeeded` is how long it is as far as can be told. */
  | { readonly kind: "cut"; readonly bytesNeeded: number }
  | { readonly kind: "bad"; readonly reason: string }
  | { readonly kind: "newer"; readonly reason: string };

/** What a batch is written with. */
export interface BatchFacts {
  readonly kind: BatchKind;
  readonly position: number;
  readonly recordCount: number;
  readonly writtenAtMs: number;
  /** The checksum of the log's id, so that a batch of another log is none of this one. */
  readonly logSeed: number;
}

/** Writes the head of the batch that fills `bytes`, whose payload stands in its place already. */
export function writeBatchHeader(bytes: Uint8Array, facts: BatchFacts): void {
  const { kind, position, recordCount, writtenAtMs, logSeed } = facts;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const payload = bytes.subarray(batchHeaderBytes);
  view.setUint32(0, batchMagic, true);
  view.setUint8(4, version);
  view.setUint8(5, kinds.indexOf(kind) + 1);
  view.setUint16(6, batchHeaderBytes - batchFixedBytes, true);
  setNumber(view, 8, position);
  view.setUint32(16, recordCount, true);
  view.setUint32(20, payload.length, true);
  view.setUint32(24, checksum(payload), true);
  view.setUint16(batchFixedBytes, fieldWrittenAt, true);
  view.setUint16(batchFixedBytes + 2, 8, true);
  setNumber(view, batchFixedBytes + 4, writtenAtMs);
  view.setUint32(checksumOffset, headerChecksum(bytes, batchHeaderBytes, logSeed), true);
}

/** Reads the head of the batch at `position`, from bytes that start there. */
export function decodeBatchHeader(
  bytes: Uint8Array,
  { position, logSeed }: { position: number; logSeed: number },
): BatchHeaderOutcome {
  if (bytes.length < batchFixedBytes) return { kind: "cut", bytesNeeded: batchFixedBytes };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== batchMagic) return bad("no batch starts here");
  const fieldBytes = view.getUint16(6, true);
  if (fieldBytes > fieldBytesMax) return bad("the head of the batch is too long");
  const headerBytes = batchFixedBytes + fieldBytes;
  if (bytes.length < headerBytes) return { kind: "cut", bytesNeeded: headerBytes };
  if (headerChecksum(bytes, headerBytes, logSeed) !== view.getUint32(checksumOffset, true)) {
    return bad("the checksum of the batch's head does not match");
  }
  // What follows is judged after the checksum, so that a flipped bit is not taken for a newer version.
  const versionRead = view.getUint8(4);
  if (versionRead > version) {
    return { kind: "newer", reason: `the batch has format version ${versionRead}` };
  }
  const kindRead = view.getUint8(5);
  if (kindRead > kinds.length) return { kind: "newer", reason: `the batch is of kind ${kindRead}` };
  const kind = kinds[kindRead - 1];
  if (versionRead === 0 || kind === undefined) return bad("the batch has no version or no kind");
  if (decodeNumber(bytes.subarray(8, 16)) !== position) {
    return bad("the batch was written for another place");
  }
  const recordCount = view.getUint32(16, true);
  const payloadBytes = view.getUint32(20, true);
  const fits = countsFit(kind, recordCount, payloadBytes);
  if (!fits) return bad("the number of records and their length do not fit together");

  const fields = decodeFields(bytes.subarray(batchFixedBytes, headerBytes), fieldLengths);
  if (fields.kind !== "fields") return fields;
  const writtenAt = fields.values.get(fieldWrittenAt);
  const writtenAtMs = writtenAt === undefined ? undefined : decodeNumber(writtenAt);
  if (writtenAtMs === undefined) return bad("the time of the batch is out of range");
  return {
    kind: "header",
    header: {
      kind,
      headerBytes,
      recordCount,
      payloadBytes,
      payloadChecksum: view.getUint32(24, true),
      writtenAtMs,
    },
  };
}

function countsFit(kind: BatchKind, recordCount: number, payloadBytes: number): boolean {
  if (payloadBytes > payloadBytesLimit) return false;
  switch (kind) {
    case "records":
      return recordCount > 0 && recordCount * recordPrefixBytes <= payloadBytes;
    case "gap":
      return recordCount === 0;
    case "mark":
      return recordCount === 0 && payloadBytes === 0;
    default:
      return kind;
  }
}

function headerChecksum(bytes: Uint8Array, headerBytes: number, logSeed: number): number {
  const fixed = crc32(bytes.subarray(0, checksumOffset), logSeed);
  return crc32(bytes.subarray(batchFixedBytes, headerBytes), fixed);
}

function setNumber(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
}

function bad(reason: string): BatchHeaderOutcome {
  return { kind: "bad", reason };
}
