/**
 * Relays a stream event by event. Bytes pass unchanged; the only event that is taken out is the usage-only one that
 * Faultline asked for. A part of an event waits for the rest, so that an error can follow a whole event; and the first
 * events wait until one says something, so that an early failure can still be answered by another attempt.
 */

import { PlatformError } from "@faultline/protocol";

import { earlyStep } from "../dispatch/early-frames.ts";
import { type FrameKind, SseScanner, type SseSink } from "../wire/sse-scanner.ts";
import { BegunEvent } from "./begun-event.ts";
import type { Relay, RelayTarget } from "./relay.ts";
import { providerReported } from "./transport-error.ts";

export class StreamRelay implements Relay, SseSink {
  readonly #target: RelayTarget;
  readonly #stripsUsage: boolean;
  readonly #scanner: SseScanner;
  readonly #begun = new BegunEvent();
  /** Whole events that say nothing yet. */
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #frameCount = 0;
  #part: Buffer = Buffer.alloc(0);
  /** Where in the part the bytes to forward start, and where the last whole event ends. */
  #forwardFrom = 0;
  #frameEnd = 0;
  /** What may leave once the part was read: it may be refused, and then the reader is somebody else's. */
  #due: Buffer[] = [];
  #isReading = false;
  #stripped = false;
  #flowing = true;
  #errorSeen = false;
  #malformed = false;
  committed = false;
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
    this.#isReading = true;
    this.#scanner.write(part);
    this.#isReading = false;
    for (const bytes of this.#due) this.#send(bytes);
    this.#due.length = 0;
    this.#forward(this.#frameEnd);
    if (!this.committed) this.#commitIfDue();
    if (this.#malformed) {
      throw new PlatformError(
        "provider_response_invalid",
        "The provider sent an event that is no JSON object.",
      );
    }
    if (this.#frameEnd < part.length) this.#begun.hold(part.subarray(this.#frameEnd));
    return this.#flowing;
  }

  onFrame(kind: FrameKind, end: number): void {
    if (this.#malformed) return;
    if (kind === "malformed") {
      this.#malformed = true;
      return;
    }
    if (kind === "line-feed") {
      // It shares the fate of the event that it closes.
      if (this.#stripped) this.#forwardFrom = end;
      this.#frameEnd = end;
      return;
    }
    this.#stripped = this.#readFrame(kind);
    if (this.#stripped) this.#strip(end);
    this.#frameCount += 1;
    this.#frameEnd = end;
  }

  end(): void {
    if (this.complete) {
      if (!this.committed) this.#commit();
      this.#target.sink.end();
      return;
    }
    throw new PlatformError(
      "provider_stream_cut",
      "The provider's stream ended before its end was announced.",
    );
  }

  breakOff(error: PlatformError): boolean {
    const { sink, surface, reader } = this.#target;
    if (this.complete) {
      // All was said; that the connection broke afterwards takes nothing away.
      sink.end();
      return false;
    }
    if (!this.#errorSeen) sink.write(surface.errorEvent(error, reader.sequence));
    return true;
  }

  /** Takes note of an event; `true` keeps it from the caller. */
  #readFrame(kind: FrameKind): boolean {
    const { reader } = this.#target;
    const isData = kind === "data";
    if (kind === "done" || (isData && reader.isEnd)) {
      // Behind an error, a terminator would make the reply look whole.
      if (this.#errorSeen) return true;
      this.complete = true;
    }
    if (!isData) return false;
    this.progress += 1;
    if (reader.hasDelta) this.deltaSeen = true;
    if (reader.hasError) {
      this.#errorSeen = true;
      return false;
    }
    return this.#stripsUsage && reader.hasUsage && reader.hasNoChoices;
  }

  /** An error that comes before anything was said is none of this stream yet: another attempt may answer. */
  #commitIfDue(): void {
    const step = earlyStep({
      deltaSeen: this.deltaSeen,
      complete: this.complete,
      errorSeen: this.#errorSeen,
      frameCount: this.#frameCount,
      byteCount: this.#earlyBytes,
    });
    if (step === "fail") throw providerReported(this.#target.reader);
    if (step === "commit") this.#commit();
  }

  #commit(): void {
    const { sink, status, head } = this.#target;
    this.committed = true;
    sink.writeHead(status, head);
    for (const bytes of this.#early) if (!sink.write(bytes)) this.#flowing = false;
    this.#early.length = 0;
  }

  /** Forwards all before the current event, and skips it. */
  #strip(end: number): void {
    if (this.#frameEnd > this.#forwardFrom) this.#forward(this.#frameEnd);
    this.#begun.forget();
    this.#forwardFrom = end;
  }

  #forward(end: number): void {
    if (end <= this.#forwardFrom) return;
    if (!this.#begun.isEmpty) {
      for (const held of this.#begun.parts) this.#send(held);
      this.#begun.forget();
    }
    const whole = this.#forwardFrom === 0 && end === this.#part.length;
    this.#send(whole ? this.#part : this.#part.subarray(this.#forwardFrom, end));
    this.#forwardFrom = end;
  }

  #send(bytes: Buffer): void {
    if (this.#isReading) this.#due.push(bytes);
    else if (!this.committed) {
      this.#early.push(bytes);
      this.#earlyBytes += bytes.length;
    } else if (!this.#target.sink.write(bytes)) this.#flowing = false;
  }
}
