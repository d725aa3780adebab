/** Collects sorted entries into blocks of about the target size. */

import { Block } from "./block.ts";
import { BlockMemory } from "./block-memory.ts";
import { type EntryWrite, entryByteLength, writeEntry } from "./entry-codec.ts";

/** Entries for which there is room at first. */
const entryCountFirst = 512;

/** Entries that stand together in a block. */
export interface EntryRun {
  readonly start: number;
  readonly end: number;
  readonly expiresAtMsMin: number;
}

export class BlockBuilder {
  readonly #blockBytes: number;
  /** Filled again and again; blocks get copies of their own size. */
  #bytes: Buffer;
  #length = 0;
  #offsets = new Uint32Array(entryCountFirst);
  #entryCount = 0;
  #expiresAtMsMin = Infinity;

  /** A block is closed when the next entry would make it longer than `blockBytes`. */
  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes;
    this.#bytes = Buffer.allocUnsafeSlow(blockBytes);
  }

  get byteLength(): number {
    return this.#length;
  }

  /** Whether an entry of this many bytes should begin the next block. */
  isFullFor(entryBytes: number): boolean {
    return this.#length > 0 && this.#length + entryBytes > this.#blockBytes;
  }

  addWrite(write: EntryWrite): void {
    const at = this.#reserve(entryByteLength(write), write.expiresAtMs);
    writeEntry(this.#bytes, at, write);
  }

  /**
   * Adds entries of another block as they stand there, with fields that this version does not know: those of the slots
   * from `start` to before `end`, as far as they fit. None of them expires before `expiresAtMsMin`. Gives the slot of
   * the first that did not fit.
   */
  addRun(block: Block, { start, end, expiresAtMsMin }: EntryRun): number {
    const from = block.offsetAt(start);
    const shift = this.#length - from;
    let slot = start;
    while (slot < end) {
      const entryEnd = block.offsetAt(slot + 1);
      if (entryEnd + shift > this.#blockBytes && this.#length + slot - start > 0) break;
      this.#addOffset(block.offsetAt(slot) + shift);
      slot += 1;
    }
    const byteLength = block.offsetAt(slot) - from;
    this.#grow(this.#length + byteLength);
    block.bytes.copy(this.#bytes, this.#length, from, from + byteLength);
    this.#length += byteLength;
    if (expiresAtMsMin < this.#expiresAtMsMin) this.#expiresAtMsMin = expiresAtMsMin;
    return slot;
  }

  /** The block of what was added since the last one; `undefined` when nothing was. */
  take(): Block | undefined {
    if (this.#length === 0) return undefined;
    const bytes = Buffer.allocUnsafeSlow(this.#length);
    this.#bytes.copy(bytes, 0, 0, this.#length);
    const memory = new BlockMemory(bytes, this.#offsets.slice(0, this.#entryCount));
    const block = new Block(memory, this.#expiresAtMsMin);
    // An entry larger than a block has made it grow.
    if (this.#bytes.byteLength > this.#blockBytes) {
      this.#bytes = Buffer.allocUnsafeSlow(this.#blockBytes);
    }
    this.#length = 0;
    this.#entryCount = 0;
    this.#expiresAtMsMin = Infinity;
    return block;
  }

  #reserve(entryBytes: number, expiresAtMs: number): number {
    const start = this.#length;
    const end = start + entryBytes;
    this.#grow(end);
    this.#addOffset(start);
    this.#length = end;
    if (expiresAtMs < this.#expiresAtMsMin) this.#expiresAtMsMin = expiresAtMs;
    return start;
  }

  #grow(byteLength: number): void {
    if (byteLength <= this.#bytes.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(byteLength);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  #addOffset(offset: number): void {
    if (this.#entryCount === this.#offsets.length) {
      const larger = new Uint32Array(this.#offsets.length * 2);
      larger.set(this.#offsets);
      this.#offsets = larger;
    }
    this.#offsets[this.#entryCount] = offset;
    this.#entryCount += 1;
  }
}
