/** Writes whole replies of the responses surface. */

import { type JsonObject, toList, toObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import { type ReasoningState, sealState } from "../reasoning-state.ts";
import { explanationOf } from "./chat-reply-writer.ts";
import type { TranslationContext } from "./reply-context.ts";
import type { ReplyBlock, ReplyStop } from "./reply-event.ts";
import { writeResponsesUsage } from "./responses-usage.ts";
import type { WholeBlock, WholeReply } from "./whole-reply.ts";

export function writeResponsesReply(reply: WholeReply, context: TranslationContext): JsonObject {
  return finishResponse(reply, writeOutput(reply, context), context);
}

/** The items of an output. */
function writeOutput(
  { start, blocks, end }: WholeReply,
  context: TranslationContext,
): JsonObject[] {
  return withExplanation(blocks, end.stop).map((whole, index) =>
    writeItem(whole, itemId(whole.block, responseId(start.id, context), index), "completed"),
  );
}

/** What a filter says of its reason is a refusal at the end. */
export function withExplanation(
  blocks: readonly WholeBlock[],
  stop: ReplyStop,
): readonly WholeBlock[] {
  return [
    ...blocks,
    ...explanationOf(stop).map((text): WholeBlock => ({
      block: { kind: "refusal" },
      text,
      state: undefined,
    })),
  ];
}

/** The response's id; one of another surface gets the prefix that clients expect. */
export function responseId(id: string, { createdSeconds }: TranslationContext): string {
  if (id === "") return `resp_${createdSeconds}`;
  return id.startsWith("resp_") ? id : `resp_${id}`;
}

/** The id of an item, which names nothing outside of its response. */
export function itemId(block: ReplyBlock, response: string, index: number): string {
  const place = `${response.slice("resp_".length)}_${index}`;
  switch (block.kind) {
    case "text":
    case "refusal":
      return `msg_${place}`;
    case "reasoning":
      return `rs_${place}`;
    case "tool-call":
      return block.custom ? `ctc_${place}` : `fc_${place}`;
  }
}

/** One item of the output. */
export function writeItem(
  { block, text, state }: WholeBlock,
  id: string,
  status: string,
): JsonObject {
  switch (block.kind) {
    case "text":
    case "refusal":
      return {
        type: "message",
        id,
        role: "assistant",
        status,
        content: status === "in_progress" ? [] : [writePart(block.kind, text)],
      };
    case "reasoning":
      return compact({
        type: "reasoning",
        id,
        summary: text === "" ? [] : [{ type: "summary_text", text }],
        encrypted_content: state === undefined ? undefined : encryptedOf(state, id),
      });
    case "tool-call":
      return block.custom
        ? { type: "custom_tool_call", id, call_id: block.id, name: block.name, input: text }
        : {
            type: "function_call",
            id,
            call_id: block.id,
            name: block.name,
            arguments: text,
            status,
          };
  }
}

/** A part of a message. */
export function writePart(kind: "text" | "refusal", text: string): JsonObject {
  return kind === "refusal"
    ? { type: "refusal", refusal: text }
    : { type: "output_text", text, annotations: [], logprobs: [] };
}

/** The provider wants its state back with the id of its own item; under another id the state is sealed, id and all. */
function encryptedOf(state: ReasoningState, itemId: string): string {
  const { id, encrypted } = state.origin === "responses" ? state.fields : {};
  return encrypted !== undefined && id === itemId ? encrypted : sealState(state);
}

/** The response as it is while it goes on. */
export function openResponse(
  { id, model }: WholeReply["start"],
  context: TranslationContext,
): JsonObject {
  const { echo, createdSeconds } = context;
  return {
    id: responseId(id, context),
    object: "response",
    created_at: createdSeconds,
    status: "in_progress",
    error: null,
    incomplete_details: null,
    instructions: echo["instructions"] ?? null,
    max_output_tokens: echo["max_output_tokens"] ?? null,
    model,
    output: [],
    parallel_tool_calls: echo["parallel_tool_calls"] ?? true,
    previous_response_id: null,
    reasoning: { effort: toObject(echo["reasoning"])?.["effort"] ?? null, summary: null },
    store: false,
    temperature: echo["temperature"] ?? null,
    text: echo["text"] ?? { format: { type: "text" } },
    tool_choice: echo["tool_choice"] ?? "auto",
    tools: (toList(echo["tools"]) ?? []).map(echoTool),
    top_p: echo["top_p"] ?? null,
    truncation: "disabled",
    metadata: echo["metadata"] ?? {},
  };
}

/** Replies name both fields of a function, which requests may leave out. */
function echoTool(tool: unknown): JsonObject {
  const object = toObject(tool) ?? {};
  return object["type"] === "function" ? { parameters: null, strict: null, ...object } : object;
}

/** The response at its end. */
export function finishResponse(
  { start, end }: Pick<WholeReply, "start" | "end">,
  output: readonly JsonObject[],
  context: TranslationContext,
): JsonObject {
  const reason = incompleteReason(end.stop);
  return compact({
    ...openResponse(start, context),
    status: reason === undefined ? "completed" : "incomplete",
    incomplete_details: reason === undefined ? null : { reason },
    output,
    service_tier: end.serviceTier,
    usage: end.usage === undefined ? undefined : writeResponsesUsage(end.usage),
  });
}

function incompleteReason(stop: ReplyStop): string | undefined {
  switch (stop.kind) {
    case "done":
    case "stop-sequence":
    case "tool-calls":
      return undefined;
    case "length":
    case "context-length":
      return "max_output_tokens";
    case "filtered":
      return "content_filter";
  }
}
