/** Keeps lines of logs as bytes: as objects, the lines of a large log would take several times the room of its file. */

import type { LogLine, LogSeverity } from "../../model/evidence.ts";
import { parseForeignJson } from "../../text/foreign-json.ts";
import { packBlock, type PackedBlock, unpackBlock } from "./packed-block.ts";

/**
 * Lines are kept in blocks, of which the last one is open. Its size grows with what the log holds, because one file may
 * hold thousands of logs.
 */
const blockBytesMin = 8 * 1024;
const blockBytesMax = 256 * 1024;
const openShare = 4;
/** Places are numbers: of the block, and within it. A longer block holds one line only. */
const placesOfBlock = 2 ** 20;
/** What stands before a text: what there is, a time, and the bytes of the text. */
const headBytesMax = 1 + 8 + 4;
const lengthBytes = 4;

const severities: readonly LogSeverity[] = ["trace", "debug", "info", "warn", "error", "fatal"];
/** In the first byte, above the severity, which counts from one. */
const severityMask = 0x0f;
const hasTime = 0x10;
const hasRest = 0x20;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

interface Block {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** What few lines have, as JSON; the text, too, where UTF-8 cannot carry it. */
type Rest = Omit<LogLine, "timeMicros" | "severity">;

/** The block that was read last, of all logs of a file together. */
export interface LastBlock {
  read: { readonly packed: PackedBlock; readonly block: Block } | undefined;
}

/** Gives each line again as it was given, in an object of its own. */
export class LineStore {
  readonly #last: LastBlock;
  readonly #packed: PackedBlock[] = [];
  #open: Block = blockOf(new Uint8Array(blockBytesMin));
  #at = 0;
  #packedBytes = 0;

  constructor(last: LastBlock) {
    this.#last = last;
  }

  /** Keeps a line; the place by which it is found again. */
  add({ timeMicros, severity, text, ...others }: LogLine): number {
    const isPlain = text.isWellFormed();
    const rest = isPlain ? others : { ...others, text };
    const written = Object.keys(rest).length === 0 ? "" : JSON.stringify(rest);
    this.#makeRoom(headBytesMax + lengthBytes + 3 * ((isPlain ? text.length : 0) + written.length));
    const place = this.#packed.length * placesOfBlock + this.#at;
    const code = severity === undefined ? 0 : severities.indexOf(severity) + 1;
    this.#open.bytes[this.#at] =
      code | (timeMicros === undefined ? 0 : hasTime) | (written === "" ? 0 : hasRest);
    this.#at += 1;
    if (timeMicros !== undefined) {
      this.#open.view.setFloat64(this.#at, timeMicros);
      this.#at += 8;
    }
    this.#write(isPlain ? text : "");
    if (written !== "") this.#write(written);
    return place;
  }

  /** The line at a place that `add` gave. */
  at(place: number): LogLine {
    const { bytes, view } = this.#blockAt(Math.floor(place / placesOfBlock));
    let at = place % placesOfBlock;
    const flags = bytes[at] ?? 0;
    at += 1;
    const severity = severities[(flags & severityMask) - 1];
    const isTimed = (flags & hasTime) !== 0;
    const times = isTimed ? { timeMicros: view.getFloat64(at) } : {};
    if (isTimed) at += 8;
    const read = (): string => {
      const from = at + lengthBytes;
      at = from + view.getUint32(at);
      return decoder.decode(bytes.subarray(from, at));
    };
    const text = read();
    // It is what `add` wrote.
    const rest = (flags & hasRest) === 0 ? {} : (parseForeignJson(read()) as Partial<Rest>);
    return { ...times, ...(severity === undefined ? {} : { severity }), text, ...rest };
  }

  #blockAt(index: number): Block {
    const packed = this.#packed[index];
    if (packed === undefined) return this.#open;
    const { read } = this.#last;
    if (read?.packed === packed) return read.block;
    const block = blockOf(unpackBlock(packed));
    this.#last.read = { packed, block };
    return block;
  }

  /** Writes a text behind its length. */
  #write(text: string): void {
    const from = this.#at + lengthBytes;
    const { written } = encoder.encodeInto(text, this.#open.bytes.subarray(from));
    this.#open.view.setUint32(this.#at, written);
    this.#at = from + written;
  }

  /** Begins another block where the open one has not this much room. */
  #makeRoom(size: number): void {
    if (this.#at + size <= this.#open.bytes.length) return;
    if (this.#at > 0) {
      this.#packed.push(packBlock(this.#open.bytes.subarray(0, this.#at)));
      this.#packedBytes += this.#at;
      this.#at = 0;
    }
    const usual = Math.max(blockBytesMin, Math.min(this.#packedBytes / openShare, blockBytesMax));
    const length = Math.max(size, Math.floor(usual));
    if (length !== this.#open.bytes.length) this.#open = blockOf(new Uint8Array(length));
  }
}

function blockOf(bytes: Uint8Array): Block {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}
