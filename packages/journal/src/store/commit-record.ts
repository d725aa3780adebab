/** A commit as one record of the log (`docs/formats/journal-store.md`, "Commit record"). */

import { decodeFields, decodeNumber, encodeFields, encodeNumber } from "../log/fields.ts";
import { type BinaryKey, viewOf } from "./binary-key.ts";
import { EntryReader, type EntryWrite, entryByteLength, writeEntry } from "./entry-codec.ts";
import { type BytesPlace, damaged, writtenByNewer } from "./file-damage.ts";
import { commitWriteCountMax } from "./limits.ts";

export interface CommitRecord {
  readonly version: number;
  /** In ascending order of their keys. */
  readonly writes: readonly EntryWrite[];
}

const formatVersion = 1;
const fixedBytes = 4;
const fieldVersion = 1;
const fieldWriteCount = 2;
const fieldLengths: ReadonlyMap<number, number> = new Map([
  [fieldVersion, 8],
  [fieldWriteCount, 8],
]);

/** The bytes of a commit. Its writes are in ascending order of their keys. */
export function encodeCommit({ version, writes }: CommitRecord): Buffer {
  const fields = encodeFields([
    { type: fieldVersion, value: encodeNumber(version) },
    { type: fieldWriteCount, value: encodeNumber(writes.length) },
  ]);
  let byteLength = fixedBytes + fields.byteLength;
  for (const write of writes) byteLength += entryByteLength(write);
  const bytes = Buffer.allocUnsafe(byteLength);
  bytes.writeUInt16LE(formatVersion, 0);
  bytes.writeUInt16LE(fields.byteLength, 2);
  bytes.set(fields, fixedBytes);
  let at = fixedBytes + fields.byteLength;
  for (const write of writes) at = writeEntry(bytes, at, write);
  return bytes;
}

/**
 * Reads a commit; its values lie in the record. Refuses anything that `encodeCommit` of this or an older version cannot
 * have written.
 */
export function decodeCommit(record: Uint8Array, place: BytesPlace): CommitRecord {
  const bytes = viewOf(record);
  if (bytes.byteLength < fixedBytes) throw damaged(place, 0, "a commit");
  const version = bytes.readUInt16LE(0);
  if (version > formatVersion) throw writtenByNewer(place, 0, `A commit of format ${version}`);
  if (version !== formatVersion) throw damaged(place, 0, `a commit of format ${formatVersion}`);
  const start = fixedBytes + bytes.readUInt16LE(2);
  if (start > bytes.byteLength) throw damaged(place, 2, "fields that end inside the commit");
  const fields = decodeFields(bytes.subarray(fixedBytes, start), fieldLengths);
  if (fields.kind === "newer") throw writtenByNewer(place, fixedBytes, fields.reason);
  if (fields.kind === "bad")
    throw damaged(place, fixedBytes, `fields of a commit: ${fields.reason}`);
  const [commitVersion, writeCount] = [fieldVersion, fieldWriteCount].map((type) =>
    decodeNumber(fields.values.get(type) ?? new Uint8Array(8)),
  );
  if (commitVersion === undefined) throw damaged(place, fixedBytes, "a version below 2^53");
  if (writeCount === undefined || writeCount > commitWriteCountMax) {
    throw damaged(place, fixedBytes, `up to ${commitWriteCountMax} writes`);
  }
  return { version: commitVersion, writes: readWrites(bytes, start, { writeCount, place }) };
}

function readWrites(
  bytes: Buffer,
  start: number,
  { writeCount, place }: { writeCount: number; place: BytesPlace },
): EntryWrite[] {
  const reader = new EntryReader(bytes, place);
  const writes: EntryWrite[] = [];
  let previousKey: BinaryKey | undefined;
  let at = start;
  while (writes.length < writeCount) {
    reader.read(at, bytes.byteLength);
    const { key, expiresAtMs } = reader;
    if (previousKey !== undefined && key <= previousKey) {
      throw damaged(place, at, "writes in ascending order of their keys");
    }
    writes.push({ key, value: reader.value, expiresAtMs });
    previousKey = key;
    at = reader.end;
  }
  if (at !== bytes.byteLength) throw damaged(place, at, "the end of the commit");
  return writes;
}
