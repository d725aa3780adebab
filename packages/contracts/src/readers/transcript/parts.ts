/** The parts of a message: text, calls and results in the shapes of the providers and frameworks. */

import type { ToolCall, ToolResult } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { textField } from "./fields.ts";

/** What the parts of one message hold. */
export interface Contents {
  text: string;
  /** Some part cannot be read as text: an image, a sound, a file. */
  isPartlyRead: boolean;
  readonly calls: ToolCall[];
  readonly results: ToolResult[];
  /** Names of the tools that the provider itself ran: it need not have been asked for them by these names. */
  readonly providedTools?: string[];
}

/** Types of parts that are calls, with the fields of their name, id and arguments. */
const callTypes: readonly string[] = [
  "tool_use",
  "tool_call",
  "tool-call",
  "server_tool_use",
  "mcp_tool_use",
];
/** Results: those of a provider's own tools are named after them, such as `web_fetch_tool_result`. */
const resultType = /^(?:(?:\w+_)?tool_result|tool_call_response|tool-result|tool-error)$/;
/** Calls that the provider runs itself. */
const providedTypes: readonly unknown[] = ["server_tool_use", "mcp_tool_use"];

/** Reads one part into `contents`. */
export function readPart(part: unknown, pointer: string, contents: Contents): void {
  if (typeof part === "string") addText(part, contents);
  if (!isFields(part)) return;
  const { type } = part;
  const text =
    textField(part, "text") ?? (type === "text" ? textField(part, "content") : undefined);
  if (text !== undefined) addText(text, contents);
  if (typeof type === "string" && /image|audio|video|file|document|media/.test(type)) {
    contents.isPartlyRead = true;
  } else if (
    ["inlineData", "fileData", "inline_data", "image", "document"].some((name) =>
      isFields(part[name]),
    )
  ) {
    contents.isPartlyRead = true;
  }
  for (const call of callsOf(part, pointer)) {
    contents.calls.push(call);
    const { toolUse } = part;
    const kind = isFields(toolUse) ? toolUse["type"] : type;
    if (providedTypes.includes(kind)) contents.providedTools?.push(call.name);
  }
  for (const result of resultsOf(part, pointer)) contents.results.push(result);
}

/** Whether a part is the result of a call. */
export function isResultPart(part: unknown): boolean {
  return isFields(part) && resultsOf(part, "").length > 0;
}

/** Absent arguments are emitted by some models for tools that take none. */
export function argumentsOf(given: unknown): unknown {
  return given === undefined || given === null ? {} : given;
}

/** The id of a call, where there is one; JSON-RPC counts its requests with numbers. */
export function idOf(id: unknown): { callId?: string } {
  if (typeof id === "number") return { callId: String(id) };
  return typeof id === "string" && id !== "" ? { callId: id } : {};
}

function addText(text: string, contents: Contents): void {
  contents.text += contents.text === "" ? text : `\n${text}`;
}

function callsOf(part: Fields, pointer: string): ToolCall[] {
  const { type } = part;
  if (typeof type === "string" && callTypes.includes(type)) {
    const name = textField(part, "name") ?? textField(part, "toolName");
    if (name === undefined) return [];
    const given = part["input"] ?? part["arguments"] ?? part["args"];
    const id = idOf(part["id"] ?? part["toolCallId"]);
    return [{ ...id, name, arguments: argumentsOf(given), pointer }];
  }
  const gemini = part["functionCall"] ?? part["function_call"];
  if (isFields(gemini)) {
    const name = textField(gemini, "name");
    if (name === undefined) return [];
    const given = argumentsOf(gemini["args"] ?? gemini["arguments"]);
    return [{ ...idOf(gemini["id"]), name, arguments: given, pointer: `${pointer}/functionCall` }];
  }
  const bedrock = part["toolUse"];
  if (isFields(bedrock)) {
    const name = textField(bedrock, "name");
    if (name === undefined) return [];
    const id = idOf(bedrock["toolUseId"]);
    return [
      { ...id, name, arguments: argumentsOf(bedrock["input"]), pointer: `${pointer}/toolUse` },
    ];
  }
  const invocation = invocationOf(part);
  return invocation === undefined
    ? []
    : [{ ...invocation.id, name: invocation.name, arguments: invocation.given, pointer }];
}

function resultsOf(part: Fields, pointer: string): ToolResult[] {
  const { type } = part;
  if (typeof type === "string" && resultType.test(type)) return [typedResult(part, pointer)];
  const gemini = part["functionResponse"] ?? part["function_response"];
  if (isFields(gemini)) {
    const name = textField(gemini, "name");
    return [
      {
        ...idOf(gemini["id"]),
        ...(name === undefined ? {} : { name }),
        content: gemini["response"] ?? null,
        isError: false,
        pointer: `${pointer}/functionResponse`,
      },
    ];
  }
  const bedrock = part["toolResult"];
  if (isFields(bedrock)) {
    return [
      {
        ...idOf(bedrock["toolUseId"]),
        content: bedrock["content"] ?? null,
        isError: bedrock["status"] === "error",
        pointer: `${pointer}/toolResult`,
      },
    ];
  }
  const invocation = invocationOf(part);
  if (invocation === undefined || !invocation.isDone) return [];
  const { id, content, isError, isDenied } = invocation;
  return [{ ...id, content, isError, ...(isDenied ? { isDenied } : {}), pointer }];
}

function typedResult(part: Fields, pointer: string): ToolResult {
  const { output } = part;
  const wrapped = isFields(output) && typeof output["type"] === "string" ? output : undefined;
  const kind = wrapped?.["type"];
  const isDenied = kind === "execution-denied";
  const name = textField(part, "toolName") ?? textField(part, "name");
  const content =
    part["content"] ??
    part["response"] ??
    part["result"] ??
    (wrapped === undefined ? output : (wrapped["value"] ?? wrapped["reason"])) ??
    part["error"] ??
    null;
  return {
    ...idOf(part["tool_use_id"] ?? part["toolCallId"] ?? part["id"]),
    ...(name === undefined ? {} : { name }),
    content,
    isError:
      part["is_error"] === true ||
      part["isError"] === true ||
      part["type"] === "tool-error" ||
      kind === "error-text" ||
      kind === "error-json",
    ...(isDenied ? { isDenied } : {}),
    pointer,
  };
}

/** A call and its result in one part, as user interfaces keep them: `tool-invocation`, and `tool-NAME`. */
function invocationOf(part: Fields):
  | {
      readonly id: { callId?: string };
      readonly name: string;
      readonly given: unknown;
      readonly content: unknown;
      readonly isDone: boolean;
      readonly isError: boolean;
      readonly isDenied: boolean;
    }
  | undefined {
  const inner = isFields(part["toolInvocation"]) ? part["toolInvocation"] : part;
  const { toolCallId, state, type } = inner;
  if (typeof toolCallId !== "string" || typeof state !== "string") return undefined;
  const ofType = typeof type === "string" && type.startsWith("tool-") ? type.slice(5) : undefined;
  const name = textField(inner, "toolName") ?? ofType;
  if (name === undefined || name === "") return undefined;
  const content = inner["output"] ?? inner["result"] ?? inner["errorText"] ?? null;
  return {
    id: idOf(toolCallId),
    name,
    given: argumentsOf(inner["input"] ?? inner["args"]),
    content,
    isDone: state === "result" || state.startsWith("output-"),
    isError: state === "output-error",
    isDenied: state === "output-denied",
  };
}
