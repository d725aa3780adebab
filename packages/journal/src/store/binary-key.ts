/**
 * Keys inside the store: strings with one character for each byte. The engine keeps such a string in one byte for
 * each character and compares it natively, and its order by code units is the order of the bytes.
 */

import { JournalError } from "../journal-error.ts";
import { keyBytesMax } from "./limits.ts";

/** A key, one character (0 to 255) for each byte. */
export type BinaryKey = string & { readonly binaryKey: unique symbol };

/** The least key of all. */
// The empty string has no characters, so all of them are bytes.
export const leastKey = "" as BinaryKey;

/** The key of `bytes`; refuses what is longer than a key may be. */
export function binaryKey(bytes: Uint8Array): BinaryKey {
  if (bytes.byteLength > keyBytesMax) {
    const length = `${bytes.byteLength} bytes of at most ${keyBytesMax}`;
    throw new JournalError("store_limit_exceeded", `The key is too long: ${length}.`);
  }
  return keyOfSlice(viewOf(bytes), 0, bytes.byteLength);
}

/** The key that stands in `bytes` from `start` to `end`, which the caller has checked. */
export function keyOfSlice(bytes: Buffer, start: number, end: number): BinaryKey {
  // Latin-1 gives exactly one character of 0 to 255 for each byte.
  return bytes.toString("latin1", start, end) as BinaryKey;
}

/** The bytes of a key, owned by the caller. */
export function keyBytes(key: BinaryKey): Buffer {
  return Buffer.from(key, "latin1");
}

/** The least key that is greater than every key with this prefix; `undefined` when there is none. */
export function endOfPrefix(prefix: BinaryKey): BinaryKey | undefined {
  let end = prefix.length;
  while (end > 0 && prefix.charCodeAt(end - 1) === 0xff) end -= 1;
  if (end === 0) return undefined;
  const last = String.fromCharCode(prefix.charCodeAt(end - 1) + 1);
  // The last character was below 255, so its successor is a byte.
  return (prefix.slice(0, end - 1) + last) as BinaryKey;
}

/** A buffer over the same memory. */
export function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
