/** What the simulated provider reads of chat completion requests, and of those of the older completions. */

import { type JsonObject, toObject } from "../wire/json-values.ts";
import {
  anyObject,
  chooseTool,
  invalid,
  parseBody,
  readCommon,
  readLimit,
  requireItems,
  type SimulatedRequest,
  type ToolsOffered,
} from "./request.ts";

/** Throws `request_malformed` or `request_invalid`, as a provider would refuse. */
export function readChatRequest(body: Buffer): SimulatedRequest {
  const value = parseBody(body);
  const messages = requireItems(value, "messages");
  refuseChoices(value);
  return {
    ...readCommon(value),
    includeUsage: toObject(value["stream_options"])?.["include_usage"] === true,
    maxTokens: readLimit(
      value["max_completion_tokens"] ?? value["max_tokens"],
      "/max_completion_tokens",
    ),
    prompt: JSON.stringify(messages),
    tool: chooseTool(readTools(value, messages)),
    schema: readSchema(toObject(value["response_format"])),
    reasons: false,
  };
}

/** Of completions: a text, or a list of one. */
export function readCompletionRequest(body: Buffer): SimulatedRequest {
  const value = parseBody(body);
  refuseChoices(value);
  const { prompt } = value;
  const text: unknown = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt;
  if (typeof text !== "string") throw invalid('"prompt" must be one text.', "/prompt");
  return {
    ...readCommon(value),
    includeUsage: toObject(value["stream_options"])?.["include_usage"] === true,
    maxTokens: readLimit(value["max_tokens"], "/max_tokens"),
    prompt: text,
    tool: undefined,
    schema: undefined,
    reasons: false,
  };
}

function refuseChoices(value: JsonObject): void {
  const choiceCount = value["n"] ?? 1;
  if (choiceCount !== 1) throw invalid("The simulated provider gives one choice.", "/n");
}

function readSchema(format: JsonObject | undefined): unknown {
  if (format?.["type"] === "json_object") return anyObject;
  return format?.["type"] === "json_schema"
    ? toObject(format["json_schema"])?.["schema"]
    : undefined;
}

function readTools(value: JsonObject, messages: readonly unknown[]): ToolsOffered {
  const tools: unknown = value["tools"];
  const choice: unknown = value["tool_choice"];
  const named = toObject(toObject(choice)?.["function"]);
  return {
    tools: (Array.isArray(tools) ? tools : []).map((tool: unknown) => {
      const called = toObject(toObject(tool)?.["function"]);
      return { name: called?.["name"], parameters: called?.["parameters"] };
    }),
    choice:
      named !== undefined
        ? { name: named["name"] }
        : choice === "none" || choice === "required"
          ? choice
          : "auto",
    answered: toObject(messages.at(-1))?.["role"] === "tool",
  };
}
