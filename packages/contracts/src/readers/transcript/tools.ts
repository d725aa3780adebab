/** Definitions of tools as they were advertised to a model, in the shapes of the providers. */

import type { ToolDefinition } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { textField } from "./fields.ts";
import { parsedJson } from "../../text/json-text.ts";

/** Tools whose input is free text: what stands for their schema. */
const freeTextSchema = { type: "string" } as const;
const hints = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;

/** Keys of entries that are no tools of the caller: what Gemini and Bedrock run or keep themselves. */
const hostedKeys: readonly string[] = [
  "googleSearch",
  "google_search",
  "googleSearchRetrieval",
  "google_search_retrieval",
  "googleMaps",
  "google_maps",
  "codeExecution",
  "code_execution",
  "urlContext",
  "url_context",
  "fileSearch",
  "file_search",
  "computerUse",
  "computer_use",
  "cachePoint",
];
/** Types of entries that bring tools whose names are told elsewhere, or that should have one. */
const openTypes: readonly string[] = ["function", "custom", "mcp", "namespace"];

/** The tools of a list, and how many entries are none. Tools that a provider runs have no name, and no call names them. */
export function readTools(list: readonly unknown[]): {
  tools: ToolDefinition[];
  unreadCount: number;
} {
  const entries = list.flatMap(declarationsOf).filter((entry) => !isHosted(entry));
  const tools = entries.flatMap((entry) => readTool(entry) ?? []);
  return { tools, unreadCount: entries.length - tools.length };
}

/** The tools under a value that may be a list, JSON text of one, or tools by their names. */
export function toolListOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) {
    return value.map((entry) => (typeof entry === "string" ? (parsedJson(entry) ?? entry) : entry));
  }
  if (typeof value === "string") {
    const inner = parsedJson(value);
    return inner === undefined || typeof inner === "string" ? undefined : toolListOf(inner);
  }
  if (!isFields(value)) return undefined;
  if (isFields(value["toolConfig"])) return toolListOf(value["toolConfig"]["tools"]);
  if (Array.isArray(value["tools"])) return toolListOf(value["tools"]);
  if (textField(innerOf(value), "name") !== undefined) return [value];
  const named = Object.entries(value);
  return named.length > 0 && named.every(([, tool]) => isFields(tool))
    ? named.map(([name, tool]) => ({ name, ...(isFields(tool) ? tool : {}) }))
    : undefined;
}

/** One entry may hold several: Gemini lists function declarations, a server of tools lists its own. */
function declarationsOf(entry: unknown): readonly unknown[] {
  if (!isFields(entry)) return [entry];
  const inner =
    entry["functionDeclarations"] ?? entry["function_declarations"] ?? entry["tools"] ?? undefined;
  return Array.isArray(inner) ? (inner as unknown[]) : [entry];
}

/** Whether an entry is a tool of the provider that is called by no name: its work stands in items of its own. */
function isHosted(entry: unknown): boolean {
  if (!isFields(entry) || textField(innerOf(entry), "name") !== undefined) return false;
  const { type } = entry;
  if (typeof type === "string") return !openTypes.includes(type);
  const keys = Object.keys(entry);
  return keys.length > 0 && keys.every((key) => hostedKeys.includes(key));
}

function readTool(entry: unknown): ToolDefinition | undefined {
  if (!isFields(entry)) return undefined;
  const isCustom = entry["type"] === "custom" && entry["input_schema"] === undefined;
  const inner = innerOf(entry);
  const name = textField(inner, "name");
  if (name === undefined) return undefined;
  const description = textField(inner, "description");
  const inputSchema = isCustom ? freeTextSchema : schemaOf(inner);
  const annotations = annotationsOf(inner["annotations"] ?? entry["annotations"]);
  const requiresApproval = approvalOf(entry) ?? approvalOf(inner);
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(inputSchema === undefined ? {} : { inputSchema }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(requiresApproval === undefined ? {} : { requiresApproval }),
  };
}

function innerOf(entry: Fields): Fields {
  for (const name of ["function", "custom", "toolSpec", "systemTool", "api", "tool"]) {
    const inner = entry[name];
    if (isFields(inner) && textField(inner, "name") !== undefined) return inner;
  }
  return entry;
}

function schemaOf(tool: Fields): unknown {
  const schema =
    tool["parameters"] ??
    tool["input_schema"] ??
    tool["inputSchema"] ??
    tool["parameters_json_schema"] ??
    tool["parametersJsonSchema"] ??
    tool["args_schema"] ??
    undefined;
  if (typeof schema === "string") return parsedJson(schema) ?? undefined;
  if (!isFields(schema)) return schema;
  // Bedrock and frameworks wrap the schema.
  const wrapped = schema["json"] ?? schema["jsonSchema"];
  return isFields(wrapped) ? wrapped : schema;
}

function annotationsOf(value: unknown): ToolDefinition["annotations"] {
  if (!isFields(value)) return undefined;
  const known = hints.flatMap((hint) => {
    const given = value[hint];
    return typeof given === "boolean" ? [[hint, given] as const] : [];
  });
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

/** What frameworks call it when a person has to agree to each call. */
function approvalOf(entry: Fields): boolean | undefined {
  for (const name of [
    "require_approval",
    "requires_approval",
    "requiresApproval",
    "needsApproval",
    "needs_approval",
  ]) {
    const value = entry[name];
    if (value === true || value === "always") return true;
    if (value === false || value === "never") return false;
  }
  return undefined;
}
