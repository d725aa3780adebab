/** What the last compaction left: immutable blocks in the order of their keys. */

import type { BinaryKey } from "./binary-key.ts";
import type { Block } from "./block.ts";
import type { EntryReader } from "./entry-codec.ts";

export class Base {
  readonly blocks: readonly Block[];
  readonly bytes: number;
  readonly entryCount: number;
  /** The first moment at which an entry expires; infinity when none does. */
  readonly expiresAtMsMin: number;

  /** Side by side, because a search reads many of them and little else. */
  readonly #lastKeys: readonly BinaryKey[];

  constructor(blocks: readonly Block[]) {
    this.blocks = blocks;
    this.#lastKeys = blocks.map(({ lastKey }) => lastKey);
    let bytes = 0;
    let entryCount = 0;
    let expiresAtMsMin = Infinity;
    for (const block of blocks) {
      bytes += block.bytes.byteLength;
      entryCount += block.entryCount;
      if (block.expiresAtMsMin < expiresAtMsMin) expiresAtMsMin = block.expiresAtMsMin;
    }
    this.bytes = bytes;
    this.entryCount = entryCount;
    this.expiresAtMsMin = expiresAtMsMin;
  }

  /** The entry of a key. The reader is shared: use what it says before the next call. */
  find(key: BinaryKey): EntryReader | undefined {
    const block = this.blocks[this.blockIndexOf(key)];
    if (block === undefined) return undefined;
    const slot = block.lowerBound(key);
    if (slot >= block.entryCount || block.keyAt(slot) !== key) return undefined;
    return block.entryAt(slot);
  }

  /** The first block whose last key is not less than `key`. */
  blockIndexOf(key: BinaryKey): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const lastKey = this.#lastKeys[middle];
      if (lastKey !== undefined && lastKey < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A cursor at the first key that is not less than `from`. */
  seek(from: BinaryKey): BaseCursor {
    return new BaseCursor(this, from);
  }
}

/** Walks the entries of a base. */
export class BaseCursor {
  readonly #base: Base;
  #blockIndex: number;
  #slot: number;
  /** What the cursor stands at; `undefined` at the end. */
  key: BinaryKey | undefined;

  constructor(base: Base, from: BinaryKey) {
    this.#base = base;
    this.#blockIndex = base.blockIndexOf(from);
    this.#slot = base.blocks[this.#blockIndex]?.lowerBound(from) ?? 0;
    this.key = base.blocks[this.#blockIndex]?.keyAt(this.#slot);
  }

  /** The entry that the cursor stands at; use what it says before the next call. */
  get entry(): EntryReader | undefined {
    return this.key === undefined
      ? undefined
      : this.#base.blocks[this.#blockIndex]?.entryAt(this.#slot);
  }

  /** The block in which the cursor stands. */
  get block(): Block | undefined {
    return this.#base.blocks[this.#blockIndex];
  }

  /** The slot of that block at which it stands. */
  get slot(): number {
    return this.#slot;
  }

  /** Goes to the first key greater than `key`. The cursor stood at or after `key`. */
  movePast(key: BinaryKey): void {
    if (this.key === key) this.moveTo(this.#slot + 1);
  }

  /** Goes to a slot of the block, or behind its last one to the next block. */
  moveTo(slot: number): void {
    const { block } = this;
    if (block === undefined || slot >= block.entryCount) {
      this.skipBlock();
      return;
    }
    this.#slot = slot;
    this.key = block.keyAt(slot);
  }

  /** Goes to the first entry of the next block. */
  skipBlock(): void {
    this.#blockIndex += 1;
    this.#slot = 0;
    this.key = this.#base.blocks[this.#blockIndex]?.firstKey;
  }
}
