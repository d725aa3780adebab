/** Reads a chat completion request into a conversation. */

import type {
  AnswerSettings,
  AssistantPart,
  Conversation,
  OutputFormat,
  TextPart,
  ToolCall,
  Turn,
} from "../conversation.ts";
import { chatFields } from "../fields/chat-fields.ts";
import { admitFields, type Passage } from "../fields/field-table.ts";
import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { invalidRequest } from "../losses.ts";
import { readChatReasoning } from "./chat-reasoning.ts";
import { readChatParts, readChatTexts } from "./chat-parts.ts";
import { readChatToolChoice, readChatTools } from "./chat-tools.ts";
import {
  optionalBoolean,
  optionalEffort,
  optionalNumber,
  optionalObject,
  optionalText,
  requireList,
  requireText,
} from "./request-values.ts";
import { readUserId, sharedFields } from "./shared-fields.ts";

/** Throws `request_invalid` or `translation_unsupported`, with the place. */
export function readChatRequest(body: unknown, passage: Passage): Conversation {
  const request = admitFields(chatFields.request, { value: body, at: "" }, passage);
  const customCallIds = new Set<string>();
  const turns = requireList(request["messages"], "/messages").map((message, index) =>
    readMessage(message, `/messages/${index}`, { passage, customCallIds }),
  );
  const streamOptions =
    request["stream_options"] === undefined
      ? undefined
      : admitFields(
          chatFields.streamOptions,
          { value: request["stream_options"], at: "/stream_options" },
          passage,
        );
  return {
    turns,
    tools: readChatTools(request["tools"], passage),
    toolChoice: readChatToolChoice(request["tool_choice"]),
    parallelTools: optionalBoolean(request["parallel_tool_calls"], "/parallel_tool_calls"),
    answer: readAnswer(request, passage),
    stream: optionalBoolean(request["stream"], "/stream") ?? false,
    asksForUsage: streamOptions?.["include_usage"] === true,
    shared: sharedFields(request),
  };
}

interface MessageContext {
  readonly passage: Passage;
  readonly customCallIds: Set<string>;
}

function readMessage(value: unknown, at: string, context: MessageContext): Turn {
  const role = toObject(value)?.["role"];
  const { passage } = context;
  switch (role) {
    case "system":
    case "developer": {
      const message = admitFields(chatFields.systemMessage, { value, at }, passage);
      return {
        kind: "system",
        role,
        texts: readChatTexts(message["content"], `${at}/content`, passage),
      };
    }
    case "user": {
      const message = admitFields(chatFields.userMessage, { value, at }, passage);
      return {
        kind: "user",
        parts: readChatParts(message["content"], `${at}/content`, passage),
        at,
      };
    }
    case "assistant":
      return readAssistant(value, at, context);
    case "tool": {
      const message = admitFields(chatFields.toolMessage, { value, at }, passage);
      const callId = requireText(message["tool_call_id"], `${at}/tool_call_id`);
      return {
        kind: "tool-result",
        callId,
        parts: readChatTexts(message["content"], `${at}/content`, passage),
        custom: context.customCallIds.has(callId),
        at,
      };
    }
    default:
      throw invalidRequest(`${at}/role`, "system, developer, user, assistant or tool");
  }
}

function readAssistant(
  value: unknown,
  at: string,
  { passage, customCallIds }: MessageContext,
): Turn {
  const message = admitFields(chatFields.assistantMessage, { value, at }, passage);
  const refusal = optionalText(message["refusal"], `${at}/refusal`);
  const calls =
    message["tool_calls"] === undefined
      ? []
      : requireList(message["tool_calls"], `${at}/tool_calls`).map((call, index) =>
          readToolCall(call, `${at}/tool_calls/${index}`, passage),
        );
  for (const call of calls) if (call.custom) customCallIds.add(call.id);
  return {
    kind: "assistant",
    parts: [
      ...readChatReasoning(message, at),
      ...readAssistantContent(message["content"], `${at}/content`, passage),
      ...(refusal === undefined ? [] : [{ kind: "refusal" as const, text: refusal }]),
      ...calls,
    ],
    at,
  };
}

