/** Decodes UTF-8 that comes in pieces, and names the first byte that does not fit as `decodeText` does. */

import { concatenate } from "./expand.ts";
import { firstInvalidByte, notUtf8 } from "./text.ts";

const nothing = new Uint8Array(0);
/** Bytes of a character that can be there without its end. */
const cutBytesMax = 3;

export class Utf8Stream {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  /** The beginning of a character that a chunk cut. */
  #cut: Uint8Array = nothing;
  #byteCount = 0;

  /** The text of a chunk, without a character that its end cuts. Throws an `EvidenceError`. */
  push(chunk: Uint8Array): string {
    const text = this.#decode(chunk, true);
    this.#byteCount += chunk.length;
    this.#cut = cutCharacterOf(
      chunk.length < cutBytesMax ? concatenate([this.#cut, chunk]) : chunk,
    );
    return text;
  }

  /** Throws an `EvidenceError` when the last character is cut. */
  end(): void {
    this.#decode(nothing, false);
  }

  #decode(chunk: Uint8Array, isMore: boolean): string {
    try {
      return this.#decoder.decode(chunk, { stream: isMore });
    } catch (error) {
      const offset = firstInvalidByte(concatenate([this.#cut, chunk]));
      throw notUtf8(this.#byteCount - this.#cut.length + offset, error);
    }
  }
}

/** A copy of the beginning of a character with which valid bytes end. */
function cutCharacterOf(bytes: Uint8Array): Uint8Array {
  for (let length = 1; length <= Math.min(cutBytesMax, bytes.length); length += 1) {
    const byte = bytes[bytes.length - length] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length < size ? bytes.slice(-length) : nothing;
    }
  }
  return nothing;
}
