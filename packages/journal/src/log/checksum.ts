/** The checksum of the format: CRC-32 as in zlib, gzip and PNG (polynomial 0xEDB88320 reflected). */

import { crc32 } from "node:zlib";

/** The checksum of the parts one after another. */
export function checksum(...parts: readonly Uint8Array[]): number {
  let value = 0;
  for (const part of parts) value = crc32(part, value);
  return value;
}
