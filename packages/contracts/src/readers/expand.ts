/** Takes compression off, within bounds: what stops a small file from becoming a large one. */

import { Gunzip } from "fflate";

import { EvidenceError } from "./evidence-error.ts";
import { evidenceLimits } from "./limits.ts";

/** Compressed bytes taken per step, which bounds what one step can expand to. */
const stepBytes = 16_384;

/** Takes up to `compressionDepthMax` layers of gzip off bytes as they come in; other bytes are handed on as they are. */
export class Expander {
  readonly #take: (bytes: Uint8Array) => void;
  readonly #depth: number;
  /** The beginning, as long as it is too short to tell what it is. */
  #start: Uint8Array | undefined;
  #layer: GzipLayer | "plain" | undefined;

  /** `take` gets the expanded bytes, and throws when there are too many of them. */
  constructor(take: (bytes: Uint8Array) => void, depth = 0) {
    this.#take = take;
    this.#depth = depth;
  }

  push(chunk: Uint8Array): void {
    if (this.#layer === undefined) this.#begin(chunk, false);
    else if (this.#layer === "plain") this.#take(chunk);
    else this.#layer.push(chunk);
  }

  end(): void {
    if (this.#layer === undefined) this.#begin(new Uint8Array(0), true);
    if (typeof this.#layer === "object") this.#layer.end();
  }

  #begin(chunk: Uint8Array, isLast: boolean): void {
    const start = this.#start === undefined ? chunk : concatenate([this.#start, chunk]);
    if (start.length < 2 && !isLast) {
      this.#start = start.slice();
      return;
    }
    this.#start = undefined;
    if (!looksLikeGzip(start)) {
      this.#layer = "plain";
      this.#take(start);
      return;
    }
    if (this.#depth === evidenceLimits.compressionDepthMax) {
      throw new EvidenceError("The file is compressed within compressed files.", {
        expected: `at most ${evidenceLimits.compressionDepthMax} layers of gzip`,
      });
    }
    this.#layer = new GzipLayer(new Expander(this.#take, this.#depth + 1));
    this.#layer.push(start);
  }
}

/** One layer of gzip, whose content goes to the next expander. */
class GzipLayer {
  readonly #inner: Expander;
  readonly #stream: Gunzip;
  #expandedBytes = 0;

  constructor(inner: Expander) {
    this.#inner = inner;
    this.#stream = new Gunzip((piece) => {
      this.#expandedBytes += piece.length;
      inner.push(piece);
    });
  }

  push(chunk: Uint8Array): void {
    for (let offset = 0; offset < chunk.length; offset += stepBytes) {
      this.#step(chunk.subarray(offset, offset + stepBytes), false);
    }
  }

  end(): void {
    this.#step(new Uint8Array(0), true);
    this.#inner.end();
  }

  #step(bytes: Uint8Array, isLast: boolean): void {
    try {
      this.#stream.push(bytes, isLast);
    } catch (cause) {
      if (cause instanceof EvidenceError) throw cause;
      throw new EvidenceError("The gzip stream is broken or cut.", {
        expected: "a complete gzip stream",
        where: `after ${this.#expandedBytes} expanded bytes`,
        cause,
      });
    }
  }
}

function looksLikeGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The error of a file that expands to more than is taken. */
export function expandsBeyond(bytesMax: number): EvidenceError {
  return new EvidenceError("The compressed file expands beyond the limit.", {
    expected: `at most ${bytesMax} bytes after decompression`,
    where: `after ${bytesMax} expanded bytes`,
  });
}

/** Pieces of bytes as one. */
export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}
