/**
 * API keys: `fl_<tenant>_<43 random characters><6 characters of checksum>`. The checksum is the CRC-32 of all that
 * stands before it, so that a mistyped key is told apart from an unknown one without asking anybody.
 */

import { parseTenantId, type TenantId } from "./ids.ts";

export const keyLimits = {
  /** 62^43 lies above 2^256. */
  randomLength: 43,
  checksumLength: 6,
  /** `fl_`, the longest tenant id, `_`, the random part and the checksum. */
  lengthMax: 3 + 40 + 1 + 43 + 6,
} as const;

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const shownRandomLength = 4;

export type ParsedKey =
  | { readonly kind: "ok"; readonly tenantId: TenantId }
  | { readonly kind: "malformed"; readonly reason: string }
  | { readonly kind: "checksum-mismatch"; readonly tenantId: TenantId };

/** Makes a key. `draw(bound)` gives a uniformly distributed, unpredictable integer in `[0, bound)`. */
export function formatKey(tenantId: TenantId, draw: (bound: number) => number): string {
  const letters = Array.from({ length: keyLimits.randomLength }, () =>
    alphabet.charAt(draw(alphabet.length)),
  );
  const body = `fl_${tenantId}_${letters.join("")}`;
  return `${body}${checksum(body)}`;
}

/** Reads a key as it was sent. Never throws; says what is wrong with a key that is none. */
export function parseKey(text: string): ParsedKey {
  if (text.length > keyLimits.lengthMax) {
    return malformed(
      `it has ${text.length} characters, and no key has more than ${keyLimits.lengthMax}`,
    );
  }
  if (!text.startsWith("fl_")) return malformed("it does not start with `fl_`");
  const separator = text.lastIndexOf("_");
  if (separator <= 2) return malformed("it has no `_` between the tenant and the secret part");
  const tenantId = parseTenantId(text.slice(3, separator));
  if (tenantId === undefined)
    return malformed("the tenant between `fl_` and the last `_` is not a tenant id");

  const secret = text.slice(separator + 1);
  const lengthExpected = keyLimits.randomLength + keyLimits.checksumLength;
  if (secret.length !== lengthExpected) {
    return malformed(
      `its secret part has ${secret.length} characters instead of ${lengthExpected}`,
    );
  }
  const strange = secret.search(/[^0-9A-Za-z]/);
  if (strange >= 0) {
    return malformed(
      `character ${separator + 2 + strange} is neither a letter from a to z nor a digit`,
    );
  }
  const body = text.slice(0, -keyLimits.checksumLength);
  if (checksum(body) !== text.slice(-keyLimits.checksumLength))
    return { kind: "checksum-mismatch", tenantId };
  return { kind: "ok", tenantId };
}

/** The start of a key, enough for its owner to recognise it and for nobody to use it. */
export function keyPrefix(key: string): string {
  return key.slice(0, key.lastIndexOf("_") + 1 + shownRandomLength);
}

function malformed(reason: string): ParsedKey {
  return { kind: "malformed", reason };
}

/** CRC-32 in base 62; 62^6 lies above 2^32. */
function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let index = 0; index < keyLimits.checksumLength; index += 1) {
    digits = alphabet.charAt(rest % alphabet.length) + digits;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
}

/** CRC-32 of ISO 3309 over ASCII text, bit by bit: keys are short. */
function crc32(text: string): number {
  let remainder = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) {
    remainder ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit += 1) {
      remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
    }
  }
  return (remainder ^ 0xffffffff) >>> 0;
}
