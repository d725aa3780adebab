/** Scans the bytes of one goroutine in a dump: where it ends, its numbers, and hashes of what it does. */

const newline = 10;
const carriageReturn = 13;
const tab = 9;
const space = 32;
const parenthesis = 40;
const plus = 43;
const comma = 44;
const point = 46;
const colon = 58;
const equals = 61;
const bracketOpen = 91;
const bracketClose = 93;
const goroutine = bytesOf("goroutine ");
const createdBy = bytesOf("created by ");
const inGoroutine = bytesOf(" in goroutine ");
const minutes = bytesOf(" minutes");
/** Digits that a number of a dump may have and be exact. */
const digitsMax = 15;

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The fields tell of the goroutine that `take` took last. */
export class RecordScan {
  /** The first byte behind the goroutine. */
  end = 0;
  id = 0;
  /** How long it has been blocked. */
  minutes = 0;
  /** The goroutine that started it; 0 where the dump does not say. */
  creatorId = 0;
  /** Two hashes over state, functions and lines, without arguments, addresses and ids. */
  hash = 0;
  check = 0;
  /** There are too few bytes to tell. */
  isIncomplete = false;

  /** Takes the goroutine that begins at a place; false where none does, or where its end is not there yet. */
  take(bytes: Uint8Array, from: number, isLast: boolean): boolean {
    this.isIncomplete = false;
    if (!startsWith(bytes, from, goroutine)) return false;
    const lineEnd = bytes.indexOf(newline, from);
    if (lineEnd < 0) {
      this.isIncomplete = !isLast;
      return false;
    }
    if (!this.#header(bytes, from, lineEnd)) return false;
    return this.#lines(bytes, lineEnd + 1, isLast);
  }

  /** Whether a piece without an end of line may be the beginning of a goroutine. */
  mayBegin(bytes: Uint8Array, from: number): boolean {
    const length = Math.min(goroutine.length, bytes.length - from);
    return startsWith(bytes, from, goroutine.subarray(0, length));
  }

  /** `goroutine 7 [chan receive, 5 minutes]:` */
  #header(bytes: Uint8Array, from: number, lineEnd: number): boolean {
    let at = from + goroutine.length;
    this.id = numberAt(bytes, at);
    while (at < lineEnd && bytes[at] !== bracketOpen) at += 1;
    const last = bytes[lineEnd - 1] === carriageReturn ? lineEnd - 2 : lineEnd - 1;
    if (this.id === -1 || at >= lineEnd || bytes[last] !== colon) return false;
    this.hash = 17;
    this.check = 31;
    at += 1;
    for (; at < lineEnd; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === comma || byte === bracketClose) break;
      this.#mix(byte);
    }
    this.minutes = 0;
    if (bytes[at] !== comma) return true;
    const count = numberAt(bytes, at + 2);
    const behind = at + 2 + String(count).length;
    if (count >= 0 && startsWith(bytes, behind, minutes)) this.minutes = count;
    return true;
  }

  #lines(bytes: Uint8Array, from: number, isLast: boolean): boolean {
    this.creatorId = 0;
    let at = from;
    while (at < bytes.length) {
      const first = bytes[at];
      if (first === newline || (first === carriageReturn && bytes[at + 1] === newline)) {
        this.end = first === newline ? at + 1 : at + 2;
        return true;
      }
      const lineEnd = bytes.indexOf(newline, at);
      if (lineEnd < 0) break;
      if (startsWith(bytes, at, goroutine)) {
        this.end = at;
        return true;
      }
      if (first === tab) this.#place(bytes, at, lineEnd);
      else this.#function(bytes, at, lineEnd);
      at = lineEnd + 1;
    }
    this.isIncomplete = !isLast;
    this.end = bytes.length;
    if (!isLast) return false;
    // The last line of a file may end without an end of line.
    if (at < bytes.length && bytes[at] === tab) this.#place(bytes, at, bytes.length);
    return true;
  }

  /** The number of the line alone: a function lies in one file. */
  #place(bytes: Uint8Array, from: number, lineEnd: number): void {
    let end = lineEnd;
    let at = end - 1;
    for (; at > from; at -= 1) {
      const byte = bytes[at];
      if (byte === colon) break;
      // Behind the number there may be ` +0x1d` and, with the runtime's own frames, ` fp=0x… sp=0x… pc=0x…`.
      if (byte === space && (bytes[at + 1] === plus || bytes[at + 3] === equals)) end = at;
    }
    for (at += 1; at < end; at += 1) this.#mix(bytes[at] ?? 0);
    this.#mix(newline);
  }

  /** The name of the function without its arguments; of a creator without its goroutine. */
  #function(bytes: Uint8Array, from: number, lineEnd: number): void {
    const isCreator = startsWith(bytes, from, createdBy);
    let before = 0;
    for (let at = from; at < lineEnd; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === parenthesis && before !== point) break;
      if (isCreator && byte === space && startsWith(bytes, at, inGoroutine)) {
        this.creatorId = Math.max(numberAt(bytes, at + inGoroutine.length), 0);
        break;
      }
      this.#mix(byte);
      before = byte;
    }
    this.#mix(newline);
  }

  #mix(byte: number): void {
    this.hash = (Math.imul(this.hash, 31) + byte) | 0;
    this.check = Math.imul(this.check ^ byte, 0x01000193);
  }
}

function startsWith(bytes: Uint8Array, from: number, text: Uint8Array): boolean {
  if (bytes[from] !== text[0] || from + text.length > bytes.length) return false;
  for (let index = 1; index < text.length; index += 1) {
    if (bytes[from + index] !== text[index]) return false;
  }
  return true;
}

/** The number that begins at a place; -1 where none does. */
function numberAt(bytes: Uint8Array, from: number): number {
  let value = 0;
  let at = from;
  for (; at < from + digitsMax; at += 1) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return at === from ? -1 : value;
}
