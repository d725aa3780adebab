/**
 * Relays a plain reply. A small one is held until it is whole, so that a broken one becomes a clean error; a large one
 * flows with back-pressure, and when it breaks the connection breaks too.
 */

import { PlatformError } from "@faultline/protocol";

import { JsonFault } from "../wire/json-scanner.ts";
import { gatewayLimits } from "../limits.ts";
import { sendError } from "./openai-error.ts";
import type { Relay, RelayTarget } from "./relay.ts";

export class PlainRelay implements Relay {
  readonly #target: RelayTarget;
  readonly #contentLength: string | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #flows = false;
  progress = 0;
  readonly complete = false;

  constructor(target: RelayTarget, contentLength: string | undefined) {
    this.#target = target;
    this.#contentLength = contentLength;
    target.reader.startDocument();
  }

  get deltaSeen(): boolean {
    return this.#target.reader.hasDelta;
  }

  write(part: Buffer): boolean {
    this.progress += 1;
    try {
      this.#target.reader.write(part, 0, part.length);
    } catch (error) {
      if (error instanceof JsonFault) throw invalidReply(error);
      throw error;
    }
    if (this.#flows) return this.#target.response.write(part);
    this.#held.push(part);
    this.#heldBytes += part.length;
    return this.#heldBytes <= gatewayLimits.replyHoldBytesMax || this.#startFlowing();
  }

  end(): void {
    const { response, status, head, reader } = this.#target;
    if (!reader.endDocument()) throw invalidReply(undefined);
    if (this.#flows) {
      response.end();
      return;
    }
    response.writeHead(status, { ...head, "content-length": this.#heldBytes });
    const [only] = this.#held;
    response.end(this.#held.length === 1 ? only : Buffer.concat(this.#held));
  }

  fail(error: PlatformError): boolean {
    const { response } = this.#target;
    if (this.#flows) response.destroy();
    else sendError(response, error);
    return false;
  }

  #startFlowing(): boolean {
    const { response, status, head } = this.#target;
    this.#flows = true;
    response.writeHead(
      status,
      this.#contentLength === undefined ? head : { ...head, "content-length": this.#contentLength },
    );
    let flowing = true;
    for (const part of this.#held) flowing = response.write(part);
    this.#held = [];
    return flowing;
  }
}

function invalidReply(cause: JsonFault | undefined): PlatformError {
  return new PlatformError(
    "provider_response_invalid",
    "The provider's reply is not a whole JSON object.",
    { cause, ...(cause === undefined ? {} : { where: `byte ${cause.offset}` }) },
  );
}
