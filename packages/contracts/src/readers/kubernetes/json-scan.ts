/** Goes through JSON that comes in pieces: knows strings and nesting, counts lines, and understands nothing else. */

import { evidenceLimits } from "../limits.ts";

const lineFeed = 0x0a;
const quote = 0x22;
const backslash = 0x5c;

/** A place in a text; both count from one, columns in UTF-16 units. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** The words that errors have for a place. */
export function wordsOf({ line, column }: TextPlace): string {
  return `line ${line}, column ${column}`;
}

/** The place that lies behind `text`, which begins at `from`. */
export function placeBehind(from: TextPlace, text: string): TextPlace {
  const last = text.lastIndexOf("\n");
  if (last < 0) return { line: from.line, column: from.column + text.length };
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return { line: from.line + count, column: text.length - last };
}

export class JsonScan {
  depth = 0;
  inString = false;
  /** Where the nesting first was beyond the limit of JSON. */
  deep: TextPlace | undefined;
  #isEscaped = false;
  #line = 1;
  /** Offsets within the whole text: of the present line, and of the present piece. */
  #lineFrom = 0;
  #pieceFrom = 0;

  /** Begins with another piece, behind one of this length. */
  next(length: number): void {
    this.#pieceFrom += length;
  }

  /** The place of an offset in the piece; nothing behind it was gone through. */
  placeAt(at: number): TextPlace {
    return { line: this.#line, column: this.#pieceFrom + at - this.#lineFrom + 1 };
  }

  /** Takes a line break that stands at an offset of the piece. */
  breakLine(at: number): void {
    this.#line += 1;
    this.#lineFrom = this.#pieceFrom + at + 1;
  }

  /**
   * Goes on from `at` until the nesting is back at `floor` or, where it says so, to a line break, of which the offset is
   * returned; else to the end of the piece.
   */
  pass(text: string, at: number, { floor, endsAtLine }: PassLimits): number {
    for (let next = at; next < text.length; next += 1) {
      const code = text.charCodeAt(next);
      if (code === lineFeed) {
        if (endsAtLine) return next;
        this.breakLine(next);
      }
      if (this.inString) this.#passInString(code);
      else if (code === quote) this.inString = true;
      else if (code === 0x7b || code === 0x5b) this.#open(next);
      else if (code === 0x7d || code === 0x5d) {
        this.depth -= 1;
        if (this.depth === floor) return next + 1;
      }
    }
    return text.length;
  }

  /** Takes a character of a string, or the quote with which one begins. */
  passCharacter(character: string): void {
    if (this.inString) this.#passInString(character.charCodeAt(0));
    else this.inString = true;
  }

  #passInString(code: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (code === backslash) this.#isEscaped = true;
    else if (code === quote) this.inString = false;
  }

  #open(at: number): void {
    this.depth += 1;
    if (this.depth > evidenceLimits.depthMax) this.deep ??= this.placeAt(at);
  }
}

export interface PassLimits {
  readonly floor: number;
  readonly endsAtLine: boolean;
}
