/** Finds where a value of JSON ends, in bytes of which more may come. */

import type { ByteWindow } from "./byte-window.ts";

const quote = 0x22;
const backslash = 0x5c;

/** Looks at each byte once, however often it is asked before the value is complete. */
export class JsonLeaf {
  readonly #window: ByteWindow;
  /** How many bytes behind the window's position were looked at. */
  #looked = 0;
  #depth = 0;
  #inString = false;
  /** The byte before was a backslash within a string. */
  #isEscaped = false;

  constructor(window: ByteWindow) {
    this.#window = window;
  }

  /** Whether the end of the present value was looked for and did not come yet. */
  get isBegun(): boolean {
    return this.#looked > 0;
  }

  /** How much of the present value has come without its end. */
  get lookedBytes(): number {
    return this.#looked;
  }

  /**
   * Where the value ends that begins at the window's position, or `undefined` when its end has not come. At the end of the
   * input a value that is no string, list or object ends with it. Brackets are counted, not matched.
   */
  end(isLast: boolean): number | undefined {
    const { bytes, pos, end } = this.#window;
    const first = bytes[pos];
    const found =
      first === quote || first === 0x7b || first === 0x5b
        ? this.#endOfNested(bytes, pos + this.#looked, end)
        : this.#endOfBare(bytes, pos + this.#looked, end);
    if (found === undefined && !(isLast && isBare(first))) {
      this.#looked = end - pos;
      return undefined;
    }
    this.reset();
    return found ?? end;
  }

  /** Begins with another value. */
  reset(): void {
    this.#looked = 0;
    this.#depth = 0;
    this.#inString = false;
    this.#isEscaped = false;
  }

  #endOfNested(bytes: Uint8Array, from: number, end: number): number | undefined {
    let depth = this.#depth;
    let inString = this.#inString;
    let isEscaped = this.#isEscaped;
    for (let at = from; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (isEscaped) isEscaped = false;
      else if (inString) {
        if (byte === backslash) isEscaped = true;
        else if (byte === quote) {
          inString = false;
          if (depth === 0) return at + 1;
        }
      } else if (byte === quote) inString = true;
      else if (byte === 0x7b || byte === 0x5b) depth += 1;
      else if (byte === 0x7d || byte === 0x5d) {
        depth -= 1;
        if (depth === 0) return at + 1;
      }
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#isEscaped = isEscaped;
    return undefined;
  }

  #endOfBare(bytes: Uint8Array, from: number, end: number): number | undefined {
    for (let at = from; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte <= 0x20 || byte === 0x2c || byte === 0x7d || byte === 0x5d || byte === 0x3a) {
        return at;
      }
    }
    return undefined;
  }
}

function isBare(first: number | undefined): boolean {
  return first !== quote && first !== 0x7b && first !== 0x5b;
}
