/** Writes a conversation as an OpenAI responses request. */

import type {
  AnswerSettings,
  AssistantPart,
  Conversation,
  OutputFormat,
  Turn,
} from "../conversation.ts";
import type { Passage } from "../fields/field-table.ts";
import type { JsonObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import { unsupported } from "../losses.ts";
import type { WriteRequest } from "./request-writer.ts";
import { writeResponsesParts } from "./responses-parts.ts";
import { writeResponsesToolChoice, writeResponsesTools } from "./responses-tools.ts";

/** Throws `translation_unsupported` for what responses cannot say. */
export function writeResponsesRequest({ conversation, passage, model }: WriteRequest): JsonObject {
  const { answer, tools, toolChoice } = conversation;
  if (answer.stop.length > 0) {
    throw unsupported(
      passage.from === "chat" ? "/stop" : "/stop_sequences",
      "responses has no stop sequences",
    );
  }
  const reasons = answer.effort !== undefined && answer.effort !== "none";
  return compact({
    model,
    ...writeInput(conversation, passage),
    max_output_tokens: answer.maxTokens,
    temperature: answer.temperature,
    top_p: answer.topP,
    stream: conversation.stream ? true : undefined,
    tools: tools.length === 0 ? undefined : writeResponsesTools(tools),
    tool_choice: toolChoice === undefined ? undefined : writeResponsesToolChoice(toolChoice, tools),
    parallel_tool_calls: tools.length === 0 ? undefined : conversation.parallelTools,
    text: writeText(answer),
    reasoning: writeReasoningSettings(answer),
    // No state is kept, so the state of reasoning must come with the answer.
    include: reasons || answer.showsReasoning ? ["reasoning.encrypted_content"] : undefined,
    store: false,
    user: answer.userId,
    ...conversation.shared,
  });
}

function writeText({ format, verbosity }: AnswerSettings): JsonObject | undefined {
  if (format === undefined && verbosity === undefined) return undefined;
  return compact({ format: format === undefined ? undefined : writeFormat(format), verbosity });
}

/** A schema without a name gets one: this surface demands it. */
function writeFormat(format: OutputFormat): JsonObject {
  if (format.kind === "json-object") return { type: "json_object" };
  const { name = "answer", description, schema = {}, strict } = format;
  return compact({ type: "json_schema", name, description, schema, strict });
}

function writeReasoningSettings({
  effort,
  showsReasoning,
}: AnswerSettings): JsonObject | undefined {
  if (effort === undefined && !showsReasoning) return undefined;
  return compact({ effort, summary: showsReasoning ? "auto" : undefined });
}

/** A system prompt of one text at the head is what `instructions` are. */
function writeInput({ turns }: Conversation, passage: Passage): JsonObject {
  const [first, ...rest] = turns;
  const instructions =
    first?.kind === "system" && first.role === "system" && first.texts.length === 1
      ? first.texts[0]?.text
      : undefined;
  const spoken = instructions === undefined ? turns : rest;
  return { instructions, input: spoken.flatMap((turn) => writeTurn(turn, passage)) };
}

function writeTurn(turn: Turn, passage: Passage): JsonObject[] {
  switch (turn.kind) {
    case "system":
      return [{ role: turn.role, content: writeResponsesParts(turn.texts) }];
    case "user":
      return [{ role: "user", content: writeResponsesParts(turn.parts) }];
    case "assistant":
      return turn.parts.flatMap((part, index) => writeAnswer(part, `${turn.at}/${index}`, passage));
    case "tool-result":
      return [
        {
          type: turn.custom ? "custom_tool_call_output" : "function_call_output",
          call_id: turn.callId,
          output: writeResponsesParts(turn.parts),
        },
      ];
  }
}

function writeAnswer(part: AssistantPart, place: string, passage: Passage): JsonObject[] {
  switch (part.kind) {
    case "text":
      return part.text === "" ? [] : [{ role: "assistant", content: part.text }];
    case "refusal":
      return [
        {
          type: "message",
          id: `msg${place.replaceAll(/\W/g, "_")}`,
          role: "assistant",
          status: "completed",
          content: [{ type: "refusal", refusal: part.text }],
        },
      ];
    case "reasoning": {
      const { id, encrypted } = part.state?.origin === "responses" ? part.state.fields : {};
      if (id === undefined || encrypted === undefined) {
        passage.losses.add(
          part.at,
          "responses takes reasoning back only with encrypted content of its own",
        );
        return [];
      }
      const summary = part.text === "" ? [] : [{ type: "summary_text", text: part.text }];
      return [{ type: "reasoning", id, summary, encrypted_content: encrypted }];
    }
    case "tool-call": {
      const { id: call_id, name, input } = part;
      return part.custom
        ? [{ type: "custom_tool_call", call_id, name, input }]
        : [{ type: "function_call", call_id, name, arguments: input }];
    }
  }
}
