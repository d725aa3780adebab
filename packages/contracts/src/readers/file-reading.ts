/** Reads one file as its bytes come in: takes compression off, recognises the format, and reads it so or whole. */

import type { ExpandZstd } from "./archive/expand-entry.ts";
import { EvidenceError } from "./evidence-error.ts";
import { concatenate, expandsBeyond, Expander } from "./expand.ts";
import type { EvidenceFormat, FileContent, FormatInput, FormatStream } from "./format.ts";
import { evidenceFormats, knownFormats } from "./formats.ts";
import { evidenceLimits } from "./limits.ts";
import { decodeText, headBytes, headOf, inUtf8, isUtf16, looksBinary } from "./text.ts";
import { unknownFormat } from "./unknown-format.ts";

/** What all files of one call have used up of its limits. */
export interface UsedUp {
  wholeBytes: number;
  streamedBytes: number;
  spanCount: number;
}

/** What is known of a file before its bytes come, and what its host can do. */
export interface FileReadingOptions {
  readonly sizeBytes?: number | undefined;
  readonly expandZstd?: ExpandZstd | undefined;
}

interface OpenStream {
  readonly format: EvidenceFormat;
  readonly reader: FormatStream;
}

/** Give bytes by `push`, then call `end`. Any call throws an `EvidenceError`; then the file is not read any more. */
export class FileReading {
  readonly #name: string;
  readonly #folder: string;
  readonly #used: UsedUp;
  readonly #expander: Expander;
  readonly #sizeBytes: number | undefined;
  readonly #expandZstd: ExpandZstd | undefined;
  #packedBytes = 0;
  #stream: OpenStream | undefined;
  /** What came before the format was looked for, and all of a file that is read whole. */
  #pieces: Uint8Array[] = [];
  #wholeBytes = 0;
  #isWhole = false;
  /** The pieces of a file of known size, put together as they come. */
  #whole: Uint8Array | undefined;

  constructor(name: string, used: UsedUp, { sizeBytes, expandZstd }: FileReadingOptions) {
    this.#name = name.slice(name.lastIndexOf("/") + 1);
    this.#folder = name.split("/").at(-2) ?? "";
    this.#used = used;
    this.#sizeBytes = sizeBytes;
    this.#expandZstd = expandZstd;
    this.#expander = new Expander((bytes) => this.#take(bytes));
  }

  get spanCount(): number {
    return this.#stream?.reader.spanCount ?? 0;
  }

  /** What matters of this file was read. */
  get isSatisfied(): boolean {
    return this.#stream?.reader.isSatisfied === true;
  }

  push(chunk: Uint8Array): void {
    if (this.isSatisfied) return;
    this.#packedBytes += chunk.length;
    this.#expander.push(chunk);
  }

  end(): { readonly format: string; readonly content: FileContent } {
    if (!this.isSatisfied) this.#expander.end();
    if (this.#stream !== undefined) {
      const { format, reader } = this.#stream;
      return { format: format.name, content: reader.end() };
    }
    const bytes = this.#whole?.subarray(0, this.#wholeBytes) ?? concatenate(this.#pieces);
    this.#pieces = [];
    return this.#readWhole(bytes);
  }

