/**
 * Relays a plain reply. A small one is held until it is whole, so that a broken one becomes a clean error; a large one
 * flows with back-pressure, and when it breaks the connection breaks too.
 */

import { PlatformError } from "@faultline/protocol";

import { gatewayLimits } from "../limits.ts";
import { JsonFault } from "../wire/json-fault.ts";
import type { Relay, RelayTarget } from "./relay.ts";
import type { ReplyReader } from "./reply-reader.ts";
import { providerReported } from "./transport-error.ts";

export class PlainRelay implements Relay {
  readonly #target: RelayTarget;
  readonly #contentLength: string | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  committed = false;
  progress = 0;
  readonly complete = false;

  constructor(target: RelayTarget, contentLength: string | undefined) {
    this.#target = target;
    this.#contentLength = contentLength;
    target.reader.startDocument(false);
  }

  get deltaSeen(): boolean {
    return this.#target.reader.hasDelta;
  }

  write(part: Buffer): boolean {
    this.progress += 1;
    readPart(this.#target.reader, part);
    if (this.committed) return this.#target.sink.write(part);
    this.#held.push(part);
    this.#heldBytes += part.length;
    return this.#heldBytes <= gatewayLimits.replyHoldBytesMax || this.#startFlowing();
  }

  end(): void {
    const { sink, status, head, reader } = this.#target;
    if (!reader.endDocument()) throw invalidReply(undefined);
    if (this.committed) {
      sink.end();
      return;
    }
    if (isOnlyError(reader)) throw providerReported(reader);
    this.committed = true;
    head["content-length"] = this.#heldBytes;
    sink.writeHead(status, head);
    const [only] = this.#held;
    sink.end(this.#held.length === 1 ? only : Buffer.concat(this.#held));
  }

  breakOff(): boolean {
    this.#target.sink.destroy();
    return false;
  }

  #startFlowing(): boolean {
    const { sink, status, head } = this.#target;
    this.committed = true;
    if (this.#contentLength !== undefined) head["content-length"] = this.#contentLength;
    sink.writeHead(status, head);
    let flowing = true;
    for (const part of this.#held) flowing = sink.write(part);
    this.#held = [];
    return flowing;
  }
}

/** Reads a part of a plain reply. Throws `provider_response_invalid` where it is not JSON. */
export function readPart(reader: ReplyReader, part: Buffer): void {
  try {
    reader.write(part, 0, part.length);
  } catch (error) {
    if (error instanceof JsonFault) throw invalidReply(error);
    throw error;
  }
}

/** Some providers report their errors with a status of 200: another attempt may answer. */
export function isOnlyError(reader: ReplyReader): boolean {
  return reader.hasError && !reader.hasDelta && reader.responseId === undefined;
}

/** The error of a plain reply that is not a JSON object. */
export function invalidReply(cause: JsonFault | undefined): PlatformError {
  return new PlatformError(
    "provider_response_invalid",
    "The provider's reply is not a whole JSON object.",
    { cause, ...(cause === undefined ? {} : { where: `byte ${cause.offset}` }) },
  );
}
