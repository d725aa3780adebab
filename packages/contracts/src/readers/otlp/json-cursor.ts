/** A cursor over bytes of JSON that knows plain texts and numbers, and steps back from everything else. */

import { parseForeignJson } from "../../text/foreign-json.ts";
import { asciiOf, pooledBytesMax, TextPool } from "./text-pool.ts";
import { hasByte, mixWord, WordView } from "./words.ts";

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const zero = 0x30;
/** Whole numbers of so many digits are exact in a double. */
const exactDigitCountMax = 15;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Thrown on what the cursor does not read: an escape in a name, a value of another type, the end of the bytes. It is one
 * object, because it only leads to the reading that knows everything.
 */
export const unusual = new Error("This JSON needs the full reading.");

/** Moves forward only. Whatever it reads lies before `end`; it throws `unusual` where it does not know how to go on. */
export class JsonCursor {
  readonly #pool = new TextPool();
  readonly #words = new WordView();
  bytes = new Uint8Array(0);
  at = 0;
  end = 0;
  /** Of the text, number or word that was read last: equal for equal ones. */
  hash = 0;
  /** Of the string that was read last: where it lies without its quotes. */
  from = 0;
  to = 0;
  #union = 0;
  #hasEscape = false;

  /** The bytes as words. */
  get view(): DataView {
    return this.#words.of(this.bytes);
  }

  /** The next byte that is no white space. */
  peek(): number {
    const { bytes, end } = this;
    let { at } = this;
    while (at < end) {
      const byte = bytes[at] as number;
      if (byte > 0x20 || !isSpace(byte)) {
        this.at = at;
        return byte;
      }
      at += 1;
    }
    throw unusual;
  }

  /** Reads this byte, behind any white space. */
  expect(wanted: number): void {
    if (this.peek() !== wanted) throw unusual;
    this.at += 1;
  }

  /** Reads a comma, or the closing byte: whether another item follows. */
  hasNext(closer: number): boolean {
    const byte = this.peek();
    this.at += 1;
    if (byte === 0x2c) return true;
    if (byte === closer) return false;
    throw unusual;
  }

  /** Reads an opening byte: whether an item follows before the closing one, which is then read too. */
  opens(opener: number, closer: number): boolean {
    this.expect(opener);
    if (this.peek() !== closer) return true;
    this.at += 1;
    return false;
  }

  /** Reads a string up to its end, without making a text of it. */
  string(): void {
    this.expect(quote);
    this.stringBody();
  }

  /** Reads a string whose opening quote was read. */
  stringBody(): void {
    const { bytes, end } = this;
    const from = this.at;
    let at = from;
    let hash = 0;
    let union = 0;
    this.#hasEscape = false;
    for (;;) {
      if (at >= end) throw unusual;
      const byte = bytes[at] as number;
      if (byte === quote) break;
      if (byte < 0x20) throw unusual;
      if (byte === backslash) {
        this.#hasEscape = true;
        at += 1;
      }
      union |= byte;
      hash = (Math.imul(hash, 31) + byte) | 0;
      at += 1;
    }
    this.from = from;
    this.to = at;
    this.at = at + 1;
    this.hash = hash;
    this.#union = union;
  }

