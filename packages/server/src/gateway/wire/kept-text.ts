/** A bounded buffer for one scalar or field name that a scanner keeps while its bytes pass by. */

import { type JsonWatch, watchOf } from "./json-watch.ts";

const keyBytesMax = 64;
/** So many digits are exact, one after the other. */
const digitsMax = 15;
const nothing: Uint8Array = new Uint8Array(0);
const none: readonly never[] = [];

export class KeptText {
  readonly #bytes: Buffer;
  #length = 0;
  #escaped = false;
  #overflown = false;
  /** The text where it passes by, as long as it is one run: most are, and need no copy. */
  #run = nothing;
  #runStart = 0;
  #runEnd = 0;

  constructor(bytesMax: number) {
    this.#bytes = Buffer.allocUnsafe(Math.max(keyBytesMax, bytesMax));
  }

  clear(): void {
    this.#length = 0;
    this.#escaped = false;
    this.#overflown = false;
    this.#runEnd = this.#runStart;
  }

  add(byte: number): void {
    this.settle();
    this.#push(byte);
  }

  /** Adds a backslash: the text must be decoded before it is compared. */
  addEscape(): void {
    this.#escaped = true;
    this.add(0x5c);
  }

  /** Adds bytes, which stay as they are until `settle`. */
  addRun(bytes: Uint8Array, start: number, end: number): void {
    if (this.#length === 0 && this.#runEnd === this.#runStart) {
      this.#run = bytes;
      this.#runStart = start;
      this.#runEnd = end;
      return;
    }
    this.settle();
    for (let at = start; at < end && !this.#overflown; at += 1) this.#push(bytes[at] ?? 0);
  }

  /** Keeps a copy of what was added: the bytes go. */
  settle(): void {
    const start = this.#runStart;
    const end = this.#runEnd;
    const run = this.#run;
    this.#run = nothing;
    if (start === end) return;
    this.#runStart = 0;
    this.#runEnd = 0;
    for (let at = start; at < end && !this.#overflown; at += 1) this.#push(run[at] ?? 0);
  }

  /** The decoded text; `undefined` when it was longer than the bound. */
  text(): string | undefined {
    this.settle();
    if (this.#overflown) return undefined;
    const raw = this.#bytes.toString("utf8", 0, this.#length);
    // The scanner has checked the grammar of this string, so that parsing it cannot fail.
    return this.#escaped ? (JSON.parse(`"${raw}"`) as string) : raw;
  }

  /** The text, which is a JSON number, as a number; NaN when it was longer than the bound. */
  number(): number {
    if (this.#overflown) return Number.NaN;
    if (this.#length > digitsMax) return Number(this.text());
    let value = 0;
    for (let at = 0; at < this.#length; at += 1) {
      const digit = (this.#bytes[at] ?? 0) - 0x30;
      // A sign, a point or an exponent.
      if (digit < 0 || digit > 9) return Number(this.text());
      value = value * 10 + digit;
    }
    return value;
  }

  /** What is watched in the field that has this name. */
  find(fields: JsonWatch["fields"]): JsonWatch | undefined {
    if (this.#overflown) return undefined;
    if (this.#escaped) {
      const name = Buffer.from(this.text() ?? "");
      return watchOf(fields[name.length] ?? none, name, 0);
    }
    const isRun = this.#runEnd > this.#runStart;
    return isRun
      ? watchOf(fields[this.#runEnd - this.#runStart] ?? none, this.#run, this.#runStart)
      : watchOf(fields[this.#length] ?? none, this.#bytes, 0);
  }

  #push(byte: number): void {
    if (this.#length === this.#bytes.length) {
      this.#overflown = true;
      return;
    }
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }
}
