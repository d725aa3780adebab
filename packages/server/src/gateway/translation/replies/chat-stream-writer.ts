/** Writes streams of chat completion chunks. */

import type { JsonObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import { reasoningSeparator } from "../reasoning-state.ts";
import { writeReasoningDetail } from "../requests/chat-reasoning.ts";
import { explanationOf, writeChatFinish } from "./chat-reply-writer.ts";
import { writeChatUsage } from "./chat-usage.ts";
import { writeErrorEvent } from "./provider-error.ts";
import type { StreamWriter, TranslationContext } from "./reply-context.ts";
import type { ReplyBlock, ReplyEvent } from "./reply-event.ts";

export class ChatStreamWriter implements StreamWriter<ReplyEvent> {
  readonly #context: TranslationContext;
  #envelope: JsonObject = {};
  #block: ReplyBlock | undefined;
  /** The text of the open block of reasoning; its state comes with all of it. */
  #reasoning = "";
  #reasoned = false;
  #detailCount = 0;
  /** The first call has index 0, the next one 1. */
  #callIndex = -1;

  constructor(context: TranslationContext) {
    this.#context = context;
  }

  write(event: ReplyEvent): string {
    switch (event.kind) {
      case "start":
        return this.#start(event.id, event.model);
      case "block-start":
        return this.#startBlock(event.block);
      case "delta":
        return this.#delta(event.text);
      case "block-end":
        return this.#endBlock(event);
      case "end":
        return this.#end(event);
      case "error":
        return writeErrorEvent("chat", event.error);
    }
  }

  #start(id: string, model: string): string {
    const { createdSeconds } = this.#context;
    this.#envelope = {
      id: id === "" ? `chatcmpl-${createdSeconds}` : id,
      object: "chat.completion.chunk",
      created: createdSeconds,
      model,
    };
    return this.#chunk({ role: "assistant", content: "" });
  }

  #startBlock(block: ReplyBlock): string {
    this.#block = block;
    this.#reasoning = "";
    if (block.kind !== "tool-call") return "";
    this.#callIndex += 1;
    const { id, name, custom } = block;
    return this.#callChunk(
      custom
        ? { id, custom: { name, input: "" } }
        : { id, type: "function", function: { name, arguments: "" } },
    );
  }

  #delta(text: string): string {
    switch (this.#block?.kind) {
      case "reasoning": {
        const separator = this.#reasoned && this.#reasoning === "" ? reasoningSeparator : "";
        this.#reasoning += text;
        this.#reasoned = true;
        return this.#chunk({ reasoning_content: separator + text });
      }
      case "refusal":
        return this.#chunk({ refusal: text });
      case "tool-call":
        return this.#callChunk(
          this.#block.custom ? { custom: { input: text } } : { function: { arguments: text } },
        );
      default:
        return this.#chunk({ content: text });
    }
  }

  #endBlock({ state }: Extract<ReplyEvent, { kind: "block-end" }>): string {
    if (this.#block?.kind !== "reasoning") return "";
    const detail = writeReasoningDetail(this.#reasoning, state, this.#detailCount);
    if (detail === undefined) return "";
    this.#detailCount += 1;
    return this.#chunk({ reasoning_details: [detail] });
  }

  #end({ stop, usage, serviceTier }: Extract<ReplyEvent, { kind: "end" }>): string {
    if (serviceTier !== undefined)
      this.#envelope = { ...this.#envelope, service_tier: serviceTier };
    const explanation = explanationOf(stop).map((refusal) => this.#chunk({ refusal }));
    const counts =
      this.#context.asksForUsage && usage !== undefined
        ? this.#event({ choices: [], usage: writeChatUsage(usage) })
        : "";
    return `${explanation.join("")}${this.#chunk({}, writeChatFinish(stop))}${counts}data: [DONE]\n\n`;
  }

  #callChunk(call: JsonObject): string {
    return this.#chunk({ tool_calls: [{ index: this.#callIndex, ...call }] });
  }

  #chunk(delta: JsonObject, finishReason: string | null = null): string {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason: finishReason }];
    return this.#event({ choices, usage: this.#context.asksForUsage ? null : undefined });
  }

  #event(fields: JsonObject): string {
    return `data: ${JSON.stringify(compact({ ...this.#envelope, ...fields }))}\n\n`;
  }
}
