/** What the simulated provider reads of requests of the messages surface, and of those that count tokens. */

import { type JsonObject, toObject } from "../wire/json-values.ts";
import {
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
export function readMessagesRequest(body: Buffer): SimulatedRequest {
  const value = parseBody(body);
  if (value["max_tokens"] === undefined) {
    throw invalid("max_tokens: Field required.", "/max_tokens");
  }
  return readCounted(value);
}

/** The same without a limit: nothing is answered. */
export function readCountRequest(body: Buffer): SimulatedRequest {
  return readCounted(parseBody(body));
}

function readCounted(value: JsonObject): SimulatedRequest {
  const messages = requireItems(value, "messages");
  const thinking = toObject(value["thinking"])?.["type"];
  const format = toObject(toObject(value["output_config"])?.["format"]);
  return {
    ...readCommon(value),
    includeUsage: true,
    maxTokens: readLimit(value["max_tokens"], "/max_tokens"),
    prompt: JSON.stringify([value["system"], messages]),
    tool: chooseTool(readTools(value, messages)),
    schema: format?.["schema"],
    reasons: thinking === "enabled" || thinking === "adaptive",
  };
}

function readTools(value: JsonObject, messages: readonly unknown[]): ToolsOffered {
  const tools: unknown = value["tools"];
  const choice = toObject(value["tool_choice"]);
  const content = toObject(messages.at(-1))?.["content"];
  return {
    tools: (Array.isArray(tools) ? tools : []).map((tool: unknown) => {
      const known = toObject(tool);
      return { name: known?.["name"], parameters: known?.["input_schema"] };
    }),
    choice: readChoice(choice),
    answered:
      Array.isArray(content) &&
      content.some((block) => toObject(block)?.["type"] === "tool_result"),
  };
}

function readChoice(choice: JsonObject | undefined): ToolsOffered["choice"] {
  switch (choice?.["type"]) {
    case "none":
      return "none";
    case "any":
      return "required";
    case "tool":
      return { name: choice["name"] };
    default:
      return "auto";
  }
}
