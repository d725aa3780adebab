/** Calls, results and tools that stand in the text of messages, as models without a format of their own write them. */

import type { ToolCall, ToolResult } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { parsedJson } from "../../text/json-text.ts";
import { textField } from "./fields.ts";
import { argumentsOf, idOf } from "./parts.ts";
import { readCalls, readLiteral } from "./python-literal.ts";

/** Calls of one text that are read. */
const callCountMax = 1_000;

const callBlock = /<(tool_call|function_call|functioncall)>([\s\S]*?)(?:<\/\1>|<\|endoftext\|>|$)/g;
const resultBlock = /<(tool_response|function_response)>([\s\S]*?)(?:<\/\1>|$)/g;
/** The two lines in which agents that reason and act name what they do. */
const actionLines =
  /(?:^|\n)Action:[ \t]{0,20}([^\n,[\](){}]{1,200})\nAction[ _]Input:[ \t]*([\s\S]*)$/;
/** Where an agent that reasons and acts is told what came of its action. */
const observation = /(?:^|\n)[ \t]{0,20}Observation:/;
/** A text that is nothing but calls in Python's notation. */
const looksLikeCalls = /^\[?\s{0,20}[A-Za-z_][\w.]{0,200}\(|^\[[A-Za-z_][\w./ -]{0,200}\(/;

/** What an assistant's text holds beside what it says. */
interface TextContents {
  readonly calls: readonly ToolCall[];
  /** What was told of the calls, where an agent writes that behind them. */
  readonly results?: readonly ToolResult[];
  readonly text: string;
}

/** The calls in an assistant's text, and the text without them. */
export function callsInText(text: string, pointer: string): TextContents {
  const blocks = [...text.matchAll(callBlock)].slice(0, callCountMax);
  if (blocks.length > 0) {
    const calls = blocks.flatMap((block) => callsOfBlock(block[2] ?? "", pointer));
    return { calls, text: text.replace(callBlock, "").trim() };
  }
  const steps = stepsInText(text, pointer);
  if (steps !== undefined) return steps;
  const trimmed = text.trim();
  const marked = callsOfMarks(trimmed, pointer);
  if (marked.length > 0) return { calls: marked, text: "" };
  const read = looksLikeCalls.test(trimmed) ? readCalls(trimmed) : undefined;
  // A call in prose has arguments without a name; a model that calls names them all.
  if (read === undefined || read.some((call) => call.positional.length > 0)) {
    return { calls: [], text };
  }
  const calls = read.slice(0, callCountMax).map(({ name, named }) => ({
    name,
    arguments: named,
    pointer,
  }));
  return { calls, text: "" };
}

/** The steps of an agent that reasons and acts: an action with its input, and what it observed, over and over. */
function stepsInText(text: string, pointer: string): TextContents | undefined {
  const calls: ToolCall[] = [];
  const results: ToolResult[] = [];
  const said: string[] = [];
  let isWaiting = false;
  for (const [index, piece] of text.split(observation, callCountMax).entries()) {
    const next = index === 0 ? 0 : piece.search(/\n[ \t]{0,20}(?:Thought|Action|Final Answer):/);
    const told = (next < 0 ? piece : piece.slice(0, next)).trim();
    if (index > 0 && isWaiting && told !== "") {
      results.push({ content: told, isError: false, pointer });
    }
    const rest = next < 0 ? "" : piece.slice(next);
    const action = actionLines.exec(rest);
    isWaiting = action?.[1] !== undefined && action[2] !== undefined;
    said.push(action === null ? rest : rest.slice(0, action.index));
    if (action?.[1] === undefined || action[2] === undefined) continue;
    const given = action[2].replace(/\s{0,20}`{3}\s{0,20}$/, "");
    calls.push({ name: action[1].trim(), arguments: argumentsText(given), pointer });
  }
  return calls.length === 0 ? undefined : { calls, results, text: said.join("\n").trim() };
}

/** A text that is nothing but calls as JSON, also behind the marks of some models. */
function callsOfMarks(text: string, pointer: string): ToolCall[] {
  const named = /^<function=([\w.-]{1,200})>([\s\S]*?)(?:<\/function>)?$/.exec(text);
  if (named?.[1] !== undefined) {
    return [{ name: named[1], arguments: argumentsText(named[2] ?? ""), pointer }];
  }
  const body = text.replace(/^(?:\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_call\|>)\s{0,20}/, "");
  if (!/^[[{]/.test(body)) return [];
  const value = readLiteral(body);
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isOnlyCalls = list.every(
    (item) =>
      isFields(item) &&
      textField(item, "name") !== undefined &&
      (isFields(item["arguments"]) || isFields(item["parameters"])) &&
      Object.keys(item).length <= 4 &&
      item["description"] === undefined,
  );
  return isOnlyCalls ? callsOfBlock(body, pointer) : [];
}

/** The results in a text. */
export function resultsInText(text: string, pointer: string): ToolResult[] {
  // What agents that reason and act are told of their action.
  const observed = /^\s{0,20}Observation:([\s\S]*)$/.exec(text)?.[1];
  if (observed !== undefined) return [{ content: observed.trim(), isError: false, pointer }];
  return [...text.matchAll(resultBlock)].slice(0, callCountMax).map((block) => {
    const body = (block[2] ?? "").trim();
    const value = readLiteral(body);
    const name = textField(value, "name");
    const content = isFields(value) && name !== undefined ? value["content"] : undefined;
    return {
      ...(isFields(value) ? idOf(value["tool_call_id"]) : {}),
      ...(name === undefined ? {} : { name }),
      content: content ?? body,
      isError: false,
      pointer,
    };
  });
}

/** Fields in which a result of a list that answers several calls stands. */
const answerNames = ["results", "result", "response", "output", "content"] as const;

/** Results of several calls in one list, each with the name of its tool. */
export function resultsInList(text: string, pointer: string): ToolResult[] {
  if (!/^\s*\[\s*\{/.test(text)) return [];
  const value = parsedJson(text);
  const list: readonly unknown[] = Array.isArray(value) ? value.slice(0, callCountMax) : [];
  const results = list.flatMap((item): ToolResult[] => {
    const name = textField(item, "name");
    const field = answerNames.find((candidate) => isFields(item) && candidate in item);
    if (!isFields(item) || name === undefined || field === undefined) return [];
    if (Object.keys(item).length > 3) return [];
    return [{ ...idOf(item["id"]), name, content: item[field] ?? null, isError: false, pointer }];
  });
  return results.length === list.length ? results : [];
}

/** The definitions of tools in a system prompt: between `<tools>` marks, or as JSON on lines of their own. */
export function toolsInText(text: string): readonly unknown[] | undefined {
  const begin = text.indexOf("<tools>");
  const end = begin < 0 ? -1 : text.indexOf("</tools>", begin);
  const marked = end < 0 ? undefined : text.slice(begin + "<tools>".length, end);
  const found = marked === undefined ? jsonBlocks(text) : definitionsOf(marked.trim());
  return found.length > 0 && found.every(isDefinition) ? found : undefined;
}

function definitionsOf(text: string): readonly unknown[] {
  const whole = readLiteral(text);
  if (Array.isArray(whole)) return whole;
  if (isFields(whole)) return [whole];
  return jsonBlocks(text);
}

/** The outermost JSON objects and lists in a text, as far as they parse. */
function jsonBlocks(text: string): readonly unknown[] {
  const found: unknown[] = [];
  let at = 0;
  while (at < text.length && found.length < callCountMax) {
    const begin = indexOfBracket(text, at);
    if (begin < 0) break;
    const end = endOfBlock(text, begin);
    if (end < 0) break;
    const value = parsedJson(text.slice(begin, end));
    if (Array.isArray(value)) found.push(...(value as unknown[]));
    else if (isFields(value)) found.push(value);
    at = end;
  }
  return found.filter(isDefinition);
}

function indexOfBracket(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "{" || text[at] === "[") return at;
  }
  return -1;
}

/** Where the block of JSON that begins here ends, or -1 when it does not. */
export function endOfBlock(text: string, begin: number): number {
  let depth = 0;
  let inString = false;
  for (let at = begin; at < text.length; at += 1) {
    const letter = text[at];
    if (inString) {
      if (letter === "\\") at += 1;
      else if (letter === '"') inString = false;
    } else if (letter === '"') inString = true;
    else if (letter === "{" || letter === "[") depth += 1;
    else if (letter === "}" || letter === "]") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

function isDefinition(value: unknown): boolean {
  if (!isFields(value)) return false;
  const inner = isFields(value["function"]) ? value["function"] : value;
  return (
    textField(inner, "name") !== undefined &&
    ["parameters", "input_schema", "inputSchema", "description", "arguments"].some(
      (name) => isFields(inner[name]) || typeof inner[name] === "string",
    )
  );
}

function callsOfBlock(body: string, pointer: string): ToolCall[] {
  const value = readLiteral(body.trim());
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.flatMap((item) => callOf(item, pointer) ?? []);
}

function callOf(value: unknown, pointer: string): ToolCall | undefined {
  if (!isFields(value)) return undefined;
  const inner: Fields = isFields(value["function"]) ? value["function"] : value;
  const name = textField(inner, "name") ?? textField(inner, "tool") ?? textField(inner, "action");
  if (name === undefined) return undefined;
  const given = inner["arguments"] ?? inner["parameters"] ?? inner["args"] ?? inner["input"];
  return {
    ...idOf(value["id"]),
    name,
    arguments: typeof given === "string" ? argumentsText(given) : argumentsOf(given),
    pointer,
  };
}

/** Arguments in Python's notation are the model's way of writing them here, and no fault of theirs. */
function argumentsText(text: string): unknown {
  const value = readLiteral(text.trim());
  return isFields(value) ? value : text;
}
