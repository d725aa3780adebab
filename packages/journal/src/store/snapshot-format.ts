/** The bytes of a snapshot file around its blocks (`docs/formats/journal-store.md`, "Snapshot file"). */

import { crc32 } from "node:zlib";

import { decodeFields, decodeNumber, encodeFields, encodeNumber } from "../log/fields.ts";
import { type LogPosition, logPosition } from "../log/position.ts";
import { type BytesPlace, damaged, writtenByNewer } from "./file-damage.ts";
import { blockBytesMax } from "./limits.ts";

/** As in PNG: a byte that is no ASCII, the name, and line ends that a transfer as text would change. */
const magic = Uint8Array.of(0x89, 0x46, 0x4c, 0x53, 0x0d, 0x0a, 0x1a, 0x0a);
const formatVersion = 1;
const fixedBytes = 16;
const checksumOffset = 12;

/** The longest head of a file. */
export const snapshotHeadBytesMax = fixedBytes + 0xffff;
/** What stands before the content of every frame. */
export const frameHeadBytes = 16;

const fieldVersion = 1;
const fieldReplayFrom = 2;
const fieldReplayVersion = 3;
const fieldCreatedAt = 4;
const headLengths: ReadonlyMap<number, number> = new Map([
  [fieldVersion, 8],
  [fieldReplayFrom, 8],
  [fieldReplayVersion, 8],
  [fieldCreatedAt, 8],
]);

const fieldBlockCount = 1;
const fieldEntryCount = 2;
const totalsLengths: ReadonlyMap<number, number> = new Map([
  [fieldBlockCount, 8],
  [fieldEntryCount, 8],
]);

/** What a file says of itself. */
export interface SnapshotHead {
  /** All commits up to this one are in it, and none after. */
  readonly version: number;
  /** A commit from which on the log is replayed; what the file already holds is passed over. */
  readonly replayFrom: LogPosition;
  /** The version of the commit that stands there; 0 when the log is replayed from its start. */
  readonly replayVersion: number;
  readonly createdAtMs: number;
}

export interface SnapshotTotals {
  readonly blockCount: number;
  readonly entryCount: number;
}

/** Frames below 0x8000 that are unknown are skipped, the others refused. */
export const frameKinds = { block: 1, end: 2, mustUnderstand: 0x8000 } as const;

export interface FrameHead {
  readonly kind: number;
  readonly contentBytes: number;
  readonly entryCount: number;
  readonly checksum: number;
}

/** The head of a file, and the checksum with which those of the frames begin. */
export function encodeSnapshotHead(head: SnapshotHead): { bytes: Buffer; checksum: number } {
  const fields = encodeFields([
    { type: fieldVersion, value: encodeNumber(head.version) },
    { type: fieldReplayFrom, value: encodeNumber(head.replayFrom) },
    { type: fieldReplayVersion, value: encodeNumber(head.replayVersion) },
    { type: fieldCreatedAt, value: encodeNumber(head.createdAtMs) },
  ]);
  const bytes = Buffer.alloc(fixedBytes + fields.length);
  bytes.set(magic);
  bytes.writeUInt16LE(formatVersion, 8);
  bytes.writeUInt16LE(fields.length, 10);
  bytes.set(fields, fixedBytes);
  const checksum = crc32(fields, crc32(bytes.subarray(0, checksumOffset)));
  bytes.writeUInt32LE(checksum, checksumOffset);
  return { bytes, checksum };
}

