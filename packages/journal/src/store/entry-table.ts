/**
 * Keys, and the versions of each, in a few arrays outside the heap: however many there are, the collector has nothing
 * to mark and nothing to move. Entries are numbers. Nothing is taken out again; the table goes as a whole.
 */

import { type BinaryKey, keyOfSlice } from "./binary-key.ts";

/** A key of the table. */
export type KeyId = number;
/** A version of a key. */
type VersionId = number;

/** One write of one key. */
export interface EntryVersion {
  /** The commit that wrote it. */
  readonly version: number;
  /** `undefined` is a tombstone. */
  readonly value: Buffer | undefined;
  /** On the caller's clock; infinity when the entry does not expire. */
  readonly expiresAtMs: number;
}

/** No version. */
export const noVersion: VersionId = -1;

/** Small at first, because a transaction has a table of its own. */
const countFirst = 8;
const chunkBytesFirst = 512;
/** The most that is wasted at the end of a chunk is what the next write did not fit into. */
const chunkBytesMax = 256 * 1_024;

/** Enough for the longest kind of number. */
const bytesPerNumber = Float64Array.BYTES_PER_ELEMENT;
/** The numbers of a key: its chunk, where its bytes stand in that, how many they are, its newest version. */
const keyStride = 4;
/** The numbers of a version: commit, expiry, chunk, start and length of the value (-1: tombstone), the next older one. */
const versionStride = 6;

export class EntryTable {
  readonly #chunks: Buffer[] = [];
  #chunkUsedBytes = 0;
  #keys = new Int32Array(0);
  #keyCount = 0;
  #versions = new Float64Array(0);
  #versionCount = 0;

  /** Adds a key that has no version yet. */
  addKey(key: BinaryKey): KeyId {
    const id = this.#keyCount;
    const at = id * keyStride;
    if (at === this.#keys.length) this.#keys = new Int32Array(larger(this.#keys, keyStride));
    this.#keyCount += 1;
    const start = this.#reserve(key.length);
    const chunkIndex = this.#chunks.length - 1;
    this.#chunks[chunkIndex]?.write(key, start, "latin1");
    this.#keys[at] = chunkIndex;
    this.#keys[at + 1] = start;
    this.#keys[at + 2] = key.length;
    this.#keys[at + 3] = noVersion;
    return id;
  }

  keyAt(id: KeyId): BinaryKey {
    const start = this.#key(id, 1);
    const chunk = this.#chunks[this.#key(id, 0)];
    // A key that the table has given out stands in one of its chunks.
    return keyOfSlice(chunk ?? Buffer.alloc(0), start, start + this.#key(id, 2));
  }

  /** Below 0 when the key of the table is less than `key`, 0 when it is the same; makes no string. */
  compareKey(id: KeyId, key: BinaryKey): number {
    const chunk = this.#chunks[this.#key(id, 0)];
    const start = this.#key(id, 1);
    const length = this.#key(id, 2);
    const common = Math.min(length, key.length);
    for (let index = 0; index < common; index += 1) {
      const difference = (chunk?.[start + index] ?? 0) - key.charCodeAt(index);
      if (difference !== 0) return difference;
    }
    return length - key.length;
  }

  /** Puts a version on top of those of a key; the bytes of its value are copied. */
  push(id: KeyId, { version, value, expiresAtMs }: EntryVersion): void {
    const versionId = this.#versionCount;
    const at = versionId * versionStride;
    if (at === this.#versions.length) {
      this.#versions = new Float64Array(larger(this.#versions, versionStride));
    }
    this.#versionCount += 1;
    const start = this.#reserve(value?.byteLength ?? 0);
    const chunkIndex = this.#chunks.length - 1;
    if (value !== undefined) this.#chunks[chunkIndex]?.set(value, start);
    this.#versions[at] = version;
    this.#versions[at + 1] = expiresAtMs;
    this.#versions[at + 2] = chunkIndex;
    this.#versions[at + 3] = start;
    this.#versions[at + 4] = value?.byteLength ?? -1;
    this.#versions[at + 5] = this.newestOf(id);
    this.setNewest(id, versionId);
  }

  newestOf(id: KeyId): VersionId {
    return this.#key(id, 3);
  }

  setNewest(id: KeyId, versionId: VersionId): void {
    this.#keys[id * keyStride + 3] = versionId;
  }

  /** The commit that wrote a version. */
  versionOf(versionId: VersionId): number {
    return this.#version(versionId, 0);
  }

  expiresAtMsOf(versionId: VersionId): number {
    return this.#version(versionId, 1);
  }

  /** The bytes inside the table, not a copy; `undefined` for a tombstone. */
  valueOf(versionId: VersionId): Buffer | undefined {
    const length = this.#version(versionId, 4);
    if (length < 0) return undefined;
    const start = this.#version(versionId, 3);
    return this.#chunks[this.#version(versionId, 2)]?.subarray(start, start + length);
  }

  previousOf(versionId: VersionId): VersionId {
    return this.#version(versionId, 5);
  }

  setPrevious(versionId: VersionId, previous: VersionId): void {
    this.#versions[versionId * versionStride + 5] = previous;
  }

  #key(id: KeyId, field: number): number {
    return this.#keys[id * keyStride + field] ?? 0;
  }

  #version(versionId: VersionId, field: number): number {
    return this.#versions[versionId * versionStride + field] ?? 0;
  }

  /** Room for bytes in the last chunk, or in a new one; gives where it begins. */
  #reserve(byteLength: number): number {
    const capacity = this.#chunks.at(-1)?.byteLength ?? 0;
    if (this.#chunks.length === 0 || this.#chunkUsedBytes + byteLength > capacity) {
      const next = Math.min(chunkBytesMax, Math.max(chunkBytesFirst, capacity * 2));
      this.#chunks.push(Buffer.allocUnsafeSlow(Math.max(next, byteLength)));
      this.#chunkUsedBytes = 0;
    }
    const start = this.#chunkUsedBytes;
    this.#chunkUsedBytes += byteLength;
    return start;
  }
}

/** The numbers in memory of twice the size; what they stood in is given back at once, not when garbage is collected. */
function larger(
  { buffer, byteLength }: Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>,
  stride: number,
): ArrayBuffer {
  return buffer.transfer(Math.max(countFirst * stride * bytesPerNumber, byteLength * 2));
}
