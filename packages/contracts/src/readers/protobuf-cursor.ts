/** A cursor over the bytes of a protobuf message. */

import { EvidenceError } from "./evidence-error.ts";

/** What the bytes should be, in the words of the error where they are not. */
export interface MessageWords {
  /** For example `The profile`. */
  readonly subject: string;
  readonly expected: string;
}

/** Reads fields one after the other. Throws an `EvidenceError` where the bytes are none of a message. */
export class ProtobufCursor {
  readonly #bytes: Uint8Array;
  readonly #words: MessageWords;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, words: MessageWords, [from, end] = [0, bytes.length]) {
    this.#bytes = bytes;
    this.#words = words;
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
    throw this.#broken("a number that does not end");
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
  message(): ProtobufCursor {
    return new ProtobufCursor(this.#bytes, this.#words, this.#span());
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
        throw this.#broken(`a field of the unknown kind ${tag & 7}`);
    }
  }

  #span(): [number, number] {
    const size = this.unsigned();
    const from = this.#at;
    this.#forward(size);
    return [from, this.#at];
  }

  #forward(count: number): void {
    if (count > this.#end - this.#at) throw this.#broken("a field that reaches beyond the end");
    this.#at += count;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw this.#broken("a number that is cut");
    const byte = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }

  #broken(what: string): EvidenceError {
    const { subject, expected } = this.#words;
    return new EvidenceError(`${subject} is broken: it has ${what}.`, {
      expected,
      where: `byte ${this.#at}`,
    });
  }
}

const varintBytesMax = 10;
