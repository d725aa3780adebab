/** An immutable run of sorted entries: the bytes as they stand in the snapshot file, and where each entry starts. */

import { type BinaryKey, keyOfSlice } from "./binary-key.ts";
import { BlockMemory } from "./block-memory.ts";
import { EntryReader, keyEndOf, keyStartOf } from "./entry-codec.ts";
import { type BytesPlace, damaged } from "./file-damage.ts";

export class Block {
  readonly bytes: Buffer;
  readonly memory: BlockMemory;
  readonly #offsets: Uint32Array;
  readonly #reader: EntryReader;
  /** The first moment at which an entry of this block expires; infinity when none does. */
  readonly expiresAtMsMin: number;
  readonly firstKey: BinaryKey;
  readonly lastKey: BinaryKey;

  /** The entries from `firstSlot` on. */
  constructor(memory: BlockMemory, expiresAtMsMin: number, firstSlot = 0) {
    this.memory = memory;
    this.bytes = memory.bytes;
    this.#offsets = firstSlot === 0 ? memory.offsets : memory.offsets.subarray(firstSlot);
    this.expiresAtMsMin = expiresAtMsMin;
    this.#reader = new EntryReader(memory.bytes, { file: "memory", offset: 0 });
    this.firstKey = this.keyAt(0);
    this.lastKey = this.keyAt(this.entryCount - 1);
  }

  get entryCount(): number {
    return this.#offsets.length;
  }

  /** The entries whose keys are greater than `key`, of which there is at least one; in the same memory. */
  after(key: BinaryKey): Block {
    const slot = this.lowerBound(key);
    const firstSlot = this.keyAt(slot) === key ? slot + 1 : slot;
    if (firstSlot === 0) return this;
    const before = this.memory.offsets.length - this.entryCount;
    return new Block(this.memory, this.expiresAtMsMin, before + firstSlot);
  }

  /** Where the entry at a slot starts; behind the last slot, where the block ends. */
  offsetAt(slot: number): number {
    return this.#offsets[slot] ?? this.bytes.byteLength;
  }

  keyAt(slot: number): BinaryKey {
    const offset = this.#offsets[slot] ?? 0;
    return keyOfSlice(this.bytes, keyStartOf(offset), keyEndOf(this.bytes, offset));
  }

  /** The parsed entry at a slot. The reader is shared: use what it says before the next call. */
  entryAt(slot: number): EntryReader {
    this.#reader.read(this.#offsets[slot] ?? 0, this.bytes.byteLength);
    return this.#reader;
  }

  /** The first slot whose key is not less than `key`. */
  lowerBound(key: BinaryKey): number {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBelow(middle, key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether the key at a slot is less than `key`; compares bytes in place, without making a string. */
  #isBelow(slot: number, key: BinaryKey): boolean {
    const offset = this.#offsets[slot] ?? 0;
    const start = keyStartOf(offset);
    const length = keyEndOf(this.bytes, offset) - start;
    const common = Math.min(length, key.length);
    for (let index = 0; index < common; index += 1) {
      const difference = (this.bytes[start + index] ?? 0) - key.charCodeAt(index);
      if (difference !== 0) return difference < 0;
    }
    return length < key.length;
  }
}

/**
 * Checks the bytes of a block and finds its entries. Keys ascend strictly, so that none stands twice, also over the
 * border to the block before, whose last key is `after`. The block keeps the bytes, which lie alone in their buffer.
 */
export function parseBlock(
  bytes: Buffer,
  content: { entryCount: number; after: BinaryKey | undefined; place: BytesPlace },
): Block {
  const { entryCount, place } = content;
  const reader = new EntryReader(bytes, place);
  const offsets = new Uint32Array(entryCount);
  let expiresAtMsMin = Infinity;
  let previous = -1;
  let at = 0;
  for (let slot = 0; slot < entryCount; slot += 1) {
    reader.read(at, bytes.byteLength);
    if (reader.valueStart < 0) throw damaged(place, at, "an entry with a value");
    const ascends =
      previous < 0 ? isAfter(reader.key, content.after) : ascendsBetween(bytes, previous, at);
    if (!ascends) throw damaged(place, at, "keys in ascending order");
    if (reader.expiresAtMs < expiresAtMsMin) expiresAtMsMin = reader.expiresAtMs;
    offsets[slot] = at;
    previous = at;
    at = reader.end;
  }
  if (at !== bytes.byteLength) throw damaged(place, at, "the end of the block");
  return new Block(new BlockMemory(bytes, offsets), expiresAtMsMin);
}

function isAfter(key: BinaryKey, before: BinaryKey | undefined): boolean {
  return before === undefined || key > before;
}

/** Whether the key of the entry at `next` is greater than that at `previous`; compares in place, for speed. */
function ascendsBetween(bytes: Buffer, previous: number, next: number): boolean {
  const start = keyStartOf(previous);
  const nextStart = keyStartOf(next);
  const length = keyEndOf(bytes, previous) - start;
  const nextLength = keyEndOf(bytes, next) - nextStart;
  const common = Math.min(length, nextLength);
  for (let index = 0; index < common; index += 1) {
    const difference = (bytes[nextStart + index] ?? 0) - (bytes[start + index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return nextLength > length;
}
