/** Takes compression off, within bounds: what stops a small file from becoming a large one. */

import { Gunzip } from "fflate";

import { EvidenceError } from "./evidence-error.ts";
import { evidenceLimits } from "./limits.ts";

/** Compressed bytes taken per step, which bounds what one step can expand to. */
const stepBytes = 16_384;

/** Whether bytes start as gzip does. */
export function looksLikeGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The bytes behind up to `compressionDepthMax` layers of gzip, at most `bytesMax` of them. */
export function expand(bytes: Uint8Array, bytesMax: number): Uint8Array {
  let current = bytes;
  for (let depth = 0; looksLikeGzip(current); depth += 1) {
    if (depth === evidenceLimits.compressionDepthMax) {
      throw new EvidenceError("The file is compressed within compressed files.", {
        expected: `at most ${evidenceLimits.compressionDepthMax} layers of gzip`,
      });
    }
    current = gunzip(current, bytesMax);
  }
  return current;
}

function gunzip(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let total = 0;
  const stream = new Gunzip((piece) => {
    total += piece.length;
    if (total > bytesMax) {
      throw new EvidenceError("The compressed file expands beyond the limit.", {
        expected: `at most ${bytesMax} bytes after decompression`,
        where: `after ${bytesMax} expanded bytes`,
      });
    }
    pieces.push(piece);
  });
  try {
    for (let offset = 0; offset < bytes.length; offset += stepBytes) {
      const isLast = offset + stepBytes >= bytes.length;
      stream.push(bytes.subarray(offset, offset + stepBytes), isLast);
    }
  } catch (cause) {
    if (cause instanceof EvidenceError) throw cause;
    throw new EvidenceError("The gzip stream is broken or cut.", {
      expected: "a complete gzip stream",
      where: `after ${total} expanded bytes`,
      cause,
    });
  }
  return concatenate(pieces, total);
}

function concatenate(pieces: readonly Uint8Array[], total: number): Uint8Array {
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}
