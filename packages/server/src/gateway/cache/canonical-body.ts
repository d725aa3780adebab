/**
 * One text for equal JSON, whatever its white space, the order of its fields and the escapes in its texts. Numbers stay as
 * they are written, and so does a field that stands twice: what a provider could tell apart is not the same.
 */

import { assert } from "#kernel/index.ts";

const whiteSpace = /[ \t\n\r]*/y;
const scalarToken = /[^,:\]}\s]+/y;

/** The canonical text of a document that was checked to be JSON, and to be nested within bounds. */
export function canonicalBody(text: string): string {
  return new Canonical(text).value();
}

class Canonical {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): string {
    this.#take(whiteSpace);
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object();
      case "[":
        return this.#array();
      case '"':
        return this.#string();
      default:
        return this.#take(scalarToken);
    }
  }

  #object(): string {
    const fields: { readonly name: string; readonly value: string }[] = [];
    this.#at += 1;
    while (!this.#ends("}")) {
      const name = this.#string();
      this.#take(whiteSpace);
      // The colon.
      this.#at += 1;
      fields.push({ name, value: this.value() });
    }
    // The sort is stable, so that fields of one name keep their order.
    fields.sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
    return `{${fields.map(({ name, value }) => `${name}:${value}`).join(",")}}`;
  }

  #array(): string {
    const items: string[] = [];
    this.#at += 1;
    while (!this.#ends("]")) items.push(this.value());
    return `[${items.join(",")}]`;
  }

  #string(): string {
    const from = this.#at;
    this.#at = endOfString(this.#text, from);
    return JSON.stringify(JSON.parse(this.#text.slice(from, this.#at)));
  }

  /** Steps over a comma; whether the container ends here. */
  #ends(bracket: "}" | "]"): boolean {
    this.#take(whiteSpace);
    if (this.#text[this.#at] === ",") {
      this.#at += 1;
      this.#take(whiteSpace);
    }
    if (this.#text[this.#at] !== bracket) return false;
    this.#at += 1;
    return true;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const token = pattern.exec(this.#text)?.[0];
    assert(token !== undefined, "the document is JSON");
    this.#at += token.length;
    return token;
  }
}

/**
 * Behind the closing quote of the text that opens at `from`. No pattern: one with a choice in its loop runs out of stack on
 * texts of some megabytes, and an image is one.
 */
function endOfString(text: string, from: number): number {
  let at = from;
  let isEscaped = true;
  while (isEscaped) {
    at = text.indexOf('"', at + 1);
    assert(at >= 0, "the document is JSON");
    let first = at;
    while (text[first - 1] === "\\") first -= 1;
    isEscaped = (at - first) % 2 === 1;
  }
  return at + 1;
}
