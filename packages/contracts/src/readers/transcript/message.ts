/** One message of a transcript, in the shapes of the providers. */

import type { ToolCall, ToolDefinition, ToolResult, TranscriptTurn } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { textField } from "./fields.ts";
import { asChatMessage } from "./message-dialects.ts";
import { argumentsOf, type Contents, idOf, isResultPart, readPart } from "./parts.ts";
import { callsInText, resultsInList, resultsInText } from "./text-calls.ts";
import { timeMicrosOf } from "./time.ts";

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
const callTypes: readonly unknown[] = [
  "function_call",
  "custom_tool_call",
  "mcp_call",
  "mcp_approval_request",
];
const resultTypes: readonly unknown[] = ["function_call_output", "custom_tool_call_output"];
/** Text of one turn that is kept. */
const textLengthMax = 65_536;

/** Whether a value can be a message or an item of a conversation. */
export function looksLikeMessage(value: unknown): boolean {
  if (!isFields(value)) return false;
  if (callTypes.includes(value["type"]) || resultTypes.includes(value["type"])) return true;
  const message = asChatMessage(value);
  const role = textField(message, "role");
  if (role === undefined || roles[role] === undefined) return false;
  return ["content", "parts", "tool_calls", "function_call", "tool_call_id"].some((name) =>
    Object.hasOwn(message, name),
  );
}

/** Whether a role is one of those that messages have. */
export function isKnownRole(role: string): boolean {
  return roles[role] !== undefined;
}

/** What is known about the turn that a message makes. */
export interface TurnContext {
  /** The tools that were advertised when it was made. */
  readonly tools?: readonly ToolDefinition[] | undefined;
  readonly areToolsPartial?: boolean;
  readonly allowedTools?: readonly string[] | undefined;
}

/** The turn of a message; nothing when it is none. */
export function readMessage(
  value: unknown,
  pointer: string,
  context: TurnContext,
): TranscriptTurn | undefined {
  if (!looksLikeMessage(value) || !isFields(value)) return undefined;
  const message = asChatMessage(value);
  const contents = readContents(message, pointer);
  const calls = [...itemCalls(message, pointer), ...toolCalls(message, pointer), ...contents.calls];
  const results = [
    ...itemResults(message, pointer),
    ...messageResults(message, pointer),
    ...contents.results,
  ];
  const role = roleOf(message, calls.length > 0);
  const timeMicros = timeMicrosOf(message["timestamp"] ?? message["created_at"] ?? message["time"]);
  const { areToolsPartial, allowedTools } = context;
  const tools = withProvided(context.tools, contents.providedTools ?? []);
  return {
    role,
    ...(contents.text === "" ? {} : { text: contents.text.slice(0, textLengthMax) }),
    calls,
    results,
    ...(role === "assistant" && tools !== undefined ? { tools: [...tools] } : {}),
    ...(role === "assistant" && areToolsPartial === true ? { areToolsPartial } : {}),
    ...(role === "assistant" && allowedTools !== undefined
      ? { allowedTools: [...allowedTools] }
      : {}),
    ...(contents.isPartlyRead || hasUnreadCalls(message) ? { isPartlyRead: true } : {}),
    ...(timeMicros === undefined ? {} : { timeMicros }),
    pointer,
  };
}

/** What a provider ran itself was there to be called, by whatever name it was asked for. */
function withProvided(
  tools: readonly ToolDefinition[] | undefined,
  provided: readonly string[],
): readonly ToolDefinition[] | undefined {
  if (tools === undefined || provided.length === 0) return tools;
  const known = new Set(tools.map(({ name }) => name));
  const others = [...new Set(provided)].filter((name) => !known.has(name));
  return others.length === 0 ? tools : [...tools, ...others.map((name) => ({ name }))];
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
  // Some servers send both forms of a call, one of them empty.
  const custom = isNamed(entry["custom"]) ? entry["custom"] : undefined;
  const called = custom ?? (isFields(entry["function"]) ? entry["function"] : entry);
  const name = nameOfCall(called);
  if (name === undefined) return undefined;
  const given = custom
    ? JSON.stringify(custom["input"] ?? "")
    : argumentsOf(called["arguments"] ?? called["args"] ?? called["input"] ?? called["parameters"]);
  const id = idOf(entry["id"] ?? entry["tool_call_id"] ?? entry["call_id"] ?? entry["toolCallId"]);
  return { ...id, name, arguments: given, ...ranOf(entry), pointer };
}

function isNamed(called: unknown): called is Fields {
  return isFields(called) && nameOfCall(called) !== undefined;
}

function nameOfCall(called: Fields): string | undefined {
  for (const field of ["name", "function", "tool_name", "toolName", "function_name", "tool"]) {
    const name = textField(called, field);
    if (name !== undefined) return name;
  }
  return undefined;
}

/** Whether a message lists calls of which some have no name that is known here. */
function hasUnreadCalls(message: Fields): boolean {
  const list = message["tool_calls"];
  return Array.isArray(list) && list.some((entry) => chatCall(entry, "") === undefined);
}

