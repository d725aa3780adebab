/** Ids of traces and spans as other tracers write them, in the form of the model. */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/**
 * An id of `length` hexadecimal digits. Shorter ids are filled up with zeros, as tracers of 64-bit ids mean it;
 * `0x` and hyphens do not count. An id that is no such number gets a hash of it, which is the same in every file.
 */
export function hexadecimalId(id: string, length: 16 | 32): { id: string; isHashed: boolean } {
  const plain = id.trim().toLowerCase();
  const digits = plain.startsWith("0x") ? plain.slice(2) : plain.replaceAll("-", "");
  if (digits.length <= length && /^[0-9a-f]*$/.test(digits)) {
    return {
      id: digits.length === length ? digits : digits.padStart(length, "0"),
      isHashed: false,
    };
  }
  return { id: bytesToHex(sha256(utf8ToBytes(plain))).slice(0, length), isHashed: true };
}

/** The id of a part of a span that shares its id with another part, as Zipkin's servers share their client's. */
export function derivedId(id: string, part: string): string {
  return hexadecimalId(`${id}/${part}`, 16).id;
}

/** Bytes that protobuf's JSON writes as base64, in hexadecimal; a text that is no id of these lengths stays. */
export function idOfBase64(text: string): string {
  if (!/^(?:[A-Za-z0-9+/_-]{22}(?:==)?|[A-Za-z0-9+/_-]{11}=?)$/.test(text)) return text;
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}
