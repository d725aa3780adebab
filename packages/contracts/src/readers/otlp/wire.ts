/** A cursor over protobuf bytes: protobufjs's reader with bounded messages, cheap repeated text, and exact 64-bit values. */

import { Reader } from "protobufjs/minimal.js";

import { EvidenceError } from "../evidence-error.ts";
import { IdPool, IdTrail } from "./id-pool.ts";
import { asciiOf, hexOf8, hexOfBytes, pooledBytesMax, TextPool } from "./text-pool.ts";
import { type Moment, readHalves } from "./value.ts";
import { WordView } from "./words.ts";

const idBytesMax = 64;

/** Within a message `len` is the end of that message, so that no field can reach beyond it. */
export class WireReader extends Reader {
  /** Of the text that was read last: equal for equal texts. */
  hash = 0;
  readonly #texts = new TextPool();
  readonly #place = { from: 0, to: 0, hash: 0 };
  readonly #traceIds = new IdTrail(new IdPool(16, (bytes, from) => hexOfBytes(bytes, from, 16)));
  readonly #spanIdPool = new IdPool(8, hexOf8);
  readonly #spanIds = new IdTrail(this.#spanIdPool);
  readonly #parentIds = new IdTrail(this.#spanIdPool);
  readonly #words = new WordView();

  /** The bytes as words. */
  get words(): DataView {
    return this.#words.of(this.buf);
  }

  /** Nearly all tags of spans take one byte. */
  override tag(): number {
    const { pos } = this;
    if (pos < this.len) {
      const first = this.buf[pos] as number;
      if (first < 128) {
        this.pos = pos + 1;
        return first;
      }
    }
    return super.tag();
  }

  /** As `tag`, for lengths. */
  override size(): number {
    const { pos } = this;
    if (pos < this.len) {
      const first = this.buf[pos] as number;
      if (first < 128) {
        this.pos = pos + 1;
        return first;
      }
    }
    return super.size();
  }

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

  /** A fixed 64-bit count of nanoseconds. */
  moment(moment: Moment): void {
    const low = this.fixed32();
    readHalves(moment, this.fixed32(), low);
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

  /** The id of a span's parent, as lower-case hexadecimal. */
  parentId(): string {
    return this.#hex(this.#parentIds);
  }

  /** Bytes as lower-case hexadecimal. */
  hex(): string {
    return this.#hex(this.#spanIds);
  }

  #hex(spanIds: IdTrail): string {
    const size = this.size();
    this.#demand(size);
    const { buf, pos: from } = this;
    this.pos += size;
    if (size === 8) return spanIds.take(buf, this.words, from);
    if (size === 16) return this.#traceIds.take(buf, this.words, from);
    // No identifier is so long; the text is none either, whatever it is compared with.
    if (size > idBytesMax) return "longer than any identifier";
    return hexOfBytes(buf, from, size);
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
    const from = this.pos;
    const end = from + size;
    let hash = 0;
    let union = 0;
    for (let at = from; at < end; at += 1) {
      const byte = buf[at] as number;
      union |= byte;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    this.hash = hash;
    if (union >= 128) {
      this.pos = start;
      return this.string();
    }
    this.pos = end;
    if (size > pooledBytesMax) return asciiOf(buf, from, end);
    const place = this.#place;
    place.from = from;
    place.to = end;
    place.hash = hash;
    return this.#texts.take(buf, place);
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

/** Runs a protobuf decoder on a whole body. */
export function readWire<T>(bytes: Uint8Array, read: (reader: WireReader) => T): T {
  const reader = new WireReader(bytes);
  try {
    return read(reader);
  } catch (error) {
    throw wireError(error, reader.pos);
  }
}

/** What the bytes do wrong, as an error with the offset at which it was noticed. */
export function wireError(error: unknown, offset: number): unknown {
  // protobufjs throws plain errors and range errors; anything else is a fault of ours.
  const isOfWire =
    error instanceof Error && (error.constructor === Error || error instanceof RangeError);
  if (!isOfWire) return error;
  // Offsets within a piece of a stream would mislead; `where` has the one that counts.
  const reason = error.message
    .replace(/^index out of range: .*/, "a field reaches beyond its message")
    .replace(/ at offset \d+$/, "");
  return new EvidenceError(`The bytes are not OTLP protobuf: ${reason}.`, {
    expected: "an OTLP export request in protobuf",
    where: `byte ${offset}`,
    cause: error,
  });
}
