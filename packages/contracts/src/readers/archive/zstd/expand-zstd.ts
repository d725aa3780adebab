/** Takes zstd off bytes (RFC 8878): frames of blocks, without dictionaries. */

import { ZstdFault } from "./backward-bits.ts";
import type { HuffmanTable } from "./huffman-table.ts";
import { readLiterals } from "./literals.ts";
import { readSequences, type SequenceTables } from "./sequences.ts";

const frameMark = 0xfd2f_b528;
/** Marks of frames that hold something else, but for their last four bits. */
const passedMark = 0x184d_2a50;
const blockBytesMax = 131_072;

/**
 * The bytes that these expand to. Throws a `ZstdFault` where they are no whole zstd, or would expand to more than
 * `sizeBytesMax`. Checksums are not compared: who calls it knows the size, and parses what it gets.
 */
export function expandZstd(bytes: Uint8Array, sizeBytesMax: number): Uint8Array {
  const output = new Output(sizeBytesMax);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) throw new ZstdFault("A frame is cut.");
    const mark = view.getUint32(at, true);
    if (mark >>> 4 === passedMark >>> 4) at += 8 + view.getUint32(at + 4, true);
    else if (mark === frameMark) at = expandFrame(bytes, at + 4, output);
    else throw new ZstdFault("There is no frame of zstd.");
  }
  if (at > bytes.length) throw new ZstdFault("A frame is cut.");
  return output.content();
}

function expandFrame(bytes: Uint8Array, from: number, output: Output): number {
  const descriptor = bytes[from] ?? 0;
  const isSingle = (descriptor & 32) !== 0;
  if ((descriptor & 3) !== 0) throw new ZstdFault("A frame needs a dictionary.");
  if ((descriptor & 8) !== 0) throw new ZstdFault("A frame is of a later form.");
  const sizeLength = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  let at = from + 1 + (isSingle ? 0 : 1) + sizeLength;
  const frame = new Frame(output);
  for (let isLast = false; !isLast;) {
    if (at + 3 > bytes.length) throw new ZstdFault("A frame is cut.");
    const [first = 0, second = 0, third = 0] = bytes.subarray(at, at + 3);
    const head = first + (second << 8) + (third << 16);
    isLast = (head & 1) === 1;
    const kind = (head >> 1) & 3;
    const size = head >> 3;
    at += 3;
    const end = at + (kind === 1 ? 1 : size);
    if (end > bytes.length || size > blockBytesMax) throw new ZstdFault("A block is cut.");
    if (kind === 0) output.append(bytes.subarray(at, end));
    else if (kind === 1) output.fill(bytes[at] ?? 0, size);
    else if (kind === 2) frame.expandBlock(bytes, at, end);
    else throw new ZstdFault("A block is of no known kind.");
    at = end;
  }
  return at + ((descriptor & 4) === 0 ? 0 : 4);
}

/** What blocks of one frame hand on to those behind them. */
class Frame {
  readonly #output: Output;
  readonly #start: number;
  #huffman: HuffmanTable | undefined;
  #tables: SequenceTables | undefined;
  /** The distances that were used last, the latest first. */
  #distances: readonly [number, number, number] = [1, 4, 8];

  constructor(output: Output) {
    this.#output = output;
    this.#start = output.sizeBytes;
  }

  expandBlock(bytes: Uint8Array, from: number, to: number): void {
    const output = this.#output;
    const literals = readLiterals(bytes, { from, to }, this.#huffman);
    this.#huffman = literals.table;
    const most = output.sizeBytes + blockBytesMax;
    let used = 0;
    this.#tables = readSequences(
      bytes,
      { from: literals.end, to },
      {
        known: this.#tables,
        take: (literalLength, offset, matchLength) => {
          const next = used + literalLength;
          if (next > literals.bytes.length) throw new ZstdFault("A block has too few literals.");
          output.append(literals.bytes.subarray(used, next));
          used = next;
          const distance = this.#distanceOf(offset, literalLength === 0);
          if (distance < 1 || distance > output.sizeBytes - this.#start) {
            throw new ZstdFault("A sequence reaches before the frame.");
          }
          output.repeat(distance, matchLength);
          if (output.sizeBytes > most) throw new ZstdFault("A block is too large.");
        },
      },
    );
    output.append(literals.bytes.subarray(used));
    if (output.sizeBytes > most) throw new ZstdFault("A block is too large.");
  }

  /** Offsets up to 3 name a distance that was used; where no literal stands before, the one after it. */
  #distanceOf(offset: number, isWithoutLiterals: boolean): number {
    const [first, second, third] = this.#distances;
    const place = offset > 3 ? 3 : offset - 1 + (isWithoutLiterals ? 1 : 0);
    if (place === 0) return first;
    const distance =
      offset > 3 ? offset - 3 : place === 1 ? second : place === 2 ? third : first - 1;
    this.#distances = [distance, first, place === 1 ? third : second];
    return distance;
  }
}

/** Grows up to its bound. */
class Output {
  readonly #sizeBytesMax: number;
  #bytes: Uint8Array;
  sizeBytes = 0;

  constructor(sizeBytesMax: number) {
    this.#sizeBytesMax = sizeBytesMax;
    this.#bytes = new Uint8Array(Math.min(sizeBytesMax, blockBytesMax));
  }

  content(): Uint8Array {
    return this.#bytes.subarray(0, this.sizeBytes);
  }

  append(bytes: Uint8Array): void {
    const from = this.#reserve(bytes.length);
    this.#bytes.set(bytes, from);
  }

  fill(byte: number, count: number): void {
    const from = this.#reserve(count);
    this.#bytes.fill(byte, from, from + count);
  }

  /** Bytes from so far back, which may be those that are being written. */
  repeat(distance: number, count: number): void {
    const from = this.#reserve(count);
    const bytes = this.#bytes;
    if (distance >= count) {
      bytes.copyWithin(from, from - distance, from - distance + count);
      return;
    }
    for (let at = from; at < from + count; at += 1) bytes[at] = bytes[at - distance] ?? 0;
  }

  /** Makes room for so many bytes more, and gives where they begin. */
  #reserve(count: number): number {
    const from = this.sizeBytes;
    this.sizeBytes += count;
    if (this.sizeBytes > this.#sizeBytesMax) throw new ZstdFault("It expands beyond the limit.");
    if (this.sizeBytes > this.#bytes.length) {
      const bytes = new Uint8Array(
        Math.min(this.#sizeBytesMax, Math.max(this.sizeBytes, 2 * this.#bytes.length)),
      );
      bytes.set(this.#bytes.subarray(0, from));
      this.#bytes = bytes;
    }
    return from;
  }
}