  #take(bytes: Uint8Array): void {
    if (this.#stream !== undefined) {
      this.#pushToStream(this.#stream.reader, bytes);
      return;
    }
    if (!this.#isWhole && this.#wholeBytes + bytes.length >= headBytes) {
      this.#stream = this.#open([...this.#pieces, bytes.subarray(0, headBytes)]);
      if (this.#stream !== undefined) {
        this.#beginStream(this.#stream.reader, bytes);
        return;
      }
      this.#isWhole = true;
    }
    this.#keep(bytes);
  }

  #beginStream(reader: FormatStream, bytes: Uint8Array): void {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#used.wholeBytes -= this.#wholeBytes;
    for (const piece of pieces) this.#pushToStream(reader, piece);
    this.#pushToStream(reader, bytes);
  }

  #pushToStream(reader: FormatStream, bytes: Uint8Array): void {
    const { streamedBytesMax, spanCountMax } = evidenceLimits;
    this.#used.streamedBytes += bytes.length;
    if (this.#used.streamedBytes > streamedBytesMax) throw tooMuch("bytes", streamedBytesMax);
    reader.push(bytes);
    if (this.#used.spanCount + reader.spanCount > spanCountMax)
      throw tooMuch("spans", spanCountMax);
  }

  #keep(bytes: Uint8Array): void {
    const { fileBytesMax, expandedBytesMax, totalBytesMax } = evidenceLimits;
    this.#wholeBytes += bytes.length;
    this.#used.wholeBytes += bytes.length;
    const isPacked = this.#packedBytes !== this.#wholeBytes;
    // What is not compressed counts as it lies on disk.
    if (!isPacked && this.#wholeBytes > fileBytesMax) {
      throw tooMuch("bytes in one file", fileBytesMax);
    }
    if (this.#wholeBytes > expandedBytesMax) throw expandsBeyond(expandedBytesMax);
    if (this.#used.wholeBytes > totalBytesMax) throw tooMuch("bytes in all files", totalBytesMax);
    if (this.#whole === undefined && this.#isWhole) this.#reserve(bytes.length);
    if (this.#whole !== undefined && this.#wholeBytes <= this.#whole.length) {
      this.#whole.set(bytes, this.#wholeBytes - bytes.length);
    } else if (this.#whole !== undefined) {
      this.#pieces = [this.#whole.subarray(0, this.#wholeBytes - bytes.length), bytes.slice()];
      this.#whole = undefined;
    } else this.#pieces.push(bytes.slice());
  }

  /** Makes room for a file of known size at once, so that it is never held twice. */
  #reserve(lastBytes: number): void {
    const size = this.#sizeBytes ?? 0;
    if (size < this.#wholeBytes || size > evidenceLimits.fileBytesMax) return;
    const whole = new Uint8Array(size);
    let offset = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, offset);
      offset += piece.length;
    }
    this.#pieces = [];
    this.#whole = offset === this.#wholeBytes - lastBytes ? whole : undefined;
  }

  /** The stream of a format that reads this file as it comes, when there is one. */
  #open(beginning: readonly Uint8Array[]): OpenStream | undefined {
    const bytes = concatenate(beginning).subarray(0, headBytes);
    if (isUtf16(bytes)) return undefined;
    const head = looksBinary(bytes) ? undefined : headOf(bytes);
    const input = {
      bytes,
      head,
      name: this.#name,
      folder: this.#folder,
      text: () => headOf(bytes),
    };
    const format = evidenceFormats.find((candidate) => candidate.recognise(input));
    const reader = format?.open?.(input);
    return format === undefined || reader === undefined ? undefined : { format, reader };
  }

  #readWhole(expanded: Uint8Array): { readonly format: string; readonly content: FileContent } {
    if (expanded.length === 0) {
      throw new EvidenceError("The file is empty.", { expected: knownFormats(), where: "byte 0" });
    }
    const bytes = inUtf8(expanded);
    const head = looksBinary(bytes) ? undefined : headOf(bytes);
    const input: FormatInput = {
      bytes,
      head,
      name: this.#name,
      folder: this.#folder,
      expandZstd: this.#expandZstd,
      text: () => decodeText(bytes),
    };
    const format = evidenceFormats.find((candidate) => candidate.recognise(input));
    if (format === undefined) throw unknownFormat(input);
    return { format: format.name, content: format.read(input) };
  }
}

/** The error of what lies beyond a limit. */
export function tooMuch(what: string, limit: number): EvidenceError {
  return new EvidenceError(`This is beyond the limit of ${limit} ${what}.`, {
    expected: `at most ${limit} ${what}`,
  });
}