/** Reads the head at the start of `bytes`, which hold at least the head when the file does. */
export function decodeSnapshotHead(
  bytes: Buffer,
  file: string,
): { head: SnapshotHead; byteLength: number; checksum: number } {
  const place = { file, offset: 0 };
  for (const [index, byte] of magic.entries()) {
    if (bytes[index] !== byte) throw damaged(place, index, "the first bytes of a snapshot file");
  }
  if (bytes.byteLength < fixedBytes) throw damaged(place, bytes.byteLength, "a whole head");
  const byteLength = fixedBytes + bytes.readUInt16LE(10);
  if (bytes.byteLength < byteLength) throw damaged(place, bytes.byteLength, "a whole head");
  const fieldBytes = bytes.subarray(fixedBytes, byteLength);
  const checksum = crc32(fieldBytes, crc32(bytes.subarray(0, checksumOffset)));
  if (checksum !== bytes.readUInt32LE(checksumOffset)) {
    throw damaged(place, checksumOffset, "a head that has its checksum");
  }
  // Judged after the checksum, so that a flipped bit is not taken for a newer version.
  const version = bytes.readUInt16LE(8);
  if (version > formatVersion) throw writtenByNewer(place, 8, `Format ${version} of the file`);
  if (version !== formatVersion) throw damaged(place, 8, `format ${formatVersion}`);
  const number = readNumbers(fieldBytes, headLengths, { file, offset: fixedBytes });
  return {
    head: {
      version: number(fieldVersion),
      replayFrom: logPosition(number(fieldReplayFrom)),
      replayVersion: number(fieldReplayVersion),
      createdAtMs: number(fieldCreatedAt),
    },
    byteLength,
    checksum,
  };
}

/**
 * A frame around its content. `checksumBefore` is that of the frame before, or of the head: so each frame also vouches
 * for all before it, and none can be taken from another file.
 */
export function encodeFrameHead(
  frame: Omit<FrameHead, "checksum" | "contentBytes">,
  content: Uint8Array,
  checksumBefore: number,
): { bytes: Buffer; checksum: number } {
  const bytes = Buffer.alloc(frameHeadBytes);
  bytes.writeUInt16LE(frame.kind, 0);
  bytes.writeUInt32LE(content.byteLength, 4);
  bytes.writeUInt32LE(frame.entryCount, 8);
  const checksum = frameChecksum(bytes, content, checksumBefore);
  bytes.writeUInt32LE(checksum, 12);
  return { bytes, checksum };
}

/** Reads the head of a frame, and checks its lengths against the `bytesLeft` behind it before anything is allocated. */
export function decodeFrameHead(bytes: Buffer, bytesLeft: number, place: BytesPlace): FrameHead {
  const frame = {
    kind: bytes.readUInt16LE(0),
    contentBytes: bytes.readUInt32LE(4),
    entryCount: bytes.readUInt32LE(8),
    checksum: bytes.readUInt32LE(12),
  };
  if (bytes.readUInt16LE(2) !== 0) throw damaged(place, 2, "two zero bytes");
  if (frame.contentBytes > blockBytesMax) {
    throw damaged(place, 4, `a frame of at most ${blockBytesMax} bytes`);
  }
  if (frame.contentBytes > bytesLeft) throw damaged(place, 4, "a frame that ends inside the file");
  return frame;
}

/** The checksum over the first 12 bytes of a frame's head and its content, going on from the one before. */
export function frameChecksum(head: Buffer, content: Uint8Array, checksumBefore: number): number {
  return crc32(content, crc32(head.subarray(0, 12), checksumBefore));
}

/** The content of the last frame. */
export function encodeTotals({ blockCount, entryCount }: SnapshotTotals): Uint8Array {
  return encodeFields([
    { type: fieldBlockCount, value: encodeNumber(blockCount) },
    { type: fieldEntryCount, value: encodeNumber(entryCount) },
  ]);
}

/** Reads the content of the last frame. */
export function decodeTotals(bytes: Buffer, place: BytesPlace): SnapshotTotals {
  const number = readNumbers(bytes, totalsLengths, place);
  return { blockCount: number(fieldBlockCount), entryCount: number(fieldEntryCount) };
}

function readNumbers(
  bytes: Uint8Array,
  lengths: ReadonlyMap<number, number>,
  place: BytesPlace,
): (field: number) => number {
  const outcome = decodeFields(bytes, lengths);
  if (outcome.kind === "newer") throw writtenByNewer(place, 0, `What is there (${outcome.reason})`);
  if (outcome.kind === "bad") throw damaged(place, 0, `whole fields (${outcome.reason})`);
  return (field) => {
    const value = outcome.values.get(field);
    const number = value && decodeNumber(value);
    if (number === undefined) throw damaged(place, 0, `a field ${field} below 2^53`);
    return number;
  };
}
