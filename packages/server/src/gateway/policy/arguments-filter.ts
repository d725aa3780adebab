/**
 * Holds rules against the arguments of a call, which are JSON in parts: what the rules see are the texts that the tool will
 * see, their escapes decoded. What goes on is the JSON as it came.
 */

import type { RuleSet } from "./compiled-policy.ts";
import { type Filtered, TextFilter } from "./text-filter.ts";

/** A part of the JSON that was not let out yet, and how many characters the rules see of it. */
interface Piece {
  readonly raw: string;
  readonly length: number;
}

const escapeLength = 6;
const hexadecimal = /^[0-9a-f]{4}$/i;
const named: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** Only for rules that refuse: nothing is taken out of arguments. */
export class ArgumentsFilter {
  readonly redactedBy: ReadonlySet<string> = new Set();
  readonly #filter: TextFilter;
  /** An escape that has begun. */
  #begun = "";
  #pieces: Piece[] = [];

  constructor(refusing: RuleSet) {
    this.#filter = new TextFilter(refusing);
  }

  get refusedBy(): string | undefined {
    return this.#filter.refusedBy;
  }

  /** Takes the next part, and gives of the JSON what may go on. */
  push(text: string): Filtered {
    return this.#letOut(this.#filter.push(this.#decode(text)));
  }

  /** The arguments have ended: gives the rest. */
  finish(): Filtered {
    const seen = this.#filter.push(this.#asItStands(this.#begun)).text.length;
    this.#begun = "";
    const { text, refusedBy } = this.#filter.finish();
    return { text: refusedBy === undefined ? this.#take(seen + text.length) : "", refusedBy };
  }

  #letOut({ text, refusedBy }: Filtered): Filtered {
    return { text: refusedBy === undefined ? this.#take(text.length) : "", refusedBy };
  }

  /** What the rules see of the next part; an escape that it only begins waits for the next one. */
  #decode(part: string): string {
    const text = this.#begun + part;
    this.#begun = "";
    let seen = "";
    let at = 0;
    while (at < text.length) {
      const escapeAt = text.indexOf("\\", at);
      const end = escapeAt < 0 ? text.length : escapeAt;
      seen += this.#asItStands(text.slice(at, end));
      at = end;
      if (escapeAt < 0) break;
      const escape = readEscape(text, escapeAt);
      if (escape === undefined) {
        this.#begun = text.slice(escapeAt);
        break;
      }
      seen += escape.decoded;
      this.#pieces.push({ raw: text.slice(at, escape.end), length: escape.decoded.length });
      at = escape.end;
    }
    return seen;
  }

  #asItStands(text: string): string {
    if (text !== "") this.#pieces.push({ raw: text, length: text.length });
    return text;
  }

  /** The JSON of so many characters that the rules have seen. */
  #take(length: number): string {
    let raw = "";
    let left = length;
    let taken = 0;
    for (const piece of this.#pieces) {
      if (piece.length > left) break;
      raw += piece.raw;
      left -= piece.length;
      taken += 1;
    }
    this.#pieces.splice(0, taken);
    const [next] = this.#pieces;
    // An escape goes on whole or not at all; other text can be divided anywhere.
    if (left > 0 && next !== undefined && next.raw.length === next.length) {
      raw += next.raw.slice(0, left);
      this.#pieces[0] = { raw: next.raw.slice(left), length: next.length - left };
    }
    return raw;
  }
}

/** The escape at a place; `undefined` when its end has not come. What is none, as broken JSON may have it, stands as it is. */
function readEscape(text: string, at: number): { decoded: string; end: number } | undefined {
  const kind = text[at + 1];
  if (kind === undefined) return undefined;
  if (kind !== "u") return { decoded: named[kind] ?? kind, end: at + 2 };
  const unit = readUnit(text, at);
  if (unit === undefined) {
    if (text.length < at + escapeLength) return undefined;
    return { decoded: text.slice(at, at + 2), end: at + 2 };
  }
  const isHigh = unit >= 0xd800 && unit < 0xdc00;
  if (!isHigh) return { decoded: String.fromCharCode(unit), end: at + escapeLength };
  // Its other half makes one character of both.
  if (text.length < at + escapeLength * 2) return undefined;
  const low = readUnit(text, at + escapeLength);
  const isPair = low !== undefined && low >= 0xdc00 && low < 0xe000;
  if (!isPair) return { decoded: String.fromCharCode(unit), end: at + escapeLength };
  return { decoded: String.fromCharCode(unit, low), end: at + escapeLength * 2 };
}

function readUnit(text: string, at: number): number | undefined {
  const digits = text.slice(at + 2, at + escapeLength);
  const isOne = text.startsWith("\\u", at) && hexadecimal.test(digits);
  return isOne ? Number.parseInt(digits, 16) : undefined;
}
