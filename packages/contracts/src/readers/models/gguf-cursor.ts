/** A cursor over the header of a GGUF file, of which more bytes may come. */

import { EvidenceError } from "../evidence-error.ts";
import { modelLimits } from "./limits.ts";

export type GgufValue = string | number | boolean | readonly (string | number | boolean)[];

/** Thrown inside this reader alone: the header goes on beyond the bytes that are here. */
export class NeedsMore extends Error {
  readonly bytesMin: number;

  constructor(bytesMin: number) {
    super("The header goes on.");
    this.bytesMin = bytesMin;
  }
}

const decoder = new TextDecoder("utf-8");
/** Bytes of a value of each kind of fixed size, by the number of the kind. */
const sizes: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 4],
  [5, 4],
  [6, 4],
  [7, 1],
  [10, 8],
  [11, 8],
  [12, 8],
]);
const textType = 8;
const arrayType = 9;

/** Every call throws `NeedsMore` at the end of the bytes, and an `EvidenceError` where they are none of a header. */
export class GgufCursor {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  skip(count: number): void {
    this.#take(count);
  }

  unsigned32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  unsigned64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw broken("a number that is too large", this.#at);
    return Number(value);
  }

  /** A number of things that follow. */
  count(countMax: number, what: string): number {
    const count = this.unsigned64();
    if (count > countMax) {
      throw new EvidenceError(`The GGUF file has too many ${what}.`, {
        expected: `at most ${countMax} ${what}`,
        where: `byte ${this.#at}`,
      });
    }
    return count;
  }

  text(): string {
    const length = this.count(modelLimits.headerBytesMax, "bytes in a text");
    const from = this.#take(length);
    return decoder.decode(this.#bytes.subarray(from, from + length));
  }

  /** A value of a kind. Lists within lists are nobody's setting. */
  value(type: number): GgufValue {
    if (type === textType) return this.text();
    if (type !== arrayType) return this.#scalar(type);
    const itemType = this.unsigned32();
    const count = this.count(modelLimits.arrayLengthMax, "items in a list");
    if (itemType !== textType) {
      const size = sizes.get(itemType);
      if (size === undefined) throw broken(`a list of the unknown kind ${itemType}`, this.#at);
      this.#require(count * size);
    }
    const items: (string | number | boolean)[] = [];
    for (let index = 0; index < count; index += 1) {
      items.push(itemType === textType ? this.text() : this.#scalar(itemType));
    }
    return items;
  }

  #scalar(type: number): number | boolean {
    const size = sizes.get(type);
    if (size === undefined) throw broken(`a value of the unknown kind ${type}`, this.#at);
    const at = this.#take(size);
    switch (type) {
      case 0:
        return this.#view.getUint8(at);
      case 1:
        return this.#view.getInt8(at);
      case 2:
        return this.#view.getUint16(at, true);
      case 3:
        return this.#view.getInt16(at, true);
      case 4:
        return this.#view.getUint32(at, true);
      case 5:
        return this.#view.getInt32(at, true);
      case 6:
        return finite(this.#view.getFloat32(at, true));
      case 7:
        return this.#view.getUint8(at) !== 0;
      case 10:
        return Number(this.#view.getBigUint64(at, true));
      case 11:
        return Number(this.#view.getBigInt64(at, true));
      default:
        return finite(this.#view.getFloat64(at, true));
    }
  }

  #take(count: number): number {
    this.#require(count);
    const from = this.#at;
    this.#at += count;
    return from;
  }

  #require(count: number): void {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new NeedsMore(end);
  }
}

/** JSON has no place for what is no finite number. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

function broken(what: string, at: number): EvidenceError {
  return new EvidenceError(`The header of the GGUF file is broken: it has ${what}.`, {
    expected: "a header of GGUF",
    where: `byte ${at}`,
  });
}