function readAssistantContent(content: unknown, at: string, passage: Passage): AssistantPart[] {
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return requireList(content, at).flatMap((part, index): AssistantPart[] => {
    const place = `${at}/${index}`;
    if (toObject(part)?.["type"] !== "refusal") return readOneText(part, place, passage);
    const refusal = admitFields(chatFields.refusalPart, { value: part, at: place }, passage);
    return [{ kind: "refusal", text: requireText(refusal["refusal"], `${place}/refusal`) }];
  });
}

function readOneText(part: unknown, at: string, passage: Passage): TextPart[] {
  return [...readChatTexts([part], at.slice(0, at.lastIndexOf("/")), passage)];
}

function readToolCall(value: unknown, at: string, passage: Passage): ToolCall {
  const call = admitFields(chatFields.toolCall, { value, at }, passage);
  const id = requireText(call["id"], `${at}/id`);
  if (call["type"] === "custom") {
    const place = `${at}/custom`;
    const custom = admitFields(
      chatFields.toolCallCustom,
      { value: call["custom"], at: place },
      passage,
    );
    return {
      kind: "tool-call",
      id,
      name: requireText(custom["name"], `${place}/name`),
      input: requireText(custom["input"], `${place}/input`),
      custom: true,
      at,
    };
  }
  const place = `${at}/function`;
  const called = admitFields(
    chatFields.toolCallFunction,
    { value: call["function"], at: place },
    passage,
  );
  return {
    kind: "tool-call",
    id,
    name: requireText(called["name"], `${place}/name`),
    input: requireText(called["arguments"] ?? "", `${place}/arguments`),
    custom: false,
    at,
  };
}

function readAnswer(request: JsonObject, passage: Passage): AnswerSettings {
  const { stop } = request;
  if (request["max_tokens"] !== undefined && request["max_completion_tokens"] !== undefined) {
    passage.losses.add("/max_tokens", "max_completion_tokens is the limit");
  }
  return {
    maxTokens:
      optionalNumber(request["max_completion_tokens"], "/max_completion_tokens") ??
      optionalNumber(request["max_tokens"], "/max_tokens"),
    temperature: optionalNumber(request["temperature"], "/temperature"),
    topP: optionalNumber(request["top_p"], "/top_p"),
    stop:
      stop === undefined
        ? []
        : typeof stop === "string"
          ? [stop]
          : requireList(stop, "/stop").map((text, index) => requireText(text, `/stop/${index}`)),
    format: readFormat(request["response_format"], passage),
    effort: optionalEffort(request["reasoning_effort"], "/reasoning_effort"),
    showsReasoning: false,
    verbosity: optionalText(request["verbosity"], "/verbosity"),
    userId: readUserId(request, passage),
  };
}

function readFormat(value: unknown, passage: Passage): OutputFormat | undefined {
  if (value === undefined) return undefined;
  const at = "/response_format";
  const format = admitFields(chatFields.responseFormat, { value, at }, passage);
  if (format["type"] === "text") return undefined;
  if (format["type"] === "json_object") return { kind: "json-object", at };
  if (format["type"] !== "json_schema")
    throw invalidRequest(`${at}/type`, "text, json_object or json_schema");
  const place = `${at}/json_schema`;
  const described = admitFields(
    chatFields.jsonSchema,
    { value: format["json_schema"], at: place },
    passage,
  );
  return {
    kind: "json-schema",
    name: optionalText(described["name"], `${place}/name`),
    description: optionalText(described["description"], `${place}/description`),
    schema: optionalObject(described["schema"], `${place}/schema`),
    strict: optionalBoolean(described["strict"], `${place}/strict`),
    at: place,
  };
}
