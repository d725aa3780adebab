/** A cursor over protobuf bytes: protobufjs's reader with bounded messages, cheap repeated text, and exact 64-bit values. */

import { Reader } from "protobufjs/minimal.js";

import { EvidenceError } from "../evidence-error.ts";
import { type Moment, momentOfHalves } from "./value.ts";

/** Text up to this many bytes is looked up among the texts that were read before. */
const sharedTextBytesMax = 128;
const sharedTextSlots = 4_096;

const traceIdBytes = 16;
const idBytesMax = 64;

/** The digits of a byte `b` stand at `2 * b`. */
const hexDigits = Uint8Array.from(
  { length: 512 },
  (_, at) =>
    (at >> 1)
      .toString(16)
      .padStart(2, "0")
      .codePointAt(at & 1) ?? 0,
);

/** Within a message `len` is the end of that message, so that no field can reach beyond it. */
export class WireReader extends Reader {
  #lastHex = "";
  #lastHexFrom = 0;
  #lastHexSize = -1;
  readonly #sharedTexts = Array.from<string | undefined>({ length: sharedTextSlots });

  /** Steps into a length-delimited message; the result goes to `leave`. */
  enter(): number {
    const size = this.size();
    if (size > this.len - this.pos) {
      throw new RangeError(`a message of ${size} bytes where ${this.len - this.pos} are left`);
    }
    const outer = this.len;
    this.len = this.pos + size;
    return outer;
  }

  /** Steps out of the message whose fields were all read. */
  leave(outer: number): void {
    this.len = outer;
  }

  /** Skips the field of the tag that was just read. */
  skipField(tag: number): void {
    this.skipType(tag & 7, 0, tag >>> 3);
  }

  /** Skips a length-delimited message and gives where it begins; see `at`. */
  placeOf(): number {
    const start = this.pos;
    this.skip(this.size());
    return start;
  }

  /** Runs `read` on a message that was skipped before, and returns to the present position. */
  at(place: number, read: () => void): void {
    const back = this.pos;
    this.pos = place;
    const outer = this.enter();
    read();
    this.leave(outer);
    this.pos = back;
  }

  /** A fixed 64-bit count of nanoseconds. */
  moment(): Moment {
    const low = this.fixed32();
    return momentOfHalves(this.fixed32(), low);
  }

  /** A signed 64-bit varint: a number when it is exact as one, else decimal text. */
  integer(): number | string {
    if (this.pos < this.len) {
      const first = this.buf[this.pos];
      if (first !== undefined && first < 128) {
        this.pos += 1;
        return first;
      }
    }
    const digits = digitsOf(this.int64());
    const value = Number(digits);
    return Number.isSafeInteger(value) ? value : digits;
  }

  /** A 64-bit value as decimal text, exactly. */
  digits(type: "uint64" | "fixed64" | "sfixed64"): string {
    return digitsOf(this[type]());
  }

  /** Bytes as lower-case hexadecimal. The same bytes as last time are the same string: spans of one trace come together. */
  hex(): string {
    const size = this.size();
    this.#demand(size);
    const { buf, pos: from } = this;
    this.pos += size;
    // No identifier is so long; the text is none either, whatever it is compared with.
    if (size > idBytesMax) return "longer than any identifier";
    let isSame = size === this.#lastHexSize;
    for (let at = 0; isSame && at < size; at += 1) {
      isSame = buf[from + at] === buf[this.#lastHexFrom + at];
    }
    if (isSame) return this.#lastHex;
    const digits: number[] = [];
    for (let at = from; at < this.pos; at += 1) {
      // Both reads are within their arrays.
      const place = (buf[at] as number) * 2;
      digits.push(hexDigits[place] as number, hexDigits[place + 1] as number);
    }
    const text = String.fromCharCode(...digits);
    if (size === traceIdBytes) {
      this.#lastHexSize = size;
      this.#lastHexFrom = from;
      this.#lastHex = text;
    }
    return text;
  }

  /** Bytes as base64, in the alphabet that OTLP's JSON uses. */
  base64(): string {
    const size = this.size();
    this.#demand(size);
    let binary = "";
    for (const end = this.pos + size; this.pos < end; this.pos += 1) {
      binary += String.fromCharCode(this.buf[this.pos] as number);
    }
    return btoa(binary);
  }

  /** Text; short texts in ASCII that come again are the same string, so they cost neither decoding nor memory. */
  text(): string {
    const { buf, pos: start } = this;
    const size = this.size();
    this.#demand(size);
    if (size > sharedTextBytesMax) {
      this.pos = start;
      return this.string();
    }
    const from = this.pos;
    const end = from + size;
    let hash = size;
    let union = 0;
    for (let at = from; at < end; at += 1) {
      const byte = buf[at] as number;
      union |= byte;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    if (union < 128) return this.#sharedText(from, end, hash & (sharedTextSlots - 1));
    this.pos = start;
    return this.string();
  }

  #sharedText(from: number, end: number, slot: number): string {
    this.pos = end;
    const known = this.#sharedTexts[slot];
    if (known !== undefined && this.#equals(known, from, end)) return known;
    const text = String.fromCharCode(...this.buf.subarray(from, end));
    this.#sharedTexts[slot] = text;
    return text;
  }

  #equals(text: string, from: number, end: number): boolean {
    if (text.length !== end - from) return false;
    for (let at = from; at < end; at += 1) {
      if (text.charCodeAt(at - from) !== this.buf[at]) return false;
    }
    return true;
  }

  #demand(size: number): void {
    if (size > this.len - this.pos) {
      throw new RangeError(`${size} bytes where ${this.len - this.pos} are left`);
    }
  }
}

function digitsOf(long: unknown): string {
  // `long` is a dependency of protobufjs, which therefore gives a Long for every 64-bit value.
  return (long as { toString(): string }).toString();
}

/** Runs a protobuf decoder; what the bytes do wrong becomes an error with the offset at which it was noticed. */
export function readWire<T>(bytes: Uint8Array, read: (reader: WireReader) => T): T {
  const reader = new WireReader(bytes);
  try {
    return read(reader);
  } catch (error) {
    // protobufjs throws plain errors and range errors; anything else is a fault of ours.
    const isOfWire =
      error instanceof Error && (error.constructor === Error || error instanceof RangeError);
    if (!isOfWire) throw error;
    throw new EvidenceError(`The bytes are not OTLP protobuf: ${error.message}.`, {
      expected: "an OTLP export request in protobuf",
      where: `byte ${reader.pos}`,
      cause: error,
    });
  }
}