  /** The text of the string that was read last. */
  text(): string {
    const { bytes, from, to } = this;
    if (this.#hasEscape) return unescaped(bytes, from, to);
    if (this.#union >= 0x80) return utf8.decode(bytes.subarray(from, to));
    if (to - from > pooledBytesMax) return asciiOf(bytes, from, to);
    return this.#pool.take(bytes, this);
  }

  /** Whether the string that was read last is this text in ASCII. */
  is(text: string): boolean {
    const { bytes, from } = this;
    if (this.to - from !== text.length) return false;
    for (let at = 0; at < text.length; at += 1) {
      if (bytes[from + at] !== text.charCodeAt(at)) return false;
    }
    return true;
  }

  /** Moves past exactly these bytes, when they stand here. */
  literal(wanted: Uint8Array): boolean {
    const { bytes, at: from } = this;
    const { length } = wanted;
    if (from + length > this.end) return false;
    for (let at = 0; at < length; at += 1) if (bytes[from + at] !== wanted[at]) return false;
    this.at = from + length;
    return true;
  }

  /**
   * Looks from here to where two braces close, which is where an attribute ends unless a text holds them: `to` is behind
   * them, and 0 when they are too far away; `hash` is that of the bytes.
   */
  lookToBraces(lengthMax: number): void {
    const { at: from, view } = this;
    const end = Math.min(this.end, from + lengthMax);
    let hash = 0;
    for (let at = from; at + 4 < end; at += 4) {
      const word = view.getInt32(at, true);
      if (hasByte(word, 0x7d7d_7d7d)) {
        const to = this.#closedWithin(at);
        if (to > 0) {
          this.to = to;
          this.hash = mixWord(hash, view.getInt32(to - 4, true));
          return;
        }
      }
      hash = mixWord(hash, word);
    }
    this.to = 0;
  }

  /** Behind two closing braces of which the first is one of the four bytes here, or 0. */
  #closedWithin(at: number): number {
    for (let first = at; first < at + 4; first += 1) {
      if (this.bytes[first] === closeBrace && this.bytes[first + 1] === closeBrace)
        return first + 2;
    }
    return 0;
  }

  /** Reads a whole number that a double holds exactly, given as a number or as a string of digits. */
  integer(): number {
    const isQuoted = this.peek() === quote;
    if (isQuoted) this.at += 1;
    const { bytes, end } = this;
    const isNegative = bytes[this.at] === 0x2d;
    const from = isNegative ? this.at + 1 : this.at;
    let at = from;
    let value = 0;
    while (at < end && isDigit(bytes[at] as number)) {
      value = value * 10 + ((bytes[at] as number) - zero);
      at += 1;
    }
    const digitCount = at - from;
    if (digitCount === 0 || digitCount > exactDigitCountMax || at >= end) throw unusual;
    const next = bytes[at] as number;
    if (isQuoted) {
      if (next !== quote) throw unusual;
      at += 1;
    } else if (isNumberByte(next) || (digitCount > 1 && bytes[from] === zero)) throw unusual;
    this.at = at;
    this.hash = value | 0;
    // Text has a zero of no sign.
    return isNegative && value !== 0 ? -value : value;
  }

  /** Reads a number of any kind that is no string. */
  number(): number {
    this.peek();
    const { bytes, end } = this;
    const from = this.at;
    let at = from;
    while (at < end && isNumberByte(bytes[at] as number)) at += 1;
    if (at === from || at >= end) throw unusual;
    const value: unknown = parsed(asciiOf(bytes, from, at));
    if (typeof value !== "number" || !Number.isFinite(value)) throw unusual;
    this.at = at;
    this.hash = Math.trunc(value * 1_000) | 0;
    return value;
  }

  boolean(): boolean {
    const isTrue = this.peek() === 0x74;
    const word = isTrue ? "true" : "false";
    for (let index = 0; index < word.length; index += 1) {
      if (this.bytes[this.at + index] !== word.charCodeAt(index)) throw unusual;
    }
    this.at += word.length;
    this.hash = isTrue ? 1 : 2;
    return isTrue;
  }

  /** Moves past a list or an object, of which it is only looked at where it ends. */
  skipNested(): void {
    const first = this.peek();
    if (first !== openBracket && first !== openBrace) throw unusual;
    const { bytes, end } = this;
    let depth = 0;
    while (this.at < end) {
      const byte = bytes[this.at] as number;
      if (byte === quote) {
        this.string();
        continue;
      }
      this.at += 1;
      if (byte === openBrace || byte === openBracket) depth += 1;
      else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) return;
    }
    throw unusual;
  }
}

/** The value of a piece of JSON; throws `unusual` where it is none. */
export function parsed(text: string): unknown {
  try {
    return parseForeignJson(text);
  } catch {
    throw unusual;
  }
}

/** The text of bytes in UTF-8. Throws a `TypeError` where they are not. */
export function textOfBytes(bytes: Uint8Array, from: number, end: number): string {
  return utf8.decode(bytes.subarray(from, end));
}

function unescaped(bytes: Uint8Array, from: number, to: number): string {
  const text: unknown = parsed(textOfBytes(bytes, from - 1, to + 1));
  if (typeof text !== "string") throw unusual;
  return text.toWellFormed();
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= 0x39;
}

/** A digit, a sign, a point, an `e`. */
function isNumberByte(byte: number): boolean {
  return (
    isDigit(byte) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    byte === 0x65 ||
    byte === 0x45
  );
}
