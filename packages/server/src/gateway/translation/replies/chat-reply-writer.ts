/** Writes whole replies of chat completions. */

import type { JsonObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import { reasoningSeparator } from "../reasoning-state.ts";
import { writeReasoningDetail } from "../requests/chat-reasoning.ts";
import { writeChatUsage } from "./chat-usage.ts";
import type { TranslationContext } from "./reply-context.ts";
import type { ReplyBlock, ReplyStop } from "./reply-event.ts";
import type { WholeBlock, WholeReply } from "./whole-reply.ts";

export function writeChatReply(reply: WholeReply, context: TranslationContext): JsonObject {
  const { start, end } = reply;
  return compact({
    id: start.id === "" ? `chatcmpl-${context.createdSeconds}` : start.id,
    object: "chat.completion",
    created: context.createdSeconds,
    model: start.model,
    choices: [
      {
        index: 0,
        message: writeMessage(reply),
        logprobs: null,
        finish_reason: writeChatFinish(end.stop),
      },
    ],
    usage: end.usage === undefined ? undefined : writeChatUsage(end.usage),
    service_tier: end.serviceTier,
  });
}

function writeMessage({ blocks, end }: WholeReply): JsonObject {
  const textOf = (kind: ReplyBlock["kind"]): string[] =>
    blocks.filter(({ block, text }) => block.kind === kind && text !== "").map(({ text }) => text);
  const texts = textOf("text");
  const reasoning = textOf("reasoning");
  const refusals = [...textOf("refusal"), ...explanationOf(end.stop)];
  const details = reasoningDetails(blocks);
  const calls = blocks.flatMap(({ block, text }) =>
    block.kind === "tool-call" ? [writeCall(block, text)] : [],
  );
  return compact({
    role: "assistant",
    content: texts.length === 0 ? null : texts.join(""),
    refusal: refusals.length === 0 ? null : refusals.join(""),
    reasoning_content: reasoning.length === 0 ? undefined : reasoning.join(reasoningSeparator),
    reasoning_details: details.length === 0 ? undefined : details,
    tool_calls: calls.length === 0 ? undefined : calls,
  });
}

function reasoningDetails(blocks: readonly WholeBlock[]): JsonObject[] {
  const details: JsonObject[] = [];
  for (const { block, text, state } of blocks) {
    if (block.kind !== "reasoning") continue;
    const detail = writeReasoningDetail(text, state, details.length);
    if (detail !== undefined) details.push(detail);
  }
  return details;
}

/** What a filter says of its reason, as a refusal. */
export function explanationOf(stop: ReplyStop): string[] {
  return stop.kind === "filtered" && stop.explanation !== undefined ? [stop.explanation] : [];
}

function writeCall(
  { id, name, custom }: Extract<ReplyBlock, { kind: "tool-call" }>,
  input: string,
): JsonObject {
  return custom
    ? { id, type: "custom", custom: { name, input } }
    : { id, type: "function", function: { name, arguments: input } };
}

/** The finish reason. */
export function writeChatFinish(stop: ReplyStop): string {
  switch (stop.kind) {
    case "done":
    case "stop-sequence":
      return "stop";
    case "length":
    case "context-length":
      return "length";
    case "tool-calls":
      return "tool_calls";
    case "filtered":
      return "content_filter";
  }
}
