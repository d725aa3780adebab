/**
 * A caller's response, of which each part is written as one chunk of the transfer encoding (RFC 9112, section 7.1) in one
 * piece: `node:http` writes a chunk in four, which costs more than the copy that this makes.
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

  write(part: Buffer | string): boolean {
    const response = this.#response;
    if (!this.#frames) return response.write(part);
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    // A chunk without bytes is the last one.
    if (bytes.length === 0) return !response.writableNeedDrain;
    if (bytes.length <= copiedBytesMax) return response.write(chunkOf(bytes));
    response.write(`${bytes.length.toString(16)}\r\n`, "latin1");
    response.write(bytes);
    return response.write(lineEnd);
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
    this.#response.end(lastChunk);
  }

  once(event: "drain", listener: () => void): void {
    this.#response.once(event, listener);
  }

  destroy(): void {
    this.#response.destroy();
  }
}

function chunkOf(bytes: Buffer): Buffer {
  const { length } = bytes;
  const digitCount = length < 0x10 ? 1 : length < 0x100 ? 2 : length < 0x1000 ? 3 : 4;
  const chunk = Buffer.allocUnsafe(digitCount + length + 4);
  for (let at = digitCount - 1, rest = length; at >= 0; at -= 1, rest >>= 4) {
    chunk[at] = hexDigits[rest & 0xf] ?? 0;
  }
  chunk[digitCount] = 0x0d;
  chunk[digitCount + 1] = 0x0a;
  chunk.set(bytes, digitCount + 2);
  chunk[digitCount + 2 + length] = 0x0d;
  chunk[digitCount + 3 + length] = 0x0a;
  return chunk;
}
