/** One column of a batch as one parameter, which PostgreSQL takes apart without looking for quotes. */

/** Stands between texts. The ledger takes no text with control characters, and JSON escapes them. */
const separator = "\u001F";

/** Texts; read as `string_to_array(column, separator)`. A single empty text reads as none, which is NULL beside other columns. */
export class TextColumn {
  readonly #values: string[] = [];

  add(value: string): void {
    this.#values.push(value);
  }

  toString(): string {
    return this.#values.join(separator);
  }
}

/** Numbers or booleans, as an array literal. */
export class PlainColumn {
  readonly #values: (bigint | number | boolean)[] = [];

  add(value: bigint | number | boolean): void {
    this.#values.push(value);
  }

  toString(): string {
    return `{${this.#values.join(",")}}`;
  }
}
