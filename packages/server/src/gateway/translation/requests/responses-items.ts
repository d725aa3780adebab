/** The items of an input of the responses surface, as turns. */

import type { AssistantPart, ToolCall, ToolResult, Turn } from "../conversation.ts";
import { admitFields, type Passage } from "../fields/field-table.ts";
import { responsesFields } from "../fields/responses-fields.ts";
import { type JsonObject, toList, toObject, toText } from "../../wire/json-values.ts";
import { invalidRequest } from "../losses.ts";
import { type ReasoningState, reasoningSeparator, unsealState } from "../reasoning-state.ts";
import { optionalText, requireList, requireText, unknownKind } from "./request-values.ts";
import { readResponsesAnswer, readResponsesParts, readResponsesTexts } from "./responses-parts.ts";

/** Items of an assistant in a row are one turn. */
export function readResponsesInput(input: unknown, passage: Passage): Turn[] {
  if (typeof input === "string") {
    return [{ kind: "user", parts: [{ kind: "text", text: input }], at: "/input" }];
  }
  const turns: Turn[] = [];
  for (const [index, item] of requireList(input, "/input").entries()) {
    const turn = readItem(item, `/input/${index}`, passage);
    const last = turns.at(-1);
    if (last?.kind === "assistant" && turn.kind === "assistant") {
      turns[turns.length - 1] = { ...last, parts: [...last.parts, ...turn.parts] };
    } else {
      turns.push(turn);
    }
  }
  return turns;
}

function readItem(value: unknown, at: string, passage: Passage): Turn {
  const type = toObject(value)?.["type"];
  switch (type) {
    case undefined:
    case "message":
      return readMessage(value, at, passage);
    case "function_call":
      return assistant(readFunctionCall(value, at, passage), at);
    case "custom_tool_call":
      return assistant(readCustomCall(value, at, passage), at);
    case "function_call_output":
    case "custom_tool_call_output":
      return readOutput(value, at, passage);
    case "reasoning":
      return assistant(readReasoning(value, at, passage), at);
    default:
      throw unknownKind(value, at);
  }
}

function assistant(part: AssistantPart, at: string): Turn {
  return { kind: "assistant", parts: [part], at };
}

function readMessage(value: unknown, at: string, passage: Passage): Turn {
  const role = toObject(value)?.["role"];
  const message = admitFields(responsesFields.message, { value, at }, passage);
  const place = `${at}/content`;
  switch (role) {
    case "system":
    case "developer":
      return {
        kind: "system",
        role,
        texts: readResponsesTexts(message["content"], place, passage),
      };
    case "user":
      return { kind: "user", parts: readResponsesParts(message["content"], place, passage), at };
    case "assistant":
      return {
        kind: "assistant",
        parts: readResponsesAnswer(message["content"], place, passage),
        at,
      };
    default:
      throw invalidRequest(`${at}/role`, "system, developer, user or assistant");
  }
}

function readFunctionCall(value: unknown, at: string, passage: Passage): ToolCall {
  const call = admitFields(responsesFields.functionCall, { value, at }, passage);
  return {
    kind: "tool-call",
    id: requireText(call["call_id"], `${at}/call_id`),
    name: requireText(call["name"], `${at}/name`),
    input: requireText(call["arguments"], `${at}/arguments`),
    custom: false,
    at,
  };
}

function readCustomCall(value: unknown, at: string, passage: Passage): ToolCall {
  const call = admitFields(responsesFields.customCall, { value, at }, passage);
  return {
    kind: "tool-call",
    id: requireText(call["call_id"], `${at}/call_id`),
    name: requireText(call["name"], `${at}/name`),
    input: requireText(call["input"], `${at}/input`),
    custom: true,
    at,
  };
}

function readOutput(value: unknown, at: string, passage: Passage): ToolResult {
  const result = admitFields(responsesFields.callOutput, { value, at }, passage);
  return {
    kind: "tool-result",
    callId: requireText(result["call_id"], `${at}/call_id`),
    parts: readResponsesParts(result["output"], `${at}/output`, passage),
    custom: result["type"] === "custom_tool_call_output",
    at,
  };
}

function readReasoning(value: unknown, at: string, passage: Passage): AssistantPart {
  const item = admitFields(responsesFields.reasoning, { value, at }, passage);
  const encrypted = optionalText(item["encrypted_content"], `${at}/encrypted_content`);
  const id = optionalText(item["id"], `${at}/id`);
  return {
    kind: "reasoning",
    text: reasoningTexts(item).join(reasoningSeparator),
    state: reasoningState(id, encrypted),
    at,
  };
}

/** The summaries, then the contents. */
export function reasoningTexts(item: JsonObject): string[] {
  const parts = [...(toList(item["summary"]) ?? []), ...(toList(item["content"]) ?? [])];
  return parts.flatMap((part) => {
    const text = toText(toObject(part)?.["text"]) ?? "";
    return text === "" ? [] : [text];
  });
}

/** Without encrypted content there is nothing that a provider could read back. */
export function reasoningState(
  id: string | undefined,
  encrypted: string | undefined,
): ReasoningState {
  const sealed = encrypted === undefined ? undefined : unsealState(encrypted);
  if (sealed !== undefined) return sealed;
  return {
    origin: "responses",
    fields: id === undefined || encrypted === undefined ? {} : { id, encrypted },
  };
}
