/** A cursor over the bytes of a protobuf message. */

import { EvidenceError } from "../evidence-error.ts";

/** Reads fields one after the other. Throws an `EvidenceError` where the bytes are none of a message. */
export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, from = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** The number of a field and its wire type, as they stand together before it. */
  tag(): number {
    return this.unsigned();
  }

  /** A number without a sign; beyond 2^53 it is rounded. */
  unsigned(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < varintBytesMax; count += 1) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw broken("a number that does not end", this.#at);
  }

  /** A number of 64 bits with a sign; beyond 2^53 it is rounded. */
  signed(): number {
    const start = this.#at;
    const value = this.unsigned();
    if (value < 2 ** 63) return value;
    // Rounding must not eat what a small negative number is: it is read again, from its two's complement.
    this.#at = start;
    let bits = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte();
      bits |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, bits));
    }
  }

  /** A message within this one. */
  message(): Cursor {
    const [from, end] = this.#span();
    return new Cursor(this.#bytes, from, end);
  }

  /** The bytes of a text. */
  bytes(): Uint8Array {
    const [from, end] = this.#span();
    return this.#bytes.subarray(from, end);
  }

  /** Numbers that stand in one field together, or one that stands alone. */
  numbers(tag: number, into: number[], countMax: number): void {
    if ((tag & 7) !== 2) {
      if (into.length < countMax) into.push(this.signed());
      else this.signed();
      return;
    }
    const packed = this.message();
    while (!packed.isAtEnd) {
      const value = packed.signed();
      if (into.length < countMax) into.push(value);
    }
  }

  /** Passes over a field that is not wanted. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.unsigned();
        return;
      case 1:
        this.#forward(8);
        return;
      case 2:
        this.#span();
        return;
      case 5:
        this.#forward(4);
        return;
      default:
        throw broken(`a field of the unknown kind ${tag & 7}`, this.#at);
    }
  }

  #span(): [number, number] {
    const size = this.unsigned();
    const from = this.#at;
    this.#forward(size);
    return [from, this.#at];
  }

  #forward(count: number): void {
    if (count > this.#end - this.#at) throw broken("a field that reaches beyond the end", this.#at);
    this.#at += count;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw broken("a number that is cut", this.#at);
    const byte = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }
}

const varintBytesMax = 10;

function broken(what: string, at: number): EvidenceError {
  return new EvidenceError(`The profile is broken: it has ${what}.`, {
    expected: "a profile of pprof in protobuf",
    where: `byte ${at}`,
  });
}
