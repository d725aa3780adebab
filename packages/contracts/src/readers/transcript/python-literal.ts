/** Reads values and calls as Python writes them: `f(a=1, b=['x', None])`. Bounded; what it does not know is refused. */

import type { Fields } from "../../model/fields.ts";

/** A call in Python's notation. Arguments without a name stand under `positional`. */
export interface PythonCall {
  readonly name: string;
  readonly named: Fields;
  readonly positional: readonly unknown[];
}

const depthMax = 60;
/** Longer texts are no single value. */
const textLengthMax = 262_144;

/** What stands where a value was expected is none. */
class NotALiteral extends Error {
  override readonly name = "NotALiteral";
}

/** The value of a Python literal, or of JSON, or `undefined` when the text is neither. */
export function readLiteral(text: string): unknown {
  return attempt(text, (reader) => reader.value(0));
}

/** The calls of `f(a=1)` or of `[f(a=1), g(b=2)]`; nothing when the text is anything else. */
export function readCalls(text: string): readonly PythonCall[] | undefined {
  return attempt(text, (reader) => reader.calls());
}

function attempt<T>(text: string, read: (reader: Reader) => T): T | undefined {
  if (text.length > textLengthMax) return undefined;
  const reader = new Reader(text);
  try {
    const value = read(reader);
    return reader.isAtEnd() ? value : undefined;
  } catch (error) {
    // That it is no literal is the answer.
    if (error instanceof NotALiteral) return undefined;
    throw error;
  }
}

const words: Readonly<Record<string, unknown>> = {
  True: true,
  true: true,
  False: false,
  false: false,
  None: null,
  null: null,
};
const escapes: Readonly<Record<string, string | undefined>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  b: "\b",
  f: "\f",
  "0": "\0",
  "\n": "",
};

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    this.#skipSpace();
    return this.#at >= this.#text.length;
  }

  calls(): PythonCall[] {
    if (!this.#take("[")) return [this.#call()];
    const calls: PythonCall[] = [];
    while (!this.#take("]")) {
      // In a list, names of tools may be written as they are shown: `[Market Trends API(country="us")]`.
      calls.push(this.#call(/[A-Za-z_][\w./-]*(?: [\w./-]+)*/y));
      if (!this.#take(",")) {
        this.#expect("]");
        break;
      }
    }
    return calls;
  }

  value(depth: number): unknown {
    if (depth > depthMax) throw new NotALiteral("too deep");
    this.#skipSpace();
    const letter = this.#text[this.#at] ?? "";
    if (letter === '"' || letter === "'") return this.#string(letter);
    if (this.#take("[")) return this.#list("]", depth);
    if (this.#take("(")) return this.#list(")", depth);
    if (this.#take("{")) return this.#dictionary(depth);
    const number = this.#match(/[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y);
    if (number !== undefined) return Number(number.replaceAll("_", ""));
    const word = this.#match(/[A-Za-z]\w*/y);
    if (word !== undefined && Object.hasOwn(words, word)) return words[word];
    throw new NotALiteral("no value");
  }

  #call(names = /[A-Za-z_][\w.-]*/y): PythonCall {
    this.#skipSpace();
    const name = this.#match(names);
    if (name === undefined) throw new NotALiteral("no name");
    this.#expect("(");
    const named: [string, unknown][] = [];
    const positional: unknown[] = [];
    while (!this.#take(")")) {
      this.#skipSpace();
      const key = this.#match(/[A-Za-z_]\w*(?=\s*=[^=])/y);
      if (key === undefined) positional.push(this.value(0));
      else {
        this.#expect("=");
        named.push([key, this.value(0)]);
      }
      if (this.#take(",")) continue;
      this.#expect(")");
      break;
    }
    return { name, named: Object.fromEntries(named), positional };
  }

  #list(end: string, depth: number): unknown[] {
    const items: unknown[] = [];
    while (!this.#take(end)) {
      items.push(this.value(depth + 1));
      if (this.#take(",")) continue;
      this.#expect(end);
      break;
    }
    return items;
  }

  #dictionary(depth: number): Fields {
    const fields: [string, unknown][] = [];
    while (!this.#take("}")) {
      const key = this.value(depth + 1);
      this.#expect(":");
      fields.push([String(key), this.value(depth + 1)]);
      if (this.#take(",")) continue;
      this.#expect("}");
      break;
    }
    return Object.fromEntries(fields);
  }

  #string(quote: string): string {
    this.#at += 1;
    let value = "";
    for (;;) {
      const letter = this.#text[this.#at];
      if (letter === undefined) throw new NotALiteral("a text without an end");
      this.#at += 1;
      if (letter === quote) return value;
      if (letter !== "\\") {
        value += letter;
        continue;
      }
      const escaped = this.#text[this.#at] ?? "";
      this.#at += 1;
      const code = escaped === "u" ? this.#match(/[0-9a-fA-F]{4}/y) : undefined;
      value +=
        code === undefined
          ? (escapes[escaped] ?? escaped)
          : String.fromCharCode(Number.parseInt(code, 16));
    }
  }

  #expect(mark: string): void {
    if (!this.#take(mark)) throw new NotALiteral(`no ${mark}`);
  }

  #take(mark: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }
}
