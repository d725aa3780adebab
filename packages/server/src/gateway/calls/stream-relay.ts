/**
 * Relays a stream event by event. Bytes pass unchanged; the only event that is taken out is the usage-only one that
 * Faultline asked for. A part of an event waits for the rest, so that an error can follow a whole event.
 */

import { PlatformError } from "@faultline/protocol";

import { gatewayLimits } from "../limits.ts";
import { errorEvent, sendError } from "./openai-error.ts";
import type { Relay, RelayTarget } from "./relay.ts";
import { type FrameKind, SseScanner, type SseSink } from "../wire/sse-scanner.ts";

export class StreamRelay implements Relay, SseSink {
  readonly #target: RelayTarget;
  readonly #stripsUsage: boolean;
  readonly #scanner: SseScanner;
  /** The begun event at the end of earlier parts. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #part: Buffer = Buffer.alloc(0);
  /** Where in the part the bytes to forward start, and where the last whole event ends. */
  #forwardFrom = 0;
  #frameEnd = 0;
  #stripped = false;
  #flowing = true;
  #errorSeen = false;
  #malformed = false;
  progress = 0;
  deltaSeen = false;
  complete = false;

  constructor(target: RelayTarget, stripsUsage: boolean) {
    this.#target = target;
    this.#stripsUsage = stripsUsage;
    this.#scanner = new SseScanner(target.reader, this);
  }

  write(part: Buffer): boolean {
    this.#part = part;
    this.#forwardFrom = 0;
    this.#frameEnd = 0;
    this.#flowing = true;
    this.#scanner.write(part);
    this.#forward(this.#frameEnd);
    if (this.#malformed) {
      throw new PlatformError(
        "provider_response_invalid",
        "The provider sent an event that is no chunk of a chat completion.",
      );
    }
    if (this.#frameEnd < part.length) this.#hold(part.subarray(this.#frameEnd));
    return this.#flowing;
  }

  onFrame(kind: FrameKind, end: number): void {
    if (this.#malformed) return;
    const { reader } = this.#target;
    if (kind === "malformed") {
      this.#malformed = true;
      return;
    }
    if (kind === "line-feed" && this.#stripped) {
      this.#forwardFrom = end;
    } else if (kind === "data") {
      this.progress += 1;
      if (reader.hasDelta) this.deltaSeen = true;
      if (reader.hasError) this.#errorSeen = true;
      this.#stripped = this.#stripsUsage && reader.hasUsage && reader.hasNoChoices;
      if (this.#stripped) this.#strip(end);
    } else if (kind === "done") {
      this.complete = true;
    }
    this.#frameEnd = end;
  }

  end(): void {
    if (this.complete) {
      this.#target.response.end();
      return;
    }
    throw new PlatformError(
      "provider_stream_cut",
      "The provider's stream ended before its end was announced.",
    );
  }

  fail(error: PlatformError): boolean {
    const { response } = this.#target;
    if (this.complete) {
      // All was said; that the connection broke afterwards takes nothing away.
      response.end();
    } else if (!response.headersSent) {
      sendError(response, error, stringsOf(this.#target.head));
    } else {
      if (!this.#errorSeen) response.write(errorEvent(error));
      return true;
    }
    return false;
  }

  #hold(rest: Buffer): void {
    this.#held.push(rest);
    this.#heldBytes += rest.length;
    if (this.#heldBytes > gatewayLimits.frameBytesMax) {
      throw new PlatformError(
        "provider_response_invalid",
        `The provider sent an event of more than ${gatewayLimits.frameBytesMax} bytes.`,
      );
    }
  }

  /** Forwards all before the current event, and skips it. */
  #strip(end: number): void {
    if (this.#frameEnd > this.#forwardFrom) this.#forward(this.#frameEnd);
    this.#held.length = 0;
    this.#heldBytes = 0;
    this.#forwardFrom = end;
  }

  #forward(end: number): void {
    if (end <= this.#forwardFrom) return;
    if (this.#heldBytes > 0) {
      for (const held of this.#held) this.#send(held);
      this.#held.length = 0;
      this.#heldBytes = 0;
    }
    const whole = this.#forwardFrom === 0 && end === this.#part.length;
    this.#send(whole ? this.#part : this.#part.subarray(this.#forwardFrom, end));
    this.#forwardFrom = end;
  }

  #send(bytes: Buffer): void {
    const { response, status, head } = this.#target;
    if (!response.headersSent) response.writeHead(status, head);
    if (!response.write(bytes)) this.#flowing = false;
  }
}

/** The head of a stream that never began carries over to its error only what is ours. */
function stringsOf(head: RelayTarget["head"]): Record<string, string> {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(head)) {
    if (name.startsWith("x-faultline-") && typeof value === "string") own[name] = value;
  }
  return own;
}
