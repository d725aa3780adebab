/** Line and column in a stream of text, of which the beginning is forgotten as it is read. */

import { EvidenceError } from "../evidence-error.ts";
import type { ByteWindow } from "./byte-window.ts";

/** Text, or its bytes when they are ASCII. */
interface Units<T> {
  readonly length: number;
  indexOf(unit: T, from?: number): number;
}

const lineFeed = 0x0a;

type IsAscii = (bytes: Uint8Array) => boolean;

/** Node's own look at bytes is six times as fast as decoding them; a browser has none. */
const isAscii = (
  globalThis as {
    process?: { getBuiltinModule?: (name: "node:buffer") => { readonly isAscii: IsAscii } };
  }
).process?.getBuiltinModule?.("node:buffer").isAscii;

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
    const piece = bytes.subarray(from, pos);
    if (isAscii?.(piece) === true) this.#countUnits(piece, lineFeed);
    else this.#countUnits(this.#decode(piece), "\n");
    this.#counted = base + pos;
  }

  #countUnits<T>(units: Units<T>, lineBreak: T): void {
    let lineFrom = 0;
    for (let at = units.indexOf(lineBreak); at >= 0; at = units.indexOf(lineBreak, lineFrom)) {
      lineFrom = at + 1;
      this.#line += 1;
      this.#column = 1;
    }
    this.#column += units.length - lineFrom;
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes);
    } catch (error) {
      throw notUtf8(error);
    }
  }
}

/** The error of a body that is no text. */
export function notUtf8(cause: unknown): EvidenceError {
  return new EvidenceError("The body is not text in UTF-8.", {
    expected: "OTLP JSON in UTF-8",
    cause,
  });
}
