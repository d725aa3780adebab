/** Listens to a reply on its way, so that it can be kept once it is known to be whole. */

import type { ReplyHead } from "../calls/reply-head.ts";
import type { ReplySink } from "../calls/reply-sink.ts";
import { cacheHeader } from "./cache-wish.ts";
import { cacheLimits } from "./limits.ts";

/** The others tell of one call, or of the moment. */
const keptNames: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "cache-control",
  "openai-model",
  "openai-version",
  "x-faultline-simulated",
  "x-faultline-translation-loss",
]);

export class CacheSink implements ReplySink {
  readonly #sink: ReplySink;
  #parts: Buffer[] = [];
  #bytes = 0;
  #head: ReplyHead = {};
  #isWhole = false;
  #isTooLarge = false;

  constructor(sink: ReplySink) {
    this.#sink = sink;
  }

  get headersSent(): boolean {
    return this.#sink.headersSent;
  }

  get statusCode(): number {
    return this.#sink.statusCode;
  }

  /** The reply, once it has ended as it should and was not too large. */
  get whole():
    | { readonly status: number; readonly head: ReplyHead; readonly body: Buffer }
    | undefined {
    if (!this.#isWhole || this.#isTooLarge) return undefined;
    return { status: this.statusCode, head: this.#head, body: Buffer.concat(this.#parts) };
  }

  writeHead(status: number, head: ReplyHead): unknown {
    this.#head = Object.fromEntries(Object.entries(head).filter(([name]) => keptNames.has(name)));
    return this.#sink.writeHead(status, { ...head, [cacheHeader]: "miss" });
  }

  write(chunk: Buffer | string): boolean {
    this.#hear(chunk);
    return this.#sink.write(chunk);
  }

  end(chunk?: Buffer | string): unknown {
    if (chunk !== undefined) this.#hear(chunk);
    this.#isWhole = true;
    return this.#sink.end(chunk);
  }

  once(event: "drain", listener: () => void): unknown {
    return this.#sink.once(event, listener);
  }

  destroy(): unknown {
    return this.#sink.destroy();
  }

  cut(): void {
    this.#sink.cut?.();
  }

  #hear(chunk: Buffer | string): void {
    if (this.#isTooLarge) return;
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    this.#bytes += bytes.length;
    this.#isTooLarge = this.#bytes > cacheLimits.replyBytesMax;
    if (this.#isTooLarge) this.#parts = [];
    else this.#parts.push(bytes);
  }
}
