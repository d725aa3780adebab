/** Relays of replies whose provider speaks another dialect than the caller: read as they come, said anew. */

import { PlatformError } from "@faultline/protocol";

import { earlyStep } from "../dispatch/early-frames.ts";
import { gatewayLimits } from "../limits.ts";
import {
  type StreamTranslation,
  translateReply,
  translateStream,
  type TranslationContext,
} from "../translation/index.ts";
import { type FrameKind, SseScanner, type SseSink } from "../wire/sse-scanner.ts";
import { BegunEvent } from "./begun-event.ts";
import { invalidReply, isOnlyError, readPart } from "./plain-relay.ts";
import type { Relay, RelayTarget } from "./relay.ts";
import { providerReported } from "./transport-error.ts";

/** A plain reply is held until it is whole: only then can it be said in another form. */
export class TranslatedPlainRelay implements Relay {
  readonly #target: RelayTarget;
  readonly #context: TranslationContext;
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  committed = false;
  progress = 0;
  readonly complete = false;

  constructor(target: RelayTarget, context: TranslationContext) {
    this.#target = target;
    this.#context = context;
    target.reader.startDocument(false);
  }

  get deltaSeen(): boolean {
    return this.#target.reader.hasDelta;
  }

  write(part: Buffer): boolean {
    this.progress += 1;
    readPart(this.#target.reader, part);
    this.#bytes += part.length;
    if (this.#bytes > gatewayLimits.translatedReplyBytesMax) {
      throw new PlatformError(
        "provider_response_invalid",
        `The provider's reply is longer than ${gatewayLimits.translatedReplyBytesMax} bytes, beyond which none is translated.`,
      );
    }
    this.#parts.push(part);
    return true;
  }

  end(): void {
    const { sink, status, head, reader } = this.#target;
    if (!reader.endDocument()) throw invalidReply(undefined);
    if (isOnlyError(reader)) throw providerReported(reader);
    const body = translateReply(this.#context, Buffer.concat(this.#parts));
    this.committed = true;
    sink.writeHead(status, { ...head, "content-length": body.length });
    sink.end(body);
  }

  breakOff(): boolean {
    this.#target.sink.destroy();
    return false;
  }
}

/** A stream is said anew event by event; what comes before the first words is held back, as in any stream. */
export class TranslatedStreamRelay implements Relay, SseSink {
  readonly #target: RelayTarget;
  readonly #translation: StreamTranslation;
  readonly #scanner: SseScanner;
  readonly #begun = new BegunEvent();
  #part: Buffer = Buffer.alloc(0);
  #frameStart = 0;
  /** What is said and not sent yet. */
  #said = "";
  #frameCount = 0;
  committed = false;
  progress = 0;
  deltaSeen = false;

  constructor(target: RelayTarget, context: TranslationContext) {
    this.#target = target;
    this.#translation = translateStream(context);
    this.#scanner = new SseScanner(target.reader, this);
  }

  get complete(): boolean {
    return this.#translation.finished && this.#translation.error === undefined;
  }

  write(part: Buffer): boolean {
    this.#part = part;
    this.#frameStart = 0;
    this.#scanner.write(part);
    if (this.#frameStart < part.length) this.#begun.hold(part.subarray(this.#frameStart));
    if (!this.committed) this.#commitIfDue();
    return this.#flush();
  }

  onFrame(kind: FrameKind, end: number): void {
    const bytes = Buffer.concat([...this.#begun.parts, this.#part.subarray(this.#frameStart, end)]);
    this.#begun.forget();
    this.#frameStart = end;
    if (kind === "malformed") {
      throw new PlatformError(
        "provider_response_invalid",
        "The provider sent an event that is no JSON object.",
      );
    }
    if (kind !== "data" && kind !== "done") return;
    this.#frameCount += 1;
    this.progress += 1;
    if (kind === "data" && this.#target.reader.hasDelta) this.deltaSeen = true;
    const { event, data } = fieldsOf(bytes);
    this.#said += this.#translation.write(event, data);
  }

  end(): void {
    this.#translation.end();
    if (this.#translation.error !== undefined) {
      throw new PlatformError(
        "provider_stream_cut",
        "The provider ended its stream with an error.",
      );
    }
    const { sink } = this.#target;
    if (!this.committed) this.#commit();
    this.#flush();
    sink.end();
  }

  breakOff(error: PlatformError): boolean {
    const { sink } = this.#target;
    if (this.complete) {
      sink.end();
      return false;
    }
    // The provider's own error was said already.
    const words =
      this.#said + (this.#translation.error === undefined ? this.#lastWords(error) : "");
    this.#said = "";
    if (words !== "") sink.write(words);
    return true;
  }

  /** Events of responses are numbered, and only the translation knows how far it came. */
  #lastWords(error: PlatformError): string {
    const { surface } = this.#target;
    const isNumbered = surface.name === "responses";
    return isNumbered ? this.#translation.fail(error) : surface.errorEvent(error, 0);
  }

  #commitIfDue(): void {
    const step = earlyStep({
      deltaSeen: this.deltaSeen,
      complete: this.complete,
      errorSeen: this.#translation.error !== undefined,
      frameCount: this.#frameCount,
      byteCount: this.#said.length,
    });
    if (step === "fail") throw providerReported(this.#target.reader);
    if (step === "commit") this.#commit();
  }

  #commit(): void {
    const { sink, status, head } = this.#target;
    this.committed = true;
    sink.writeHead(status, head);
  }

  #flush(): boolean {
    if (!this.committed || this.#said === "") return true;
    const words = this.#said;
    this.#said = "";
    return this.#target.sink.write(words);
  }
}

/** The name and the data of an event, its lines joined as the format has it. */
function fieldsOf(bytes: Buffer): { event: string | undefined; data: string } {
  let event: string | undefined;
  const data: string[] = [];
  for (const line of bytes.toString().split(/\r\n|\r|\n/)) {
    const [, name, value = ""] = /^(event|data)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
  }
  return { event, data: data.join("\n") };
}
