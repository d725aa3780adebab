/** Collects sorted entries into blocks of about the target size. */

import { Block } from "./block.ts";
import { type EntryReader, type EntryWrite, entryByteLength, writeEntry } from "./entry-codec.ts";

export class BlockBuilder {
  readonly #blockBytes: number;
  #bytes: Buffer;
  #length = 0;
  #offsets: number[] = [];
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

  /** Adds an entry of another block as it stands there, with fields that this version does not know. */
  addEntry(bytes: Buffer, entry: EntryReader): void {
    const at = this.#reserve(entry.end - entry.start, entry.expiresAtMs);
    bytes.copy(this.#bytes, at, entry.start, entry.end);
  }

  /** The block of what was added since the last one; `undefined` when nothing was. */
  take(): Block | undefined {
    if (this.#length === 0) return undefined;
    const used = this.#bytes.subarray(0, this.#length);
    const block = new Block({
      // A block that is far from full must not keep the memory of a full one.
      bytes: this.#length < this.#bytes.byteLength / 2 ? ownCopy(used) : used,
      offsets: Uint32Array.from(this.#offsets),
      expiresAtMsMin: this.#expiresAtMsMin,
    });
    this.#bytes = Buffer.allocUnsafeSlow(this.#blockBytes);
    this.#length = 0;
    this.#offsets = [];
    this.#expiresAtMsMin = Infinity;
    return block;
  }

  #reserve(entryBytes: number, expiresAtMs: number): number {
    const start = this.#length;
    const end = start + entryBytes;
    if (end > this.#bytes.byteLength) {
      const larger = Buffer.allocUnsafeSlow(end);
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    this.#offsets.push(start);
    this.#length = end;
    if (expiresAtMs < this.#expiresAtMsMin) this.#expiresAtMsMin = expiresAtMs;
    return start;
  }
}

function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength);
  bytes.copy(copy);
  return copy;
}