/** What an application may keep beside a call: how it ran, and what was said to it. */
function ranOf(entry: Fields): Pick<ToolCall, "executedArguments" | "approval"> {
  const executed = entry["executed_arguments"] ?? entry["executedArguments"];
  const approval = approvalOf(entry["approval"] ?? entry["approval_status"]);
  return {
    ...(executed === undefined ? {} : { executedArguments: executed }),
    ...(approval === undefined ? {} : { approval }),
  };
}

const approvals: Readonly<Record<string, ToolCall["approval"]>> = {
  asked: "asked",
  pending: "asked",
  requested: "asked",
  required: "asked",
  granted: "granted",
  approved: "granted",
  allowed: "granted",
  accepted: "granted",
  denied: "denied",
  rejected: "denied",
  declined: "denied",
  refused: "denied",
};

function approvalOf(value: unknown): ToolCall["approval"] {
  return typeof value === "string" ? approvals[value.toLowerCase()] : undefined;
}

function itemCalls(item: Fields, pointer: string): ToolCall[] {
  const { type } = item;
  if (!callTypes.includes(type)) return [];
  const name = textField(item, "name");
  if (name === undefined) return [];
  const given =
    type === "custom_tool_call"
      ? JSON.stringify(item["input"] ?? "")
      : argumentsOf(item["arguments"]);
  const isAsked = type === "mcp_approval_request";
  return [
    {
      ...idOf(item["call_id"] ?? item["id"]),
      name,
      arguments: given,
      ...ranOf(item),
      ...(isAsked ? { approval: "asked" } : {}),
      pointer,
    },
  ];
}

function itemResults(item: Fields, pointer: string): ToolResult[] {
  if (item["type"] === "mcp_call") {
    const { error, output } = item;
    if (output === undefined && error === undefined) return [];
    const isError = error !== undefined && error !== null;
    const content = isError ? error : (output ?? null);
    return [{ ...idOf(item["call_id"] ?? item["id"]), content, isError, pointer }];
  }
  if (!resultTypes.includes(item["type"])) return [];
  const isError = item["status"] === "failed";
  return [{ ...idOf(item["call_id"]), content: item["output"] ?? null, isError, pointer }];
}

/** A message of the role `tool` (or, before it, `function`) is a result as a whole. */
function messageResults(message: Fields, pointer: string): ToolResult[] {
  const role = textField(message, "role");
  if (role !== "tool" && role !== "function") return [];
  // Parts that are results themselves are read with the other contents.
  const { content, parts } = message;
  if ([content, parts].some((list) => Array.isArray(list) && list.some(isResultPart))) return [];
  const marked = typeof content === "string" ? resultsInText(content, pointer) : [];
  if (marked.length > 0) return marked;
  const name = textField(message, "name") ?? textField(message, "tool_name");
  const id = idOfAnswered(message);
  if (typeof content === "string" && id.callId === undefined && name === undefined) {
    const listed = resultsInList(content, pointer);
    if (listed.length > 0) return listed;
  }
  return [
    {
      ...id,
      ...(name === undefined ? {} : { name }),
      content: content ?? errorOf(message) ?? null,
      isError:
        message["is_error"] === true ||
        message["isError"] === true ||
        message["status"] === "error" ||
        errorOf(message) !== undefined,
      pointer,
    },
  ];
}

/** The id of the call that a result answers; some simulators keep it as the id of the message itself. */
function idOfAnswered(message: Fields): { callId?: string } {
  const own = message["requestor"] === undefined ? undefined : message["id"];
  return idOf(message["tool_call_id"] ?? message["toolCallId"] ?? message["call_id"] ?? own);
}

/** An error that is kept beside the content, as text or as a mark. */
function errorOf(message: Fields): unknown {
  const { error } = message;
  const isSet = error === true || (typeof error === "string" && error !== "") || isFields(error);
  return isSet ? error : undefined;
}

/** Text, calls and results among the parts of a message. */
function readContents(message: Fields, pointer: string): Contents {
  const contents: Contents = {
    text: "",
    isPartlyRead: false,
    calls: [],
    results: [],
    providedTools: [],
  };
  const { content, parts } = message;
  const role = textField(message, "role") ?? "";
  if (typeof content === "string" && !["tool", "function"].includes(role)) contents.text = content;
  for (const [name, list] of [
    ["content", content],
    ["parts", parts],
  ] as const) {
    if (!Array.isArray(list)) continue;
    for (const [index, part] of list.entries())
      readPart(part, `${pointer}/${name}/${index}`, contents);
  }
  if (role === "user") contents.results.push(...resultsInText(contents.text, pointer));
  const hasCalls = Array.isArray(message["tool_calls"]) && message["tool_calls"].length > 0;
  if (roles[role] === "assistant" && contents.calls.length === 0 && !hasCalls) {
    const found = callsInText(contents.text, pointer);
    contents.text = found.text;
    contents.calls.push(...found.calls);
    contents.results.push(...(found.results ?? []));
  }
  return contents;
}
