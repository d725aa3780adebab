/** Line and column in a stream of text, of which the beginning is forgotten as it is read. */

import { EvidenceError } from "../evidence-error.ts";
import type { ByteWindow } from "./byte-window.ts";
import { hasByte } from "./words.ts";

/** Counts lines and columns up to where the window was read, and holds the text to UTF-8 on the way. */
export class JsonPlace {
  readonly #window: ByteWindow;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #counted = 0;
  #line = 1;
  #column = 1;

  constructor(window: ByteWindow) {
    this.#window = window;
  }

  /** The line of the window's position. */
  get line(): number {
    this.count();
    return this.#line;
  }

  /** `line 3, column 7` of what stands `text` behind the window's position. Columns count UTF-16 units, as editors do. */
  after(text: string): string {
    this.count();
    const before = text.split("\n");
    const last = (before.at(-1) ?? "").length;
    const line = this.#line + before.length - 1;
    return `line ${line}, column ${before.length === 1 ? this.#column + last : last + 1}`;
  }

  /** Leaves out what was read so far: a byte order mark is in no line. */
  forget(): void {
    this.#counted = this.#window.base + this.#window.pos;
  }

  /** Counts what was read since the last time; it is asked for before the window drops it. */
  count(): void {
    const { bytes, pos, base } = this.#window;
    const from = this.#counted - base;
    if (from >= pos) return;
    if (isOneLineOfAscii(bytes, from, pos)) this.#column += pos - from;
    else this.#countText(this.#decode(bytes.subarray(from, pos)));
    this.#counted = base + pos;
  }

  #countText(text: string): void {
    const last = text.lastIndexOf("\n");
    if (last < 0) this.#column += text.length;
    else {
      for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#line += 1;
      this.#column = text.length - last;
    }
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes);
    } catch (error) {
      throw notUtf8(error);
    }
  }
}

/** Whether there is nothing to decode and no line to count. */
function isOneLineOfAscii(bytes: Uint8Array, from: number, end: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = from;
  for (; at + 4 <= end; at += 4) {
    const word = view.getInt32(at, true);
    if ((word & 0x8080_8080) !== 0 || hasByte(word, 0x0a0a_0a0a)) return false;
  }
  for (; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (byte >= 0x80 || byte === 0x0a) return false;
  }
  return true;
}

/** The error of a body that is no text. */
export function notUtf8(cause: unknown): EvidenceError {
  return new EvidenceError("The body is not text in UTF-8.", {
    expected: "OTLP JSON in UTF-8",
    cause,
  });
}
