/** A bounded buffer for one scalar or field name that a scanner keeps while its bytes pass by. */

import type { JsonWatch, JsonWatchField } from "./json-watch.ts";

const keyBytesMax = 64;

export class KeptText {
  readonly #bytes: Buffer;
  #length = 0;
  #escaped = false;
  #overflown = false;

  constructor(bytesMax: number) {
    this.#bytes = Buffer.allocUnsafe(Math.max(keyBytesMax, bytesMax));
  }

  clear(): void {
    this.#length = 0;
    this.#escaped = false;
    this.#overflown = false;
  }

  add(byte: number): void {
    if (this.#length === this.#bytes.length) {
      this.#overflown = true;
      return;
    }
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  /** Adds a backslash: the text must be decoded before it is compared. */
  addEscape(): void {
    this.#escaped = true;
    this.add(0x5c);
  }

  addRun(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end && !this.#overflown; at += 1) this.add(bytes[at] ?? 0);
  }

  /** The decoded text; `undefined` when it was longer than the bound. */
  text(): string | undefined {
    if (this.#overflown) return undefined;
    const raw = this.#bytes.toString("utf8", 0, this.#length);
    // The scanner has checked the grammar of this string, so that parsing it cannot fail.
    return this.#escaped ? (JSON.parse(`"${raw}"`) as string) : raw;
  }

  /** The watch of the field that has this name. */
  find(fields: readonly JsonWatchField[]): JsonWatch | undefined {
    if (this.#overflown) return undefined;
    if (this.#escaped) {
      const name = this.text();
      return fields.find((field) => field.name === name)?.watch;
    }
    const length = this.#length;
    for (const { nameBytes, watch } of fields) {
      if (nameBytes.length !== length) continue;
      let index = 0;
      while (index < length && nameBytes[index] === this.#bytes[index]) index += 1;
      if (index === length) return watch;
    }
    return undefined;
  }
}
