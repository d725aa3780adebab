/** Writes streams of the messages surface. */

import type { JsonObject } from "../../wire/json-values.ts";
import { messagesEnvelope, spellThinking, writeMessagesStop } from "./messages-reply-writer.ts";
import { writeMessagesUsage } from "./messages-usage.ts";
import { writeErrorEvent } from "./provider-error.ts";
import { invalidReply } from "./reply-fault.ts";
import type { StreamWriter, TranslationContext } from "./reply-context.ts";
import type { ReplyBlock, ReplyEvent } from "./reply-event.ts";

export class MessagesStreamWriter implements StreamWriter<ReplyEvent> {
  readonly #context: TranslationContext;
  #index = -1;
  #block: ReplyBlock | undefined;
  /** Whether the caller has seen the open block begin; reasoning without text begins when its state is known. */
  #begun = false;
  #refused = false;

  constructor(context: TranslationContext) {
    this.#context = context;
  }

  write(event: ReplyEvent): string {
    switch (event.kind) {
      case "start":
        return this.#start(event);
      case "block-start":
        return this.#startBlock(event.block);
      case "delta":
        return this.#delta(event.text);
      case "block-end":
        return this.#endBlock(event);
      case "end":
        return this.#end(event);
      case "error":
        return writeErrorEvent("messages", event.error);
    }
  }

  #start(event: Extract<ReplyEvent, { kind: "start" }>): string {
    return sse("message_start", {
      message: {
        ...messagesEnvelope(event, this.#context),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: writeMessagesUsage(event.usage),
      },
    });
  }

  #startBlock(block: ReplyBlock): string {
    this.#block = block;
    this.#begun = false;
    switch (block.kind) {
      case "refusal":
        this.#refused = true;
        return this.#begin({ type: "text", text: "" });
      case "text":
        return this.#begin({ type: "text", text: "" });
      case "reasoning":
        return "";
      case "tool-call":
        if (block.custom) throw invalidReply("it calls a tool of free text, and none was offered");
        return this.#begin({ type: "tool_use", id: block.id, name: block.name, input: {} });
    }
  }

  #begin(block: JsonObject): string {
    this.#index += 1;
    this.#begun = true;
    return sse("content_block_start", { index: this.#index, content_block: block });
  }

  #delta(text: string): string {
    switch (this.#block?.kind) {
      case "reasoning": {
        const begin = this.#begun
          ? ""
          : this.#begin({ type: "thinking", thinking: "", signature: "" });
        return begin + this.#deltaEvent({ type: "thinking_delta", thinking: text });
      }
      case "tool-call":
        return this.#deltaEvent({ type: "input_json_delta", partial_json: text });
      default:
        return this.#deltaEvent({ type: "text_delta", text });
    }
  }

  #deltaEvent(delta: JsonObject): string {
    return sse("content_block_delta", { index: this.#index, delta });
  }

  #endBlock({ state }: Extract<ReplyEvent, { kind: "block-end" }>): string {
    let events = "";
    if (this.#block?.kind === "reasoning") {
      const spelled = spellThinking(this.#begun ? "text" : "", state);
      if (spelled === undefined) return "";
      if (spelled.kind === "redacted" && !this.#begun) {
        events += this.#begin({ type: "redacted_thinking", data: spelled.data });
      } else if (spelled.kind === "thinking") {
        if (!this.#begun) events += this.#begin({ type: "thinking", thinking: "", signature: "" });
        events += this.#deltaEvent({ type: "signature_delta", signature: spelled.signature });
      }
    }
    return events + sse("content_block_stop", { index: this.#index });
  }

  #end({ stop, usage, serviceTier }: Extract<ReplyEvent, { kind: "end" }>): string {
    const end = sse("message_delta", {
      delta: writeMessagesStop(stop, this.#refused),
      usage: writeMessagesUsage(usage, serviceTier),
    });
    return end + sse("message_stop", {});
  }
}

function sse(type: string, fields: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}
