/** Tools and the choice among them, as responses spells them. */

import type { Tool, ToolChoice } from "../conversation.ts";
import { admitFields, type Passage } from "../fields/field-table.ts";
import { responsesFields } from "../fields/responses-fields.ts";
import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import { invalidRequest, unsupported } from "../losses.ts";
import {
  optionalBoolean,
  optionalObject,
  optionalText,
  requireList,
  requireText,
  unknownKind,
} from "./request-values.ts";

/** Throws for tools that the provider would run. */
export function readResponsesTools(value: unknown, passage: Passage): readonly Tool[] {
  if (value === undefined) return [];
  return requireList(value, "/tools").map((item, index) =>
    readTool(item, `/tools/${index}`, passage),
  );
}

function readTool(value: unknown, at: string, passage: Passage): Tool {
  switch (toObject(value)?.["type"]) {
    case "function": {
      const tool = admitFields(responsesFields.functionTool, { value, at }, passage);
      return {
        kind: "function",
        name: requireText(tool["name"], `${at}/name`),
        description: optionalText(tool["description"], `${at}/description`),
        parameters: optionalObject(tool["parameters"], `${at}/parameters`),
        strict: optionalBoolean(tool["strict"], `${at}/strict`),
        at,
      };
    }
    case "custom": {
      const tool = admitFields(responsesFields.customTool, { value, at }, passage);
      return {
        kind: "custom",
        name: requireText(tool["name"], `${at}/name`),
        description: optionalText(tool["description"], `${at}/description`),
        format: optionalObject(tool["format"], `${at}/format`),
        at,
      };
    }
    default:
      throw unknownKind(value, at);
  }
}

/** Absent: as the provider decides. */
export function readResponsesToolChoice(value: unknown): ToolChoice | undefined {
  if (value === undefined) return undefined;
  if (value === "auto" || value === "none" || value === "required") return { kind: value };
  const at = "/tool_choice";
  const choice = toObject(value);
  if (choice === undefined) throw invalidRequest(at, "none, auto, required or a choice of tools");
  switch (choice["type"]) {
    case "function":
    case "custom":
      return {
        kind: "named",
        name: requireText(choice["name"], `${at}/name`),
        custom: choice["type"] === "custom",
      };
    case "allowed_tools":
      return {
        kind: "allowed",
        mode: choice["mode"] === "required" ? "required" : "auto",
        names: requireList(choice["tools"], `${at}/tools`).map((tool, index) =>
          requireText(toObject(tool)?.["name"], `${at}/tools/${index}/name`),
        ),
        at,
      };
    default:
      throw unsupported(at, "hosted tools do not exist there under this name");
  }
}

/** The field `tools`. Here tools are strict unless they say that they are not. */
export function writeResponsesTools(tools: readonly Tool[]): readonly JsonObject[] {
  return tools.map((tool) => {
    const { name, description } = tool;
    if (tool.kind === "custom") {
      return compact({ type: "custom", name, description, format: tool.format });
    }
    const { parameters = null, strict = false } = tool;
    return compact({ type: "function", name, description, parameters, strict });
  });
}

/** The field `tool_choice`. */
export function writeResponsesToolChoice(choice: ToolChoice, tools: readonly Tool[]): unknown {
  if (choice.kind === "named") {
    return { type: choice.custom ? "custom" : "function", name: choice.name };
  }
  if (choice.kind !== "allowed") return choice.kind;
  const typeOf = (name: string): string =>
    tools.some((tool) => tool.kind === "custom" && tool.name === name) ? "custom" : "function";
  return {
    type: "allowed_tools",
    mode: choice.mode,
    tools: choice.names.map((name) => ({ type: typeOf(name), name })),
  };
}
