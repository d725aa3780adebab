/**
 * A caller's response, of which each part is one chunk of the transfer encoding (RFC 9112, section 7.1). Parts that come
 * together leave in one piece: `node:http` writes a chunk in four, and a piece costs more than the copy that this makes.
 */

import type { ServerResponse } from "node:http";

import type { ReplyHead } from "./reply-head.ts";
import type { ReplySink } from "./reply-sink.ts";

/** Of longer parts, and of longer bodies, a copy would cost more than the pieces. */
const copiedBytesMax = 4_096;
const joinedBytesMax = 16_384;
const lineEnd = Buffer.from("\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");
const hexDigits = Buffer.from("0123456789abcdef");

export class FramedResponse implements ReplySink {
  readonly #response: ServerResponse;
  #frames = false;
  #headSent = false;
  /** Parts that leave together once what brought them was read, and what their chunks take. */
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get headersSent(): boolean {
    return this.#response.headersSent;
  }

  get statusCode(): number {
    return this.#response.statusCode;
  }

  writeHead(status: number, head: ReplyHead): void {
    const response = this.#response;
    response.writeHead(status, head);
    // The head says so already; a caller of HTTP/1.0 gets none of it.
    this.#frames = response.chunkedEncoding;
    response.chunkedEncoding = false;
  }

  /** `false` may come one part late. */
  write(part: Buffer | string): boolean {
    const response = this.#response;
    if (!this.#frames) return response.write(part);
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    const { length } = bytes;
    // A chunk without bytes is the last one.
    if (length === 0) return !response.writableNeedDrain;
    if (length <= copiedBytesMax) {
      if (this.#gathered.length === 0) process.nextTick(flush, this);
      else if (this.#gatheredBytes + length > joinedBytesMax) this.flush();
      this.#gathered.push(bytes);
      this.#gatheredBytes += digitCountOf(length) + length + 4;
      return !response.writableNeedDrain;
    }
    this.flush();
    this.#headSent = true;
    response.write(`${length.toString(16)}\r\n`, "latin1");
    response.write(bytes);
    return response.write(lineEnd);
  }

  /** Writes what was gathered. */
  flush(): void {
    if (this.#gathered.length === 0) return;
    const chunks = this.#takeChunks(0);
    const { socket } = this.#response;
    // Corked by us, it needs no tick to be uncorked.
    socket?.cork();
    if (this.#headSent) this.#response.write(chunks);
    else this.#response.write(chunks.toString("latin1"), "latin1");
    this.#headSent = true;
    socket?.uncork();
  }

  end(part?: Buffer | string): void {
    if (!this.#frames) {
      // As a text, a short body leaves in one piece with its head; in latin1 each byte stays as it is.
      if (Buffer.isBuffer(part) && part.length <= joinedBytesMax)
        this.#response.end(part.toString("latin1"), "latin1");
      else this.#response.end(part);
      return;
    }
    if (part !== undefined) this.write(part);
    const chunks = this.#takeChunks(lastChunk.length);
    chunks.set(lastChunk, chunks.length - lastChunk.length);
    if (this.#headSent) this.#response.end(chunks);
    else this.#response.end(chunks.toString("latin1"), "latin1");
  }

  once(event: "drain", listener: () => void): void {
    this.#response.once(event, listener);
  }

  destroy(): void {
    this.#response.destroy();
  }

  /** The chunks of what was gathered, with room for so many bytes behind them. */
  #takeChunks(restBytes: number): Buffer {
    const chunks = Buffer.allocUnsafe(this.#gatheredBytes + restBytes);
    let at = 0;
    for (const bytes of this.#gathered) at = writeChunk(chunks, at, bytes);
    this.#gathered.length = 0;
    this.#gatheredBytes = 0;
    return chunks;
  }
}

function flush(response: FramedResponse): void {
  response.flush();
}

function digitCountOf(length: number): number {
  return length < 0x10 ? 1 : length < 0x100 ? 2 : length < 0x1000 ? 3 : 4;
}

/** Writes a chunk; gives where it ends. */
function writeChunk(chunks: Buffer, start: number, bytes: Buffer): number {
  const { length } = bytes;
  const dataAt = start + digitCountOf(length) + 2;
  for (let at = dataAt - 3, rest = length; at >= start; at -= 1, rest >>= 4) {
    chunks[at] = hexDigits[rest & 0xf] ?? 0;
  }
  chunks[dataAt - 2] = 0x0d;
  chunks[dataAt - 1] = 0x0a;
  chunks.set(bytes, dataAt);
  const dataEnd = dataAt + length;
  chunks[dataEnd] = 0x0d;
  chunks[dataEnd + 1] = 0x0a;
  return dataEnd + 2;
}
