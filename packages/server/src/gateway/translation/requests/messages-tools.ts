/** Tools and the choice among them, as messages spells them. */

import type { Conversation, Tool, ToolChoice } from "../conversation.ts";
import { admitFields, type Passage } from "../fields/field-table.ts";
import { messagesFields } from "../fields/messages-fields.ts";
import type { JsonObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import { invalidRequest, unsupported } from "../losses.ts";
import {
  optionalBoolean,
  optionalObject,
  optionalText,
  requireList,
  requireText,
} from "./request-values.ts";

/** Throws for tools that the provider would run. */
export function readMessagesTools(value: unknown, passage: Passage): readonly Tool[] {
  if (value === undefined) return [];
  return requireList(value, "/tools").map((item, index) => {
    const at = `/tools/${index}`;
    const tool = admitFields(messagesFields.tool, { value: item, at }, passage);
    return {
      kind: "function",
      name: requireText(tool["name"], `${at}/name`),
      description: optionalText(tool["description"], `${at}/description`),
      parameters: optionalObject(tool["input_schema"], `${at}/input_schema`),
      strict: optionalBoolean(tool["strict"], `${at}/strict`),
      at,
    };
  });
}

/** The choice, and whether several tools may be called at once. */
export function readMessagesToolChoice(
  value: unknown,
  passage: Passage,
): { readonly toolChoice: ToolChoice | undefined; readonly parallelTools: boolean | undefined } {
  if (value === undefined) return { toolChoice: undefined, parallelTools: undefined };
  const at = "/tool_choice";
  const choice = admitFields(messagesFields.toolChoice, { value, at }, passage);
  const parallelTools =
    optionalBoolean(choice["disable_parallel_tool_use"], `${at}/disable_parallel_tool_use`) === true
      ? false
      : undefined;
  switch (choice["type"]) {
    case "auto":
    case "none":
      return { toolChoice: { kind: choice["type"] }, parallelTools };
    case "any":
      return { toolChoice: { kind: "required" }, parallelTools };
    case "tool": {
      const name = requireText(choice["name"], `${at}/name`);
      return { toolChoice: { kind: "named", name, custom: false }, parallelTools };
    }
    default:
      throw invalidRequest(`${at}/type`, "auto, any, tool or none");
  }
}

/** The fields `tools` and `tool_choice`. A choice among some of the tools sends only these. */
export function writeMessagesTools(conversation: Conversation): JsonObject {
  const { toolChoice, parallelTools } = conversation;
  const tools = conversation.tools
    .filter((tool) => toolChoice?.kind !== "allowed" || toolChoice.names.includes(tool.name))
    .map(writeTool);
  if (tools.length === 0) return {};
  return compact({ tools, tool_choice: writeChoice(toolChoice, parallelTools) });
}

function writeTool(tool: Tool): JsonObject {
  if (tool.kind === "custom") throw unsupported(tool.at, "messages has no tools of free text");
  const { name, description, strict, parameters = {} } = tool;
  // The surface demands a schema of an object, which OpenAI lets a tool leave out.
  const schema = {
    type: "object",
    ...(parameters["type"] === undefined ? { properties: {} } : {}),
    ...parameters,
  };
  return compact({
    name,
    description,
    input_schema: schema,
    strict: strict === true ? true : undefined,
  });
}

function writeChoice(choice: ToolChoice | undefined, parallelTools: boolean | undefined): unknown {
  const single = parallelTools === false ? { disable_parallel_tool_use: true } : {};
  switch (choice?.kind) {
    case undefined:
      return parallelTools === false ? { type: "auto", ...single } : undefined;
    case "auto":
      return { type: "auto", ...single };
    case "none":
      return { type: "none" };
    case "required":
      return { type: "any", ...single };
    case "named":
      return { type: "tool", name: choice.name, ...single };
    case "allowed":
      return { type: choice.mode === "required" ? "any" : "auto", ...single };
  }
}
