/** Definitions of tools as they were advertised to a model, in the shapes of the providers. */

import type { ToolDefinition } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { textField } from "./fields.ts";

/** Tools whose input is free text: what stands for their schema. */
const freeTextSchema = { type: "string" } as const;

/** The tools of a list, and how many entries are none. */
export function readTools(list: readonly unknown[]): {
  tools: ToolDefinition[];
  unreadCount: number;
} {
  const tools = list.flatMap((entry) => readTool(entry) ?? []);
  return { tools, unreadCount: list.length - tools.length };
}

function readTool(entry: unknown): ToolDefinition | undefined {
  if (!isFields(entry)) return undefined;
  const isCustom = entry["type"] === "custom" && entry["input_schema"] === undefined;
  const inner = isFields(entry["function"])
    ? entry["function"]
    : isFields(entry["custom"])
      ? entry["custom"]
      : entry;
  const name = textField(inner, "name");
  if (name === undefined) return undefined;
  const description = textField(inner, "description");
  const inputSchema = isCustom ? freeTextSchema : schemaOf(inner);
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(inputSchema === undefined ? {} : { inputSchema }),
  };
}

function schemaOf(tool: Fields): unknown {
  return (
    tool["parameters"] ??
    tool["input_schema"] ??
    tool["inputSchema"] ??
    tool["parameters_json_schema"] ??
    undefined
  );
}
