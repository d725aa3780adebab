/** One message of a transcript, in the shapes of the providers. */

import type { ToolCall, ToolDefinition, ToolResult, TranscriptTurn } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { textField } from "./fields.ts";

type Role = TranscriptTurn["role"];

const roles: Readonly<Record<string, Role>> = {
  system: "system",
  developer: "system",
  user: "user",
  human: "user",
  assistant: "assistant",
  model: "assistant",
  tool: "tool",
  function: "tool",
};
/** Items that are calls or results by themselves, outside of any message. */
const callTypes: readonly unknown[] = ["function_call", "custom_tool_call"];
const resultTypes: readonly unknown[] = ["function_call_output", "custom_tool_call_output"];
/** Text of one turn that is kept. */
const textLengthMax = 65_536;

/** Whether a value can be a message or an item of a conversation. */
export function looksLikeMessage(value: unknown): boolean {
  if (!isFields(value)) return false;
  if (callTypes.includes(value["type"]) || resultTypes.includes(value["type"])) return true;
  const role = textField(value, "role");
  if (role === undefined || roles[role] === undefined) return false;
  return ["content", "parts", "tool_calls", "function_call", "tool_call_id"].some((name) =>
    Object.hasOwn(value, name),
  );
}

/** The turn of a message; nothing when it is none. `tools` are those advertised when it was made. */
export function readMessage(
  value: unknown,
  pointer: string,
  tools: readonly ToolDefinition[] | undefined,
): TranscriptTurn | undefined {
  if (!looksLikeMessage(value) || !isFields(value)) return undefined;
  const contents = readContents(value, pointer);
  const calls = [...itemCalls(value, pointer), ...toolCalls(value, pointer), ...contents.calls];
  const results = [
    ...itemResults(value, pointer),
    ...messageResults(value, pointer),
    ...contents.results,
  ];
  const role = roleOf(value, calls.length > 0);
  return {
    role,
    ...(contents.text === "" ? {} : { text: contents.text.slice(0, textLengthMax) }),
    calls,
    results,
    ...(role === "assistant" && tools !== undefined ? { tools: [...tools] } : {}),
    pointer,
  };
}

function roleOf(message: Fields, hasCalls: boolean): Role {
  const role = textField(message, "role");
  if (role !== undefined) return roles[role] ?? "user";
  return hasCalls ? "assistant" : "tool";
}

/** `tool_calls` of chat messages, and the single `function_call` that came before them. */
function toolCalls(message: Fields, pointer: string): ToolCall[] {
  const list = message["tool_calls"];
  const calls = Array.isArray(list)
    ? list.flatMap((entry, index) => chatCall(entry, `${pointer}/tool_calls/${index}`) ?? [])
    : [];
  const single = message["function_call"];
  const name = textField(single, "name");
  if (!isFields(single) || name === undefined) return calls;
  return [
    ...calls,
    { name, arguments: argumentsOf(single["arguments"]), pointer: `${pointer}/function_call` },
  ];
}

function chatCall(entry: unknown, pointer: string): ToolCall | undefined {
  if (!isFields(entry)) return undefined;
  const custom = entry["custom"];
  const called = isFields(custom)
    ? custom
    : isFields(entry["function"])
      ? entry["function"]
      : entry;
  const name = textField(called, "name");
  if (name === undefined) return undefined;
  const given = isFields(custom)
    ? JSON.stringify(custom["input"] ?? "")
    : argumentsOf(called["arguments"] ?? called["args"]);
  return { ...idOf(entry["id"]), name, arguments: given, pointer };
}

function itemCalls(item: Fields, pointer: string): ToolCall[] {
  if (!callTypes.includes(item["type"])) return [];
  const name = textField(item, "name");
  if (name === undefined) return [];
  const given =
    item["type"] === "custom_tool_call"
      ? JSON.stringify(item["input"] ?? "")
      : argumentsOf(item["arguments"]);
  return [{ ...idOf(item["call_id"] ?? item["id"]), name, arguments: given, pointer }];
}

function itemResults(item: Fields, pointer: string): ToolResult[] {
  if (!resultTypes.includes(item["type"])) return [];
  return [{ ...idOf(item["call_id"]), content: item["output"] ?? null, isError: false, pointer }];
}

/** A message of the role `tool` (or, before it, `function`) is a result as a whole. */
function messageResults(message: Fields, pointer: string): ToolResult[] {
  const role = textField(message, "role");
  if (role !== "tool" && role !== "function") return [];
  // Parts that are results themselves are read with the other contents.
  const { content, parts } = message;
  if ([content, parts].some((list) => Array.isArray(list) && list.some(isResultPart))) return [];
  const name = textField(message, "name");
  return [
    {
      ...idOf(message["tool_call_id"]),
      ...(name === undefined ? {} : { name }),
      content: content ?? null,
      isError: message["is_error"] === true || message["isError"] === true,
      pointer,
    },
  ];
}

interface Contents {
  text: string;
  readonly calls: ToolCall[];
  readonly results: ToolResult[];
}

/** Text, calls and results among the parts of a message. */
function readContents(message: Fields, pointer: string): Contents {
  const contents: Contents = { text: "", calls: [], results: [] };
  const { content, parts } = message;
  if (
    typeof content === "string" &&
    !["tool", "function"].includes(textField(message, "role") ?? "")
  ) {
    contents.text = content;
  }
  for (const [name, list] of [
    ["content", content],
    ["parts", parts],
  ] as const) {
    if (!Array.isArray(list)) continue;
    for (const [index, part] of list.entries())
      readPart(part, `${pointer}/${name}/${index}`, contents);
  }
  return contents;
}

function readPart(part: unknown, pointer: string, contents: Contents): void {
  if (!isFields(part)) return;
  const text =
    textField(part, "text") ?? (part["type"] === "text" ? textField(part, "content") : undefined);
  if (text !== undefined) contents.text += contents.text === "" ? text : `\n${text}`;
  if (part["type"] === "tool_use" || part["type"] === "tool_call") {
    const name = textField(part, "name");
    if (name === undefined) return;
    const given = argumentsOf(part["type"] === "tool_use" ? part["input"] : part["arguments"]);
    contents.calls.push({ ...idOf(part["id"]), name, arguments: given, pointer });
  }
  if (!isResultPart(part)) return;
  contents.results.push({
    ...idOf(part["tool_use_id"] ?? part["id"]),
    content: part["content"] ?? part["response"] ?? part["result"] ?? null,
    isError: part["is_error"] === true,
    pointer,
  });
}

function isResultPart(part: unknown): boolean {
  return (
    isFields(part) && (part["type"] === "tool_result" || part["type"] === "tool_call_response")
  );
}

/** Absent arguments are emitted by some models for tools that take none. */
function argumentsOf(given: unknown): unknown {
  return given === undefined || given === null ? {} : given;
}

function idOf(id: unknown): { callId?: string } {
  return typeof id === "string" && id !== "" ? { callId: id } : {};
}
