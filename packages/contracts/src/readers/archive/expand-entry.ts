/** Expands entries of a zip archive, each no further than it says to be, and all no further than a bound. */

import { Inflate } from "fflate";

import { EvidenceError } from "../evidence-error.ts";
import { expandZstd } from "./zstd/expand-zstd.ts";
import { packedContentOf, type ZipEntry } from "./zip-directory.ts";

/**
 * Takes zstd off faster than this package does, where the host can: gives at most `sizeBytesMax` bytes, and throws
 * anything where there would be more or the bytes are no zstd.
 */
export type ExpandZstd = (bytes: Uint8Array, sizeBytesMax: number) => Uint8Array;

/** Packed bytes taken per step, which bounds what one step can expand to. */
const stepBytes = 16_384;

export interface ExpandLimits {
  /** Of one entry, expanded. */
  readonly entryBytesMax: number;
  /** Of all entries, expanded. */
  readonly totalBytesMax: number;
}

/** Expands entries of one archive. */
export class EntryExpander {
  readonly #bytes: Uint8Array;
  readonly #limits: ExpandLimits;
  readonly #expandZstd: ExpandZstd;
  #totalBytes = 0;

  constructor(bytes: Uint8Array, limits: ExpandLimits, ofHost: ExpandZstd = expandZstd) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#expandZstd = ofHost;
  }

  /** The content of an entry. Throws where it is not as large as the directory says, or larger than it may be. */
  expand(entry: ZipEntry): Uint8Array {
    const { entryBytesMax, totalBytesMax } = this.#limits;
    if (entry.sizeBytes > entryBytesMax) throw tooLarge("in one entry", entryBytesMax, entry);
    this.#totalBytes += entry.sizeBytes;
    if (this.#totalBytes > totalBytesMax) throw tooLarge("in its entries", totalBytesMax, entry);
    if (entry.isEncrypted) {
      throw new EvidenceError("The archive is encrypted.", {
        expected: "an archive without a password",
        where: entry.name,
      });
    }
    const content = this.#unpacked(entry);
    if (content.length !== entry.sizeBytes) throw notAsSaid(entry);
    return content;
  }

  #unpacked(entry: ZipEntry): Uint8Array {
    const packed = packedContentOf(this.#bytes, entry);
    switch (entry.method) {
      case 0:
        return packed;
      case 8:
        return inflated(packed, entry);
      case 93:
        return this.#withoutZstd(packed, entry);
      default:
        throw new EvidenceError(
          `The archive is packed in a way (${entry.method}) that is not read.`,
          {
            expected: "entries that are stored, or packed by deflate or zstd",
            where: entry.name,
          },
        );
    }
  }

  #withoutZstd(packed: Uint8Array, entry: ZipEntry): Uint8Array {
    try {
      return this.#expandZstd(packed, entry.sizeBytes);
    } catch (cause) {
      throw broken(entry, cause);
    }
  }
}

function inflated(packed: Uint8Array, entry: ZipEntry): Uint8Array {
  const content = new Uint8Array(entry.sizeBytes);
  let sizeBytes = 0;
  const stream = new Inflate((piece) => {
    if (sizeBytes + piece.length > content.length) throw notAsSaid(entry);
    content.set(piece, sizeBytes);
    sizeBytes += piece.length;
  });
  try {
    for (let offset = 0; offset < packed.length; offset += stepBytes) {
      stream.push(packed.subarray(offset, offset + stepBytes), offset + stepBytes >= packed.length);
    }
  } catch (cause) {
    if (cause instanceof EvidenceError) throw cause;
    throw broken(entry, cause);
  }
  return content.subarray(0, sizeBytes);
}

function broken({ name }: ZipEntry, cause: unknown): EvidenceError {
  return new EvidenceError("An entry of the archive is broken or cut.", {
    expected: "a complete entry",
    where: name,
    cause,
  });
}

function notAsSaid({ name, sizeBytes }: ZipEntry): EvidenceError {
  return new EvidenceError("An entry of the archive is not as large as the archive says.", {
    expected: `${sizeBytes} bytes`,
    where: name,
  });
}

function tooLarge(what: string, bytesMax: number, { name }: ZipEntry): EvidenceError {
  return new EvidenceError("The archive expands beyond the limit.", {
    expected: `at most ${bytesMax} bytes ${what}`,
    where: name,
  });
}
