/** The head of a segment file: what it is, of which log, and where in that log it stands. */

import { checksum } from "./checksum.ts";
import { decodeFields, decodeNumber, encodeFields, encodeNumber } from "./fields.ts";

/** How many bytes name a log. */
export const logIdBytes = 16;

/** As in PNG: a byte that is no ASCII, the name, and line ends that a transfer as text would change. */
const magic = Uint8Array.of(0x89, 0x46, 0x4c, 0x4a, 0x0d, 0x0a, 0x1a, 0x0a);
const version = 1;
const fixedBytes = 16;
const checksumOffset = 12;

/** The head as this version writes it. */
export const segmentHeaderBytes: number = fixedBytes + 4 * 4 + logIdBytes + 3 * 8;
/** The longest head, fixed part and fields: what is read of a file before anything is known about it. */
export const segmentHeaderBytesMax = fixedBytes + 0xffff;

const fieldLogId = 1;
const fieldNumber = 2;
const fieldBase = 3;
const fieldCreatedAt = 4;
const fieldLengths: ReadonlyMap<number, number> = new Map([
  [fieldLogId, logIdBytes],
  [fieldNumber, 8],
  [fieldBase, 8],
  [fieldCreatedAt, 8],
]);

export interface SegmentHeader {
  readonly logId: Uint8Array;
  /** Counts the segments of a log from 1. */
  readonly number: number;
  /** The position of the file's first byte. */
  readonly base: number;
  readonly createdAtMs: number;
}

export type SegmentHeaderOutcome =
  | { readonly kind: "header"; readonly header: SegmentHeader; readonly bytes: number }
  | { readonly kind: "bad"; readonly offset: number; readonly reason: string }
  | { readonly kind: "newer"; readonly reason: string };

const nameDigits = 16;
const namePattern = /^([0-9]{16})\.segment$/;
/** A segment's name while its head is not yet durable. */
export const draftSuffix = ".new";

/** The file name of a segment; names sort as numbers do. */
export function segmentName(number: number): string {
  return `${String(number).padStart(nameDigits, "0")}.segment`;
}

/** The number in a segment's file name, or nothing when the name is not one. */
export function segmentNumber(name: string): number | undefined {
  const match = namePattern.exec(name);
  if (match === null) return undefined;
  const number = Number(match[1]);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** Whether a file of this name is a segment. */
export function isSegmentName(name: string): boolean {
  return segmentNumber(name) !== undefined;
}

/** The bytes of a head. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const fields = encodeFields([
    { type: fieldLogId, value: header.logId },
    { type: fieldNumber, value: encodeNumber(header.number) },
    { type: fieldBase, value: encodeNumber(header.base) },
    { type: fieldCreatedAt, value: encodeNumber(header.createdAtMs) },
  ]);
  const bytes = new Uint8Array(fixedBytes + fields.length);
  const view = new DataView(bytes.buffer);
  bytes.set(magic);
  view.setUint16(8, version, true);
  view.setUint16(10, fields.length, true);
  bytes.set(fields, fixedBytes);
  view.setUint32(checksumOffset, checksum(bytes.subarray(0, checksumOffset), fields), true);
  return bytes;
}

/** Reads the head at the start of `bytes`, which hold at least the head when the file does. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeaderOutcome {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magicEnd = Math.min(magic.length, bytes.length);
  for (let index = 0; index < magicEnd; index += 1) {
    if (bytes[index] !== magic[index]) return bad(index, "the file is not a segment of a journal");
  }
  if (bytes.length < fixedBytes) return bad(0, "the segment's head is cut");
  const fieldBytes = view.getUint16(10, true);
  const end = fixedBytes + fieldBytes;
  if (bytes.length < end) return bad(0, "the segment's head is cut");
  const fields = bytes.subarray(fixedBytes, end);
  if (checksum(bytes.subarray(0, checksumOffset), fields) !== view.getUint32(checksumOffset, true))
    return bad(0, "the checksum of the segment's head does not match");
  // Judged after the checksum, so that a flipped bit is not taken for a newer version.
  const versionRead = view.getUint16(8, true);
  if (versionRead > version) return newer(`the segment has format version ${versionRead}`);
  if (versionRead !== version) return bad(8, `there is no format version ${versionRead}`);

  const outcome = decodeFields(fields, fieldLengths);
  if (outcome.kind === "bad") return bad(fixedBytes, outcome.reason);
  if (outcome.kind === "newer") return newer(outcome.reason);
  const header = readFields(outcome.values);
  if (header === undefined) return bad(fixedBytes, "a number of the head is out of range");
  return { kind: "header", header, bytes: end };
}

function readFields(values: ReadonlyMap<number, Uint8Array>): SegmentHeader | undefined {
  const logId = values.get(fieldLogId);
  const [number, base, createdAtMs] = [fieldNumber, fieldBase, fieldCreatedAt].map((type) => {
    const value = values.get(type);
    return value === undefined ? undefined : decodeNumber(value);
  });
  if (logId === undefined || number === undefined || number === 0) return undefined;
  if (base === undefined || createdAtMs === undefined) return undefined;
  return { logId: logId.slice(), number, base, createdAtMs };
}

function bad(offset: number, reason: string): SegmentHeaderOutcome {
  return { kind: "bad", offset, reason };
}

function newer(reason: string): SegmentHeaderOutcome {
  return { kind: "newer", reason };
}
