/** Reads the texts of a snapshot as they come, and keeps those that are asked for. */

import { v8Limits } from "./limits.ts";

const quote = 34;
const backslash = 92;
const closing = 93;
/** Bytes of a text that are kept: each of its characters may be an escape. */
const keptBytesMax = 6 * v8Limits.nameLengthMax;

export class TextList {
  readonly #wanted: ReadonlySet<number>;
  readonly texts = new Map<number, string>();
  #index = 0;
  #isInside = false;
  #isEscaped = false;
  #kept: number[] | undefined;
  isEnded = false;

  constructor(wanted: ReadonlySet<number>) {
    this.#wanted = wanted;
  }

  /** Takes bytes from `at` on; gives where the list ended, or the length of the bytes. */
  push(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && !this.isEnded) {
      const byte = bytes[at] ?? 0;
      if (this.#isInside) at = this.#inside(bytes, at);
      else {
        if (byte === quote) this.#begin();
        else if (byte === closing) this.isEnded = true;
        at += 1;
      }
    }
    return at;
  }

  #begin(): void {
    this.#isInside = true;
    this.#kept = this.#wanted.has(this.#index) ? [] : undefined;
  }

  #inside(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === backslash) this.#isEscaped = true;
      else if (byte === quote) {
        this.#end();
        return at + 1;
      }
      if (this.#kept !== undefined && this.#kept.length < keptBytesMax) this.#kept.push(byte);
    }
    return bytes.length;
  }

  #end(): void {
    if (this.#kept !== undefined) this.texts.set(this.#index, textOf(this.#kept));
    this.#kept = undefined;
    this.#isInside = false;
    this.#index += 1;
  }
}

/** A text that was cut within a character or an escape is shown as far as it goes. */
function textOf(kept: readonly number[]): string {
  const text = new TextDecoder().decode(Uint8Array.from(kept));
  const whole = kept.length < keptBytesMax ? text : text.replace(/\\u?[0-9a-f]{0,3}$/i, "");
  try {
    const parsed: unknown = JSON.parse(`"${whole}"`);
    return typeof parsed === "string" ? parsed : whole;
  } catch {
    // What is no text of JSON is shown as it stands.
    return whole;
  }
}
