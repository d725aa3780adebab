/** One column of a batch in PostgreSQL's text form of an array. */

/** Needs no quotes; an empty element and NULL do. */
const plain = /^(?!null$)[\w.:#/-]+$/i;
const special = /["\\]/g;

/** Grows an array literal, an element at a time. */
export class TextArray {
  readonly #parts: string[] = [];

  /** Adds an element that cannot be mistaken for syntax: a number or a boolean. */
  addPlain(value: bigint | number | boolean): void {
    this.#parts.push(String(value));
  }

  /** Adds text, whatever stands in it. */
  addText(value: string): void {
    this.#parts.push(plain.test(value) ? value : `"${value.replace(special, "\\$&")}"`);
  }

  /** Adds JSON, which always needs quotes. */
  addJson(value: string): void {
    this.#parts.push(`"${value.replace(special, "\\$&")}"`);
  }

  toString(): string {
    return `{${this.#parts.join(",")}}`;
  }
}
