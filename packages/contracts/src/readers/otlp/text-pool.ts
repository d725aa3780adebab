/** Texts made from bytes, each once: what comes again is the same string, so it costs neither decoding nor memory. */

/** Texts of more bytes are not looked up: they seldom come again. */
export const pooledBytesMax = 512;
const slotCountMin = 1_024;
const slotCountMax = 65_536;

/** Where a text in ASCII lies among bytes, and its hash, which is the same for the same text. */
export interface TextPlace {
  readonly from: number;
  readonly to: number;
  readonly hash: number;
}

/** A bounded pool of texts in ASCII. A text that finds its slot taken takes it over. */
export class TextPool {
  #slots = emptySlots<string>(slotCountMin);
  /** The hash of each slot's text: it tells others apart without a look at them. */
  #hashes = new Int32Array(slotCountMin);
  #missCount = 0;

  /** The text of these bytes. */
  take(bytes: Uint8Array, { from, to, hash }: TextPlace): string {
    const slot = mixed(hash) & (this.#hashes.length - 1);
    if (this.#hashes[slot] === hash) {
      const known = this.#slots[slot];
      if (known?.length === to - from && isTextOf(known, bytes, from)) return known;
    }
    const text = asciiOf(bytes, from, to);
    this.#slots[slot] = text;
    this.#hashes[slot] = hash;
    this.#grow();
    return text;
  }

  /** A pool that misses much starts anew with more room: what is in use comes again soon. */
  #grow(): void {
    this.#missCount += 1;
    const { length } = this.#slots;
    if (this.#missCount < length || length === slotCountMax) return;
    this.#slots = emptySlots<string>(length * 4);
    this.#hashes = new Int32Array(length * 4);
    this.#missCount = 0;
  }
}

/** Slots of which none is taken. */
export function emptySlots<T>(count: number): (T | undefined)[] {
  const slots: (T | undefined)[] = [];
  for (let at = 0; at < count; at += 1) slots.push(undefined);
  return slots;
}

/** The digits of a byte `b` stand at `2 * b`. */
const hexDigits = Uint8Array.from(
  { length: 512 },
  (_, at) =>
    (at >> 1)
      .toString(16)
      .padStart(2, "0")
      .codePointAt(at & 1) ?? 0,
);

/** The hexadecimal digits of so many bytes, in lower case. */
export function hexOfBytes(bytes: Uint8Array, from: number, count: number): string {
  const digits = new Uint8Array(count * 2);
  for (let at = 0; at < digits.length; at += 1) digits[at] = hexDigitOf(bytes, from, at);
  return asciiOf(digits, 0, digits.length);
}

/** The hexadecimal digits of the 8 bytes of a span's id: a single call is the fastest way. */
export function hexOf8(bytes: Uint8Array, from: number): string {
  return String.fromCharCode(
    hexDigitOf(bytes, from, 0),
    hexDigitOf(bytes, from, 1),
    hexDigitOf(bytes, from, 2),
    hexDigitOf(bytes, from, 3),
    hexDigitOf(bytes, from, 4),
    hexDigitOf(bytes, from, 5),
    hexDigitOf(bytes, from, 6),
    hexDigitOf(bytes, from, 7),
    hexDigitOf(bytes, from, 8),
    hexDigitOf(bytes, from, 9),
    hexDigitOf(bytes, from, 10),
    hexDigitOf(bytes, from, 11),
    hexDigitOf(bytes, from, 12),
    hexDigitOf(bytes, from, 13),
    hexDigitOf(bytes, from, 14),
    hexDigitOf(bytes, from, 15),
  );
}

/** The letter of the digit that stands at `at` when all bytes from `from` on are written. */
function hexDigitOf(bytes: Uint8Array, from: number, at: number): number {
  // The callers have as many bytes as they ask for.
  return hexDigits[(bytes[from + (at >> 1)] as number) * 2 + (at & 1)] as number;
}

/** Spreads a hash whose last bits say little over all of its bits. */
export function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return half ^ (half >>> 13);
}

function isTextOf(text: string, bytes: Uint8Array, from: number): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) !== bytes[from + at]) return false;
  }
  return true;
}

type Latin1Slice = (this: Uint8Array, from: number, end: number) => string;

/** Node's own way from bytes to text is twice as fast as a decoder; a browser has none. */
const latin1Slice = (globalThis as { Buffer?: { prototype: { latin1Slice?: Latin1Slice } } }).Buffer
  ?.prototype.latin1Slice;
const decoder = new TextDecoder("latin1");

/** The text of 16 bytes in ASCII, the length of a span's id: a single call is the fastest way. */
export function textOf16(bytes: Uint8Array, from: number): string {
  const code = (at: number): number => bytes[from + at] as number;
  return String.fromCharCode(
    code(0),
    code(1),
    code(2),
    code(3),
    code(4),
    code(5),
    code(6),
    code(7),
    code(8),
    code(9),
    code(10),
    code(11),
    code(12),
    code(13),
    code(14),
    code(15),
  );
}

/** The text of bytes in ASCII. */
export function asciiOf(bytes: Uint8Array, from: number, end: number): string {
  if (end === from) return "";
  return latin1Slice === undefined
    ? decoder.decode(bytes.subarray(from, end))
    : latin1Slice.call(bytes, from, end);
}
