/**
 * What the events of a stream have in common that say one text each. An event that differs from the one before in nothing
 * but that text says as much as it did, and need not be read.
 */

/** Longer events are read each by itself. */
const bytesMax = 2_048;
/** So few bytes are compared one by one. */
const loopedBytesMax = 64;
/** After so many patterns in a row that no event followed, none is kept any more: the events differ each time. */
const vainCountMax = 4;

export class EventPattern {
  /** An event without its text: what stands before it, and behind it. */
  #bytes = Buffer.alloc(0);
  #beforeLength = 0;
  #length = 0;
  #vainCount = 0;
  #textLength = 0;

  /** Keeps an event of these bytes, which says what stands from `textStart` to `textEnd`. */
  set(
    bytes: Uint8Array,
    event: {
      readonly start: number;
      readonly textStart: number;
      readonly textEnd: number;
      readonly end: number;
    },
  ): void {
    const { start, textStart, textEnd, end } = event;
    const length = textStart - start + (end - textEnd);
    if (length > bytesMax || this.#vainCount === vainCountMax) return;
    this.#vainCount += 1;
    // Of its own memory: a stream may keep it for hours.
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(length);
    this.#beforeLength = textStart - start;
    this.#length = length;
    this.#bytes.set(bytes.subarray(start, textStart));
    this.#bytes.set(bytes.subarray(textEnd, end), this.#beforeLength);
  }

  /** Gives where an event ends that begins at `start` and follows the pattern with a text that is not empty, else -1. */
  findEnd(bytes: Uint8Array, start: number): number {
    const before = this.#beforeLength;
    const length = this.#length;
    const textStart = start + before;
    if (length === 0 || start + length >= bytes.length) return -1;
    if (this.#bytes.compare(bytes, start, textStart, 0, before) !== 0) return -1;
    const textEnd = findTextEnd(bytes, textStart);
    const end = textEnd + length - before;
    if (textEnd === textStart || end > bytes.length) return -1;
    if (!this.#endsAt(bytes, textEnd)) return -1;
    this.#vainCount = 0;
    this.#textLength = textEnd - textStart;
    return end;
  }

  /** Whether here stands what stands behind the text: mostly so little that a call for its comparison would take longer. */
  #endsAt(bytes: Uint8Array, textEnd: number): boolean {
    const before = this.#beforeLength;
    const length = this.#length - before;
    if (length > loopedBytesMax) {
      return this.#bytes.compare(bytes, textEnd, textEnd + length, before, this.#length) === 0;
    }
    let index = 0;
    while (index < length && this.#bytes[before + index] === bytes[textEnd + index]) index += 1;
    return index === length;
  }

  /** How many bytes the text of the event has that was found last. */
  get textLength(): number {
    return this.#textLength;
  }

  /** Nothing follows it. */
  clear(): void {
    this.#length = 0;
    this.#vainCount = 0;
  }
}

/** The quote that ends a text of JSON, or what has to be read more closely. */
function findTextEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x22 || byte < 0x20) return at;
    if (byte !== 0x5c) at += 1;
    else if (isSimpleEscape(bytes[at + 1] ?? 0)) at += 2;
    else return at;
  }
  return at;
}

/** Whether a backslash and this byte are a whole escape. */
function isSimpleEscape(byte: number): boolean {
  return byte === 0x6e || byte === 0x22 || byte === 0x5c || byte === 0x74 || byte === 0x2f;
}
