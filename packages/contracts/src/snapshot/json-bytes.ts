/** Writes JSON as bytes in UTF-8, piece by piece, into one buffer that is handed on whenever it is full. */

const capacityBytes = 65_536;
/** A longer text is escaped and encoded by the runtime, which is faster for those. */
const loopLengthMax = 96;

/**
 * From here on doubles lie a quarter apart, and the shortest text that tells them apart has one decimal: of two that are
 * equally near ECMAScript takes the even one, so a quarter is written .2 and three quarters .8.
 */
const quartersFrom = 2 ** 50;
/** Digits of a whole number below 2^53, a point and a decimal. */
const numberLengthMax = 18;
const halfOfDigits = 100_000_000;
const powersOfTen = Array.from({ length: 10 }, (_, exponent) => 10 ** exponent);

/** Takes bytes, which are the sender's again when it returns. */
export type TakeBytes = (bytes: Uint8Array) => void;

export class JsonBytes {
  readonly #encoder = new TextEncoder();
  readonly #take: TakeBytes;
  readonly #bytes = new Uint8Array(capacityBytes);
  #at = 0;
  /** How often bytes were handed on. */
  flushCount = 0;

  constructor(take: TakeBytes) {
    this.#take = take;
  }

  /** Writes bytes that are JSON already. */
  raw(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length > capacityBytes - this.#at) this.flush();
    if (length > capacityBytes) this.#take(bytes);
    else {
      this.#bytes.set(bytes, this.#at);
      this.#at += length;
    }
  }

  /** Writes text that is JSON already. */
  text(text: string): void {
    if (text.length * 3 > capacityBytes - this.#at) this.flush();
    if (text.length * 3 > capacityBytes) this.#take(this.#encoder.encode(text));
    else this.#at += this.#encoder.encodeInto(text, this.#bytes.subarray(this.#at)).written;
  }

  /** Writes a number that is finite, as ECMAScript writes numbers. */
  number(value: number): void {
    const whole = Math.floor(value);
    const fraction = value - whole;
    const isQuarter = whole >= quartersFrom && fraction > 0;
    if (!(whole >= 0 && whole <= Number.MAX_SAFE_INTEGER) || (fraction > 0 && !isQuarter)) {
      this.text(String(value));
      return;
    }
    if (numberLengthMax > capacityBytes - this.#at) this.flush();
    this.#digits(whole);
    if (!isQuarter) return;
    this.#bytes[this.#at] = 0x2e;
    this.#bytes[this.#at + 1] = fraction === 0.25 ? 0x32 : fraction === 0.5 ? 0x35 : 0x38;
    this.#at += 2;
  }

  /** Writes a whole number, in two halves that are small enough for the division of integers. */
  #digits(whole: number): void {
    if (whole < halfOfDigits) this.#smallDigits(whole, 1);
    else {
      const high = Math.floor(whole / halfOfDigits);
      this.#smallDigits(high, 1);
      this.#smallDigits(whole - high * halfOfDigits, 8);
    }
  }

  #smallDigits(value: number, countMin: number): void {
    let count = countMin;
    while (value >= (powersOfTen[count] ?? Number.POSITIVE_INFINITY)) count += 1;
    let left = value | 0;
    for (let at = this.#at + count - 1; at >= this.#at; at -= 1) {
      const next = (left / 10) | 0;
      this.#bytes[at] = 0x30 + left - next * 10;
      left = next;
    }
    this.#at += count;
  }

  /** Writes a string with its quotes. */
  string(value: string): void {
    const { length } = value;
    if (length > loopLengthMax) {
      this.text(JSON.stringify(value));
      return;
    }
    if (length + 2 > capacityBytes - this.#at) this.flush();
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at] = 0x22;
    at += 1;
    for (let index = 0; index < length; index += 1) {
      const code = value.charCodeAt(index);
      // What has to be escaped, or takes several bytes, is left to the runtime.
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) {
        this.text(JSON.stringify(value));
        return;
      }
      bytes[at] = code;
      at += 1;
    }
    bytes[at] = 0x22;
    this.#at = at + 1;
  }

  /** A copy of what `write` writes, when it stayed within the buffer. */
  copyOf(write: () => void): Uint8Array | undefined {
    if (this.#at > capacityBytes / 2) this.flush();
    const from = this.#at;
    const { flushCount } = this;
    write();
    return this.flushCount === flushCount ? this.#bytes.slice(from, this.#at) : undefined;
  }

  /** Hands on what was written so far. */
  flush(): void {
    this.flushCount += 1;
    if (this.#at === 0) return;
    this.#take(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
  }
}
