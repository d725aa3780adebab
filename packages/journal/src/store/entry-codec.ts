/**
 * One entry as bytes, the same in records of the log, in blocks of snapshot files and in memory
 * (`docs/formats/journal-store.md`): the length of its fields, then the fields with ascending tags.
 */

import type { JournalError } from "../journal-error.ts";
import { type BinaryKey, keyOfSlice } from "./binary-key.ts";
import { type BytesPlace, damaged, writtenByNewer } from "./file-damage.ts";
import { keyBytesMax, valueBytesMax } from "./limits.ts";

/** One write: a value, or a tombstone. */
export interface EntryWrite {
  readonly key: BinaryKey;
  /** `undefined` deletes the key. */
  readonly value: Buffer | undefined;
  /** Infinity when the entry does not expire. */
  readonly expiresAtMs: number;
}

const lengthBytes = 4;
const fieldHeaderBytes = 5;
const keyTag = 1;
const valueTag = 2;
const expiryTag = 3;
/** A field from this tag on changes what the entry means: who does not know it must not read the entry. */
const criticalTag = 128;
/** The shortest entry: an empty key and nothing else. */
export const entryBytesMin = lengthBytes + fieldHeaderBytes;

const wordSize = 2 ** 32;
const expiryHighMax = 2 ** 21;

export function entryByteLength({ key, value, expiresAtMs }: EntryWrite): number {
  return (
    lengthBytes +
    fieldHeaderBytes +
    key.length +
    (value === undefined ? 0 : fieldHeaderBytes + value.byteLength) +
    (expiresAtMs === Infinity ? 0 : fieldHeaderBytes + 8)
  );
}

/** Writes an entry at `offset` and returns the offset behind it. The buffer has room for it. */
export function writeEntry(buffer: Buffer, offset: number, entry: EntryWrite): number {
  const fieldsBytes = entryByteLength(entry) - lengthBytes;
  let at = buffer.writeUInt32LE(fieldsBytes, offset);
  at = writeFieldHeader(buffer, at, { tag: keyTag, bytes: entry.key.length });
  at += buffer.write(entry.key, at, "latin1");
  if (entry.value !== undefined) {
    at = writeFieldHeader(buffer, at, { tag: valueTag, bytes: entry.value.byteLength });
    buffer.set(entry.value, at);
    at += entry.value.byteLength;
  }
  if (entry.expiresAtMs !== Infinity) {
    at = writeFieldHeader(buffer, at, { tag: expiryTag, bytes: 8 });
    at = buffer.writeUInt32LE(entry.expiresAtMs % wordSize, at);
    at = buffer.writeUInt32LE(Math.floor(entry.expiresAtMs / wordSize), at);
  }
  return at;
}

function writeFieldHeader(
  buffer: Buffer,
  offset: number,
  field: { tag: number; bytes: number },
): number {
  return buffer.writeUInt32LE(field.bytes, buffer.writeUInt8(field.tag, offset));
}

/** Where the key of the entry at `offset` starts. The key is the first field, so its place is known. */
export function keyStartOf(offset: number): number {
  return offset + lengthBytes + fieldHeaderBytes;
}

/** Where the key of the checked entry at `offset` ends. */
export function keyEndOf(buffer: Buffer, offset: number): number {
  return keyStartOf(offset) + buffer.readUInt32LE(offset + lengthBytes + 1);
}

/** Walks entries without making objects; every length is checked against what is there before it is used. */
export class EntryReader {
  readonly #buffer: Buffer;
  readonly #place: BytesPlace;
  /** Where the entry starts and ends. */
  start = 0;
  end = 0;
  keyStart = 0;
  keyEnd = 0;
  /** -1 for a tombstone. */
  valueStart = -1;
  valueEnd = -1;
  /** Infinity when the entry does not expire. */
  expiresAtMs = Infinity;

  constructor(buffer: Buffer, place: BytesPlace) {
    this.#buffer = buffer;
    this.#place = place;
  }

  get key(): BinaryKey {
    return keyOfSlice(this.#buffer, this.keyStart, this.keyEnd);
  }

  /** A view of the value, not a copy; `undefined` for a tombstone. */
  get value(): Buffer | undefined {
    return this.valueStart < 0 ? undefined : this.#buffer.subarray(this.valueStart, this.valueEnd);
  }

  /** Reads the entry at `offset`, of which nothing may reach beyond `limit`. */
  read(offset: number, limit: number): void {
    const buffer = this.#buffer;
    if (limit - offset < lengthBytes) throw this.#corrupt(offset, "the length of an entry");
    const end = offset + lengthBytes + buffer.readUInt32LE(offset);
    if (end > limit) throw this.#corrupt(offset, "an entry that ends inside its container");
    this.start = offset;
    this.end = end;
    this.keyStart = -1;
    this.valueStart = -1;
    this.expiresAtMs = Infinity;
    let previousTag = 0;
    let at = offset + lengthBytes;
    while (at < end) {
      if (end - at < fieldHeaderBytes) throw this.#corrupt(at, "a field with tag and length");
      const tag = buffer[at] ?? 0;
      const start = at + fieldHeaderBytes;
      const bytes = buffer.readUInt32LE(at + 1);
      if (bytes > end - start) throw this.#corrupt(at, "a field that ends inside its entry");
      if (tag <= previousTag) throw this.#corrupt(at, "fields with ascending tags, each once");
      this.#take(tag, start, start + bytes);
      previousTag = tag;
      at = start + bytes;
    }
    if (this.keyStart < 0) throw this.#corrupt(offset, "an entry with a key");
  }

  #take(tag: number, start: number, end: number): void {
    if (tag === keyTag) {
      if (end - start > keyBytesMax) throw this.#corrupt(start, `a key up to ${keyBytesMax} bytes`);
      this.keyStart = start;
      this.keyEnd = end;
    } else if (tag === valueTag) {
      if (end - start > valueBytesMax) {
        throw this.#corrupt(start, `a value up to ${valueBytesMax} bytes`);
      }
      this.valueStart = start;
      this.valueEnd = end;
    } else if (tag === expiryTag) {
      if (end - start !== 8) throw this.#corrupt(start, "an expiry of 8 bytes");
      const high = this.#buffer.readUInt32LE(start + 4);
      if (high >= expiryHighMax) throw this.#corrupt(start, "an expiry below 2^53");
      this.expiresAtMs = high * wordSize + this.#buffer.readUInt32LE(start);
    } else if (tag >= criticalTag) {
      throw writtenByNewer(this.#place, start, `The field ${tag}`);
    }
  }

  #corrupt(at: number, expected: string): JournalError {
    return damaged(this.#place, at, expected);
  }
}
