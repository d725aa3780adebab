/** Writes streams of the responses surface. */

import type { JsonObject } from "../../wire/json-values.ts";
import type { ReasoningState } from "../reasoning-state.ts";
import { statusOfError, writeErrorBody } from "./provider-error.ts";
import type { StreamWriter, TranslationContext } from "./reply-context.ts";
import type { ProviderError, ReplyBlock, ReplyEvent } from "./reply-event.ts";
import {
  finishResponse,
  itemId,
  openResponse,
  responseId,
  withExplanation,
  writeItem,
  writePart,
} from "./responses-reply-writer.ts";

type Start = Extract<ReplyEvent, { kind: "start" }>;

export class ResponsesStreamWriter implements StreamWriter<ReplyEvent> {
  readonly #context: TranslationContext;
  #start: Start = { kind: "start", id: "", model: "", usage: undefined };
  #sequenceNumber = 0;
  readonly #output: JsonObject[] = [];
  #block: ReplyBlock = { kind: "text" };
  #text = "";
  #id = "";
  /** Whether the part of the open item has begun; summaries of reasoning begin with their first text. */
  #partBegun = false;

  constructor(context: TranslationContext) {
    this.#context = context;
  }

  write(event: ReplyEvent): string {
    switch (event.kind) {
      case "start":
        this.#start = event;
        return (
          this.#event("response.created", { response: openResponse(event, this.#context) }) +
          this.#event("response.in_progress", { response: openResponse(event, this.#context) })
        );
      case "block-start":
        return this.#startBlock(event.block);
      case "delta":
        return this.#delta(event.text);
      case "block-end":
        return this.#endBlock(event.state);
      case "end":
        return this.#end(event);
      case "error":
        return this.#error(event.error);
    }
  }

  #event(type: string, fields: JsonObject): string {
    const data = { type, sequence_number: this.#sequenceNumber, ...fields };
    this.#sequenceNumber += 1;
    return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  /** An event about the open item. */
  #itemEvent(type: string, fields: JsonObject): string {
    const place = { item_id: this.#id, output_index: this.#output.length };
    return this.#event(type, { ...place, ...fields });
  }

  #startBlock(block: ReplyBlock): string {
    const response = responseId(this.#start.id, this.#context);
    this.#block = block;
    this.#text = "";
    this.#partBegun = false;
    this.#id = itemId(block, response, this.#output.length);
    const item = writeItem({ block, text: "", state: undefined }, this.#id, "in_progress");
    const added = this.#event("response.output_item.added", {
      output_index: this.#output.length,
      item,
    });
    return block.kind === "text" || block.kind === "refusal" ? added + this.#beginPart() : added;
  }

  #beginPart(): string {
    this.#partBegun = true;
    const { kind } = this.#block;
    if (kind === "reasoning") {
      const part = { type: "summary_text", text: "" };
      return this.#itemEvent("response.reasoning_summary_part.added", { summary_index: 0, part });
    }
    const part = writePart(kind === "refusal" ? kind : "text", "");
    return this.#itemEvent("response.content_part.added", { content_index: 0, part });
  }

  #delta(text: string): string {
    this.#text += text;
    switch (this.#block.kind) {
      case "text":
        return this.#itemEvent("response.output_text.delta", {
          content_index: 0,
          delta: text,
          logprobs: [],
        });
      case "refusal":
        return this.#itemEvent("response.refusal.delta", { content_index: 0, delta: text });
      case "reasoning": {
        const begun = this.#partBegun ? "" : this.#beginPart();
        const place = { summary_index: 0, delta: text };
        return begun + this.#itemEvent("response.reasoning_summary_text.delta", place);
      }
      case "tool-call":
        return this.#itemEvent(
          this.#block.custom
            ? "response.custom_tool_call_input.delta"
            : "response.function_call_arguments.delta",
          { delta: text },
        );
    }
  }

  #endBlock(state: ReasoningState | undefined): string {
    const item = writeItem({ block: this.#block, text: this.#text, state }, this.#id, "completed");
    const done = this.#endPart();
    const ended = this.#event("response.output_item.done", {
      output_index: this.#output.length,
      item,
    });
    this.#output.push(item);
    return done + ended;
  }

  #endPart(): string {
    const text = this.#text;
    switch (this.#block.kind) {
      case "text":
        return (
          this.#itemEvent("response.output_text.done", { content_index: 0, text, logprobs: [] }) +
          this.#itemEvent("response.content_part.done", {
            content_index: 0,
            part: writePart("text", text),
          })
        );
      case "refusal":
        return (
          this.#itemEvent("response.refusal.done", { content_index: 0, refusal: text }) +
          this.#itemEvent("response.content_part.done", {
            content_index: 0,
            part: writePart("refusal", text),
          })
        );
      case "reasoning": {
        if (!this.#partBegun) return "";
        const part = { type: "summary_text", text };
        return (
          this.#itemEvent("response.reasoning_summary_text.done", { summary_index: 0, text }) +
          this.#itemEvent("response.reasoning_summary_part.done", { summary_index: 0, part })
        );
      }
      case "tool-call":
        return this.#block.custom
          ? this.#itemEvent("response.custom_tool_call_input.done", { input: text })
          : this.#itemEvent("response.function_call_arguments.done", {
              name: this.#block.name,
              arguments: text,
            });
    }
  }

  #end(end: Extract<ReplyEvent, { kind: "end" }>): string {
    let events = "";
    for (const { block, text, state } of withExplanation([], end.stop)) {
      events += this.#startBlock(block) + this.#delta(text) + this.#endBlock(state);
    }
    const response = finishResponse({ start: this.#start, end }, this.#output, this.#context);
    return events + this.#event(`response.${String(response["status"])}`, { response });
  }

  /** The fields of the error stand in the event and, as the service itself sends it, in an object. */
  #error(error: ProviderError): string {
    const { message, code = null, param = null } = error;
    const body = writeErrorBody("responses", error, statusOfError(error));
    return this.#event("error", { code, message, param, ...body });
  }
}
