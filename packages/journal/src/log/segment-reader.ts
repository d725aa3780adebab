/** Reads the batches of one segment file, by windows, and checks all that it hands out. */

import type { JournalFile } from "../file-system/file-system.ts";
import {
  type BatchHeader,
  batchFixedBytes,
  batchMagicBytes,
  decodeBatchHeader,
  recordPrefixBytes,
} from "./batch-header.ts";
import { checksum } from "./checksum.ts";
import type { SegmentHeader } from "./segment-header.ts";

/** What is read of a file at once, unless a batch is longer. */
const windowBytes = 256 * 1024;

/** A batch whose checksums match and whose records fill it, or a gap. */
export interface Batch {
  readonly kind: "batch";
  readonly header: BatchHeader;
  /** Where it starts and ends in the file. */
  readonly offset: number;
  readonly end: number;
  readonly payload: Uint8Array;
}

export type BatchOutcome =
  | Batch
  /** All before it is synced. */
  | { readonly kind: "mark"; readonly offset: number; readonly end: number }
  /** The segment ends here. */
  | { readonly kind: "end" }
  /** The segment ends within the batch. */
  | { readonly kind: "cut"; readonly reason: string; readonly recordCount?: number }
  /** `recordCount` is there when the head of the batch is whole. */
  | {
      readonly kind: "bad";
      readonly offset: number;
      readonly reason: string;
      readonly recordCount?: number;
    }
  | { readonly kind: "newer"; readonly reason: string };

export interface SegmentReaderOptions {
  readonly file: JournalFile;
  readonly header: SegmentHeader;
  /** How much of the file counts. */
  readonly length: number;
}

export class SegmentReader {
  readonly #file: JournalFile;
  readonly #base: number;
  readonly #logSeed: number;
  #length: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  constructor({ file, header, length }: SegmentReaderOptions) {
    this.#file = file;
    this.#base = header.base;
    this.#logSeed = checksum(header.logId);
    this.#length = length;
  }

  get length(): number {
    return this.#length;
  }

  /** Lets the reader see more of a file that has grown. */
  extend(length: number): void {
    this.#length = Math.max(this.#length, length);
  }

  /** Reads the batch at `offset`. */
  async batchAt(offset: number): Promise<BatchOutcome> {
    if (offset >= this.#length) return { kind: "end" };
    const outcome = await this.#headerAt(offset);
    if (outcome.kind === "cut") return { kind: "cut", reason: "the head of the batch is cut" };
    if (outcome.kind === "bad") return { kind: "bad", offset, reason: outcome.reason };
    if (outcome.kind === "newer") return outcome;
    const { header } = outcome;
    const start = offset + header.headerBytes;
    if (header.kind === "mark") return { kind: "mark", offset, end: start };

    const end = start + header.payloadBytes;
    // Judged before memory is taken for it.
    if (end > this.#length) {
      const missing = end - this.#length;
      const reason = `the last ${missing} bytes of the batch are missing`;
      return { kind: "cut", reason, recordCount: header.recordCount };
    }
    const payload = await this.#bytesAt(start, header.payloadBytes);
    if (payload.length < header.payloadBytes || checksum(payload) !== header.payloadChecksum) {
      const reason = "the checksum of the batch does not match";
      return { kind: "bad", offset, reason, recordCount: header.recordCount };
    }
    const flaw = header.kind === "gap" ? undefined : findFlaw(payload, header);
    if (flaw !== undefined) {
      const { recordCount } = header;
      return { kind: "bad", offset: start + flaw.at, reason: flaw.reason, recordCount };
    }
    return { kind: "batch", header, offset, end, payload };
  }

  /** Where the batch starts to which the record at `offset` says that it belongs; batches are at their own start. */
  async batchOffsetOf(offset: number): Promise<number | undefined> {
    const prefix = await this.#bytesAt(offset, recordPrefixBytes);
    if (prefix.length < recordPrefixBytes) return undefined;
    if (startsWithMagic(prefix)) return offset;
    const back = new DataView(prefix.buffer, prefix.byteOffset).getUint32(4, true);
    return back > 0 && back <= offset ? offset - back : undefined;
  }

  /** The first offset from `offset` on at which the head of a batch or a mark stands that was written for its place. */
  async findHeader(offset: number): Promise<number | undefined> {
    // Where all is well it stands right here, and nothing more has to be read.
    if (await this.#hasHeaderAt(offset)) return offset;
    let start = offset + 1;
    while (start + batchFixedBytes <= this.#length) {
      const bytes = await this.#bytesAt(start, Math.min(windowBytes, this.#length - start));
      const window = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      let found = window.indexOf(batchMagicBytes);
      while (found !== -1) {
        if (await this.#hasHeaderAt(start + found)) return start + found;
        found = window.indexOf(batchMagicBytes, found + 1);
      }
      // The magic may begin in this window and end in the next.
      start += Math.max(1, bytes.length - (batchMagicBytes.length - 1));
    }
    return undefined;
  }

  async #hasHeaderAt(offset: number): Promise<boolean> {
    const { kind } = await this.#headerAt(offset);
    return kind === "header" || kind === "newer";
  }

  async #headerAt(offset: number): Promise<ReturnType<typeof decodeBatchHeader>> {
    const place = { position: this.#base + offset, logSeed: this.#logSeed };
    const outcome = decodeBatchHeader(await this.#bytesAt(offset, batchFixedBytes * 2), place);
    if (outcome.kind !== "cut") return outcome;
    return decodeBatchHeader(await this.#bytesAt(offset, outcome.bytesNeeded), place);
  }

  /** Bytes of the file, fewer where it ends. They are never written to again, so they may be handed out. */
  async #bytesAt(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(offset + length, this.#length);
    if (offset < this.#windowStart || end > this.#windowStart + this.#window.length) {
      const wanted = Math.max(end - offset, Math.min(windowBytes, this.#length - offset));
      const window = new Uint8Array(Math.max(0, wanted));
      const count = await this.#file.read(window, offset);
      this.#window = window.subarray(0, count);
      this.#windowStart = offset;
    }
    const start = offset - this.#windowStart;
    return this.#window.subarray(start, Math.max(start, end - this.#windowStart));
  }
}

function startsWithMagic(bytes: Uint8Array): boolean {
  return batchMagicBytes.every((byte, index) => bytes[index] === byte);
}

/** Whether the records fill the payload exactly, each where its prefix says. */
function findFlaw(
  payload: Uint8Array,
  { headerBytes, recordCount }: BatchHeader,
): { readonly at: number; readonly reason: string } | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  let at = 0;
  for (let index = 0; index < recordCount; index += 1) {
    if (payload.length - at < recordPrefixBytes) return { at, reason: "a record is missing" };
    const length = view.getUint32(at, true);
    if (length > payload.length - at - recordPrefixBytes) {
      return { at, reason: "a record is longer than its batch" };
    }
    if (view.getUint32(at + 4, true) !== headerBytes + at) {
      return { at, reason: "a record points to another batch" };
    }
    at += recordPrefixBytes + length;
  }
  return at === payload.length ? undefined : { at, reason: "bytes follow the last record" };
}
