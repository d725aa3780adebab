/** Tools and the choice among them, as chat completions spells them. */

import type { Tool, ToolChoice } from "../conversation.ts";
import { chatFields } from "../fields/chat-fields.ts";
import { admitFields, type Passage } from "../fields/field-table.ts";
import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import { invalidRequest } from "../losses.ts";
import {
  optionalBoolean,
  optionalObject,
  optionalText,
  requireList,
  requireText,
  unknownKind,
} from "./request-values.ts";

/** Throws for tools that are neither functions nor of free text. */
export function readChatTools(value: unknown, passage: Passage): readonly Tool[] {
  if (value === undefined) return [];
  return requireList(value, "/tools").map((item, index) =>
    readTool(item, `/tools/${index}`, passage),
  );
}

function readTool(value: unknown, at: string, passage: Passage): Tool {
  const tool = admitFields(chatFields.tool, { value, at }, passage);
  if (tool["type"] === "custom") {
    const place = `${at}/custom`;
    const custom = admitFields(chatFields.custom, { value: tool["custom"], at: place }, passage);
    return {
      kind: "custom",
      name: requireText(custom["name"], `${place}/name`),
      description: optionalText(custom["description"], `${place}/description`),
      format: flattenGrammar(optionalObject(custom["format"], `${place}/format`)),
      at: place,
    };
  }
  if (tool["type"] !== "function") throw unknownKind(value, at);
  const place = `${at}/function`;
  const called = admitFields(chatFields.function, { value: tool["function"], at: place }, passage);
  return {
    kind: "function",
    name: requireText(called["name"], `${place}/name`),
    description: optionalText(called["description"], `${place}/description`),
    parameters: optionalObject(called["parameters"], `${place}/parameters`),
    strict: optionalBoolean(called["strict"], `${place}/strict`),
    at: place,
  };
}

/** Chat nests a grammar one level deeper than responses. */
function flattenGrammar(format: JsonObject | undefined): JsonObject | undefined {
  const grammar = toObject(format?.["grammar"]);
  return grammar === undefined ? format : { type: "grammar", ...grammar };
}

function nestGrammar(format: JsonObject | undefined): JsonObject | undefined {
  if (format?.["type"] !== "grammar") return format;
  const { type, ...grammar } = format;
  return { type, grammar };
}

/** Absent: as the provider decides. */
export function readChatToolChoice(value: unknown): ToolChoice | undefined {
  if (value === undefined) return undefined;
  if (value === "auto" || value === "none" || value === "required") return { kind: value };
  const choice = toObject(value);
  switch (choice?.["type"]) {
    case "function":
    case "custom": {
      const custom = choice["type"] === "custom";
      const at = custom ? "/tool_choice/custom" : "/tool_choice/function";
      const named = optionalObject(choice[custom ? "custom" : "function"], at);
      return { kind: "named", name: requireText(named?.["name"], `${at}/name`), custom };
    }
    case "allowed_tools": {
      const at = "/tool_choice/allowed_tools";
      const allowed = optionalObject(choice["allowed_tools"], at);
      return {
        kind: "allowed",
        mode: allowed?.["mode"] === "required" ? "required" : "auto",
        names: requireList(allowed?.["tools"], `${at}/tools`).map((tool, index) => {
          const entry = toObject(tool);
          const named = toObject(entry?.["function"]) ?? toObject(entry?.["custom"]);
          return requireText(named?.["name"], `${at}/tools/${index}`);
        }),
        at,
      };
    }
    default:
      throw invalidRequest("/tool_choice", "none, auto, required or a choice of tools");
  }
}

/** The field `tools`. */
export function writeChatTools(tools: readonly Tool[]): readonly JsonObject[] {
  return tools.map((tool) => {
    const { name, description } = tool;
    return tool.kind === "custom"
      ? { type: "custom", custom: compact({ name, description, format: nestGrammar(tool.format) }) }
      : {
          type: "function",
          function: compact({
            name,
            description,
            parameters: tool.parameters,
            strict: tool.strict,
          }),
        };
  });
}

/** The field `tool_choice`. */
export function writeChatToolChoice(choice: ToolChoice, tools: readonly Tool[]): unknown {
  if (choice.kind === "named") return spell(choice.name, choice.custom);
  if (choice.kind !== "allowed") return choice.kind;
  const isCustom = (name: string): boolean =>
    tools.some((tool) => tool.kind === "custom" && tool.name === name);
  return {
    type: "allowed_tools",
    allowed_tools: {
      mode: choice.mode,
      tools: choice.names.map((name) => spell(name, isCustom(name))),
    },
  };
}

function spell(name: string, custom: boolean): JsonObject {
  return custom ? { type: "custom", custom: { name } } : { type: "function", function: { name } };
}
