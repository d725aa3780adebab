/** Reads an OpenAI responses request into a conversation. */

import type { AnswerSettings, Conversation, OutputFormat, Turn } from "../conversation.ts";
import { admitFields, type Passage } from "../fields/field-table.ts";
import { responsesFields } from "../fields/responses-fields.ts";
import type { JsonObject } from "../../wire/json-values.ts";
import { invalidRequest } from "../losses.ts";
import {
  optionalBoolean,
  optionalEffort,
  optionalNumber,
  optionalObject,
  optionalText,
  requireList,
  requireText,
} from "./request-values.ts";
import { readResponsesInput } from "./responses-items.ts";
import { readResponsesTools, readResponsesToolChoice } from "./responses-tools.ts";
import { readUserId, sharedFields } from "./shared-fields.ts";

/** Throws `request_invalid` or `translation_unsupported`, with the place. */
export function readResponsesRequest(body: unknown, passage: Passage): Conversation {
  const request = admitFields(responsesFields.request, { value: body, at: "" }, passage);
  reportIncludes(request["include"], passage);
  const instructions = optionalText(request["instructions"], "/instructions");
  const system: Turn[] =
    instructions === undefined
      ? []
      : [{ kind: "system", role: "system", texts: [{ kind: "text", text: instructions }] }];
  return {
    turns: [...system, ...readResponsesInput(request["input"], passage)],
    tools: readResponsesTools(request["tools"], passage),
    toolChoice: readResponsesToolChoice(request["tool_choice"]),
    parallelTools: optionalBoolean(request["parallel_tool_calls"], "/parallel_tool_calls"),
    answer: readAnswer(request, passage),
    stream: optionalBoolean(request["stream"], "/stream") ?? false,
    asksForUsage: true,
    shared: sharedFields(request),
  };
}

function reportIncludes(value: unknown, passage: Passage): void {
  if (value === undefined) return;
  for (const [index, item] of requireList(value, "/include").entries()) {
    if (requireText(item, `/include/${index}`) === "reasoning.encrypted_content") continue;
    passage.losses.add(`/include/${index}`, "cannot be included");
  }
}

function readAnswer(request: JsonObject, passage: Passage): AnswerSettings {
  const reasoning =
    request["reasoning"] === undefined
      ? undefined
      : admitFields(
          responsesFields.reasoningSettings,
          { value: request["reasoning"], at: "/reasoning" },
          passage,
        );
  const text =
    request["text"] === undefined
      ? undefined
      : admitFields(responsesFields.text, { value: request["text"], at: "/text" }, passage);
  return {
    maxTokens: optionalNumber(request["max_output_tokens"], "/max_output_tokens"),
    temperature: optionalNumber(request["temperature"], "/temperature"),
    topP: optionalNumber(request["top_p"], "/top_p"),
    stop: [],
    format: readFormat(text?.["format"], passage),
    effort: optionalEffort(reasoning?.["effort"], "/reasoning/effort"),
    showsReasoning: false,
    verbosity: optionalText(text?.["verbosity"], "/text/verbosity"),
    userId: readUserId(request, passage),
  };
}

function readFormat(value: unknown, passage: Passage): OutputFormat | undefined {
  if (value === undefined) return undefined;
  const at = "/text/format";
  const format = admitFields(responsesFields.format, { value, at }, passage);
  switch (format["type"]) {
    case "text":
      return undefined;
    case "json_object":
      return { kind: "json-object", at };
    case "json_schema":
      return {
        kind: "json-schema",
        name: optionalText(format["name"], `${at}/name`),
        description: optionalText(format["description"], `${at}/description`),
        schema: optionalObject(format["schema"], `${at}/schema`),
        strict: optionalBoolean(format["strict"], `${at}/strict`),
        at,
      };
    default:
      throw invalidRequest(`${at}/type`, "text, json_object or json_schema");
  }
}
