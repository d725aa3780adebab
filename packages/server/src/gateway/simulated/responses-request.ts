/** What the simulated provider reads of requests of the responses surface. */

import { type JsonObject, toObject } from "../wire/json-values.ts";
import {
  anyObject,
  chooseTool,
  invalid,
  parseBody,
  readCommon,
  readLimit,
  type SimulatedRequest,
  type ToolsOffered,
} from "./request.ts";

/** Throws `request_malformed` or `request_invalid`, as a provider would refuse. */
export function readResponsesRequest(body: Buffer): SimulatedRequest {
  const value = parseBody(body);
  const { input } = value;
  const items: readonly unknown[] | undefined = Array.isArray(input) ? input : undefined;
  if (typeof input !== "string" && (items === undefined || items.length === 0)) {
    throw invalid('"input" must be a text or a list of at least one item.', "/input");
  }
  for (const field of ["previous_response_id", "conversation"]) {
    if (typeof value[field] === "string") {
      throw invalid("The simulated provider keeps no state between requests.", `/${field}`);
    }
  }
  const effort = toObject(value["reasoning"])?.["effort"];
  return {
    ...readCommon(value),
    includeUsage: true,
    maxTokens: readLimit(value["max_output_tokens"], "/max_output_tokens"),
    prompt: JSON.stringify([value["instructions"], input]),
    tool: chooseTool(readTools(value, items?.at(-1))),
    schema: readSchema(toObject(toObject(value["text"])?.["format"])),
    reasons: typeof effort === "string" && effort !== "none",
  };
}

function readSchema(format: JsonObject | undefined): unknown {
  if (format?.["type"] === "json_object") return anyObject;
  return format?.["type"] === "json_schema" ? format["schema"] : undefined;
}

function readTools(value: JsonObject, lastItem: unknown): ToolsOffered {
  const tools: unknown = value["tools"];
  const choice: unknown = value["tool_choice"];
  const named = toObject(choice);
  return {
    tools: (Array.isArray(tools) ? tools : [])
      .map((tool: unknown) => toObject(tool))
      .filter((tool) => tool?.["type"] === "function")
      .map((tool) => ({ name: tool?.["name"], parameters: tool?.["parameters"] })),
    choice:
      named?.["type"] === "function"
        ? { name: named["name"] }
        : choice === "none" || choice === "required"
          ? choice
          : "auto",
    answered: toObject(lastItem)?.["type"] === "function_call_output",
  };
}
