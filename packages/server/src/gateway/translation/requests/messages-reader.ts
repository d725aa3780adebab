/** Reads an Anthropic messages request into a conversation. */

import type {
  AnswerSettings,
  AssistantPart,
  Conversation,
  Effort,
  OutputFormat,
  TextPart,
  Turn,
  UserPart,
} from "../conversation.ts";
import { admitFields, type Passage } from "../fields/field-table.ts";
import { messagesFields } from "../fields/messages-fields.ts";
import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { invalidRequest } from "../losses.ts";
import { readAssistantBlock } from "./messages-assistant.ts";
import { readTextBlock, readUserBlock } from "./messages-parts.ts";
import { readMessagesTools, readMessagesToolChoice } from "./messages-tools.ts";
import {
  optionalBoolean,
  optionalEffort,
  optionalNumber,
  optionalObject,
  optionalText,
  requireList,
  requireText,
} from "./request-values.ts";

/** Throws `request_invalid` or `translation_unsupported`, with the place. */
export function readMessagesRequest(body: unknown, passage: Passage): Conversation {
  const request = admitFields(messagesFields.request, { value: body, at: "" }, passage);
  const { system } = request;
  const turns = requireList(request["messages"], "/messages").flatMap((message, index) =>
    readMessage(message, `/messages/${index}`, passage),
  );
  const choice = readMessagesToolChoice(request["tool_choice"], passage);
  return {
    turns:
      system === undefined
        ? turns
        : [
            { kind: "system", role: "system", texts: readTexts(system, "/system", passage) },
            ...turns,
          ],
    tools: readMessagesTools(request["tools"], passage),
    toolChoice: choice.toolChoice,
    parallelTools: choice.parallelTools,
    answer: readAnswer(request, passage),
    stream: optionalBoolean(request["stream"], "/stream") ?? false,
    asksForUsage: true,
    shared: {},
  };
}

function readTexts(content: unknown, at: string, passage: Passage): TextPart[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return requireList(content, at).map((block, index) =>
    readTextBlock(block, `${at}/${index}`, passage),
  );
}

function readMessage(value: unknown, at: string, passage: Passage): Turn[] {
  const message = admitFields(messagesFields.message, { value, at }, passage);
  const { role, content } = message;
  const place = `${at}/content`;
  switch (role) {
    case "system":
      return [{ kind: "system", role, texts: readTexts(content, place, passage) }];
    case "assistant":
      return [{ kind: "assistant", parts: readAssistant(content, place, passage), at }];
    case "user":
      if (typeof content === "string") {
        return [{ kind: "user", parts: [{ kind: "text", text: content }], at }];
      }
      return readUser(requireList(content, place), at, passage);
    default:
      throw invalidRequest(`${at}/role`, "user, assistant or system");
  }
}

function readAssistant(content: unknown, at: string, passage: Passage): AssistantPart[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return requireList(content, at).map((block, index) =>
    readAssistantBlock(block, `${at}/${index}`, passage),
  );
}

/** Tool results are turns of their own in the other surfaces; what stands between and behind them is the user's. */
function readUser(blocks: readonly unknown[], at: string, passage: Passage): Turn[] {
  const turns: Turn[] = [];
  let parts: UserPart[] = [];
  const closeUser = (): void => {
    if (parts.length > 0) turns.push({ kind: "user", parts, at });
    parts = [];
  };
  for (const [index, block] of blocks.entries()) {
    const place = `${at}/content/${index}`;
    if (toObject(block)?.["type"] === "tool_result") {
      closeUser();
      turns.push(readToolResult(block, place, passage));
    } else {
      parts.push(readUserBlock(block, place, passage));
    }
  }
  closeUser();
  return turns;
}

function readToolResult(value: unknown, at: string, passage: Passage): Turn {
  const result = admitFields(messagesFields.toolResultBlock, { value, at }, passage);
  const { content } = result;
  return {
    kind: "tool-result",
    callId: requireText(result["tool_use_id"], `${at}/tool_use_id`),
    parts:
      content === undefined
        ? []
        : typeof content === "string"
          ? [{ kind: "text", text: content }]
          : requireList(content, `${at}/content`).map((block, index) =>
              readUserBlock(block, `${at}/content/${index}`, passage),
            ),
    custom: false,
    at,
  };
}

function readAnswer(request: JsonObject, passage: Passage): AnswerSettings {
  const metadata =
    request["metadata"] === undefined
      ? undefined
      : admitFields(
          messagesFields.metadata,
          { value: request["metadata"], at: "/metadata" },
          passage,
        );
  const output =
    request["output_config"] === undefined
      ? undefined
      : admitFields(
          messagesFields.outputConfig,
          { value: request["output_config"], at: "/output_config" },
          passage,
        );
  const thinking = readThinking(request["thinking"], passage);
  return {
    maxTokens: optionalNumber(request["max_tokens"], "/max_tokens"),
    temperature: optionalNumber(request["temperature"], "/temperature"),
    topP: optionalNumber(request["top_p"], "/top_p"),
    stop: requireList(request["stop_sequences"] ?? [], "/stop_sequences").map((text, index) =>
      requireText(text, `/stop_sequences/${index}`),
    ),
    format: readFormat(output?.["format"], passage),
    effort:
      thinking.effort === "none"
        ? "none"
        : (optionalEffort(output?.["effort"], "/output_config/effort") ?? thinking.effort),
    showsReasoning: thinking.shown,
    verbosity: undefined,
    userId: optionalText(metadata?.["user_id"], "/metadata/user_id"),
  };
}

function readFormat(value: unknown, passage: Passage): OutputFormat | undefined {
  if (value === undefined || value === null) return undefined;
  const at = "/output_config/format";
  const format = admitFields(messagesFields.format, { value, at }, passage);
  if (format["type"] !== "json_schema") throw invalidRequest(`${at}/type`, "json_schema");
  return {
    kind: "json-schema",
    name: undefined,
    description: undefined,
    schema: optionalObject(format["schema"], `${at}/schema`),
    strict: true,
    at,
  };
}

/** From so many tokens of thinking on, the next higher effort is the nearer one. */
const lowBudgetTokensMax = 4_096;
const mediumBudgetTokensMax = 16_384;

function readThinking(
  value: unknown,
  passage: Passage,
): { readonly effort: Effort | undefined; readonly shown: boolean } {
  if (value === undefined) return { effort: undefined, shown: false };
  const at = "/thinking";
  const thinking = admitFields(messagesFields.thinking, { value, at }, passage);
  const shown = thinking["display"] !== "omitted";
  switch (thinking["type"]) {
    case "disabled":
      return { effort: "none", shown: false };
    case "adaptive":
      return { effort: undefined, shown };
    case "enabled": {
      const budget = optionalNumber(thinking["budget_tokens"], `${at}/budget_tokens`) ?? 0;
      passage.losses.add(
        `${at}/budget_tokens`,
        "became the nearest effort: there are no budgets there",
      );
      const effort =
        budget <= lowBudgetTokensMax ? "low" : budget <= mediumBudgetTokensMax ? "medium" : "high";
      return { effort, shown };
    }
    default:
      passage.losses.add(`${at}/type`, "not a kind of thinking that is known there");
      return { effort: undefined, shown };
  }
}
