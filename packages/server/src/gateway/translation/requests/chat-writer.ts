/** Writes a conversation as a chat completion request. */

import type {
  AssistantPart,
  Conversation,
  OutputFormat,
  ToolCall,
  Turn,
  UserPart,
} from "../conversation.ts";
import type { Passage } from "../fields/field-table.ts";
import type { JsonObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import { reasoningSeparator } from "../reasoning-state.ts";
import { writeChatParts, writeChatTexts } from "./chat-parts.ts";
import { writeChatToolChoice, writeChatTools } from "./chat-tools.ts";
import type { WriteRequest } from "./request-writer.ts";

/** Throws `translation_unsupported` for what chat completions cannot say. */
export function writeChatRequest(request: WriteRequest): JsonObject {
  const { conversation, passage, model, tokenLimitField } = request;
  const { answer, tools, toolChoice } = conversation;
  return compact({
    model,
    messages: writeMessages(conversation, passage),
    [tokenLimitField]: answer.maxTokens,
    temperature: answer.temperature,
    top_p: answer.topP,
    stop: answer.stop.length === 0 ? undefined : answer.stop,
    stream: conversation.stream ? true : undefined,
    // Usage is asked for always: the other surfaces report it always.
    stream_options: conversation.stream ? { include_usage: true } : undefined,
    tools: tools.length === 0 ? undefined : writeChatTools(tools),
    tool_choice: toolChoice === undefined ? undefined : writeChatToolChoice(toolChoice, tools),
    parallel_tool_calls: tools.length === 0 ? undefined : conversation.parallelTools,
    response_format: answer.format === undefined ? undefined : writeFormat(answer.format),
    reasoning_effort: answer.effort,
    verbosity: answer.verbosity,
    user: answer.userId,
    ...conversation.shared,
  });
}

function writeMessages({ turns }: Conversation, passage: Passage): JsonObject[] {
  const messages: JsonObject[] = [];
  // Results hold text only; what else stood in them follows as a user's message, behind the last result of the run.
  let carriedOver: UserPart[] = [];
  for (const [index, turn] of turns.entries()) {
    messages.push(...writeTurn(turn, passage));
    if (turn.kind !== "tool-result") continue;
    carriedOver.push(...notTexts(turn.parts, turn.at, passage));
    if (carriedOver.length === 0 || turns[index + 1]?.kind === "tool-result") continue;
    messages.push({ role: "user", content: writeChatParts(carriedOver) });
    carriedOver = [];
  }
  return messages;
}

function notTexts(parts: readonly UserPart[], at: string, passage: Passage): UserPart[] {
  const others = parts.filter((part) => part.kind !== "text");
  if (others.length > 0) {
    passage.losses.add(
      `${at}/content`,
      "moved to a user message behind the results, which hold text only",
    );
  }
  return others;
}

function writeTurn(turn: Turn, passage: Passage): JsonObject[] {
  switch (turn.kind) {
    case "system":
      return [{ role: turn.role, content: writeChatTexts(turn.texts) }];
    case "user":
      return [{ role: "user", content: writeChatParts(turn.parts) }];
    case "assistant":
      return writeAssistant(turn.parts, passage);
    case "tool-result":
      return [
        {
          role: "tool",
          tool_call_id: turn.callId,
          content: writeChatTexts(turn.parts.filter((part) => part.kind === "text")),
        },
      ];
  }
}

/** A turn of which nothing is left, for its reasoning could not be carried, is no message. */
function writeAssistant(parts: readonly AssistantPart[], passage: Passage): JsonObject[] {
  const texts = parts.filter((part) => part.kind === "text");
  const refusals = parts.filter((part) => part.kind === "refusal").map(({ text }) => text);
  const calls = parts.filter((part) => part.kind === "tool-call");
  const reasoning = parts
    .filter((part) => part.kind === "reasoning")
    .flatMap((part) => {
      if (part.state?.origin === "chat") return [part.text];
      passage.losses.add(part.at, "only the provider that made this reasoning can read it back");
      return [];
    });
  if (texts.length + refusals.length + calls.length + reasoning.length === 0) return [];
  const message = compact({
    role: "assistant",
    content: texts.length === 0 ? null : writeChatTexts(texts),
    reasoning_content: reasoning.length === 0 ? undefined : reasoning.join(reasoningSeparator),
    refusal: refusals.length === 0 ? undefined : refusals.join(""),
    tool_calls: calls.length === 0 ? undefined : calls.map(writeToolCall),
  });
  return [message];
}

function writeToolCall({ id, name, input, custom }: ToolCall): JsonObject {
  return custom
    ? { id, type: "custom", custom: { name, input } }
    : { id, type: "function", function: { name, arguments: input } };
}

/** A schema without a name gets one: this surface demands it. */
function writeFormat(format: OutputFormat): JsonObject {
  if (format.kind === "json-object") return { type: "json_object" };
  const { name = "answer", description, schema, strict } = format;
  return { type: "json_schema", json_schema: compact({ name, description, schema, strict }) };
}
