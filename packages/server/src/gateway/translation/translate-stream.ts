/** Translation of streams, event by event, from the provider's surface to the caller's. */

import { PlatformError } from "@faultline/protocol";

import { ChatStreamReader } from "./replies/chat-stream-reader.ts";
import { ChatStreamWriter } from "./replies/chat-stream-writer.ts";
import { MessagesStreamReader } from "./replies/messages-stream-reader.ts";
import { MessagesStreamWriter } from "./replies/messages-stream-writer.ts";
import type { StreamWriter, TranslationContext } from "./replies/reply-context.ts";
import type { ProviderError, ReplyEvent } from "./replies/reply-event.ts";
import { ResponsesStreamReader } from "./replies/responses-stream-reader.ts";
import { ResponsesStreamWriter } from "./replies/responses-stream-writer.ts";
import type { StreamReader } from "./replies/stream-reader.ts";
import { restoreToolNames } from "./replies/tool-names.ts";
import type { Surface } from "./surface.ts";

export interface StreamTranslation {
  /**
   * Takes one event of the provider, its name and its data; gives the bytes for the caller, possibly none. Throws
   * `provider_response_invalid` for what is not in the wire format; the stream must then be failed.
   */
  write(event: string | undefined, data: string): string;
  /** The provider's stream ended. Throws `provider_stream_cut` when that was before its own terminator. */
  end(): void;
  /** The event that tells the caller that the rest will not come; nothing may follow it. */
  fail(error: PlatformError): string;
  /** Whether the provider's terminator came, and so the caller's was written; or its error. */
  readonly finished: boolean;
  /** The error that the provider reported in its stream; the caller's form of it was written. */
  readonly error: ProviderError | undefined;
}

type Emit = (event: ReplyEvent) => void;

const readers: Readonly<Record<Surface, new (emit: Emit) => StreamReader>> = {
  chat: ChatStreamReader,
  responses: ResponsesStreamReader,
  messages: MessagesStreamReader,
};

const writers: Readonly<
  Record<Surface, new (context: TranslationContext) => StreamWriter<ReplyEvent>>
> = {
  chat: ChatStreamWriter,
  responses: ResponsesStreamWriter,
  messages: MessagesStreamWriter,
};

/** One translation for one stream. */
export function translateStream(context: TranslationContext): StreamTranslation {
  return new Translation(context);
}

class Translation implements StreamTranslation {
  readonly #reader: StreamReader;
  readonly #writer: StreamWriter<ReplyEvent>;
  #written = "";
  #failed = false;
  #error: ProviderError | undefined;

  constructor(context: TranslationContext) {
    const restore = restoreToolNames(context);
    this.#writer = new writers[context.from](context);
    this.#reader = new readers[context.to]((event) => {
      if (event.kind === "error") this.#error = event.error;
      this.#written += this.#writer.write(restore(event));
    });
  }

  get finished(): boolean {
    return this.#reader.finished;
  }

  get error(): ProviderError | undefined {
    return this.#error;
  }

  write(event: string | undefined, data: string): string {
    // What a provider sends behind its terminator is nobody's.
    if (this.#failed || this.#reader.finished) return "";
    this.#reader.read(event, data);
    const written = this.#written;
    this.#written = "";
    return written;
  }

  end(): void {
    if (this.#reader.finished) return;
    throw new PlatformError("provider_stream_cut", "The provider's stream broke before its end.");
  }

  fail(error: PlatformError): string {
    this.#failed = true;
    return this.#writer.write({ kind: "error", error: platformError(error) });
  }
}

function platformError(error: PlatformError): ProviderError {
  const message = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  return { message, type: undefined, code: error.code, param: undefined };
}
