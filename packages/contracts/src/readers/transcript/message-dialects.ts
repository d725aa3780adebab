/** Messages of frameworks and corpora, brought to the fields that chat messages have. */

import { type Fields, isFields } from "../../model/fields.ts";
import { textField } from "./fields.ts";

/** Who speaks, by the names that corpora in the form of ShareGPT use. */
const speakers: Readonly<Record<string, string | undefined>> = {
  system: "system",
  human: "user",
  user: "user",
  gpt: "assistant",
  assistant: "assistant",
  model: "assistant",
  function_call: "function_call",
  tool_call: "function_call",
  tool: "tool",
  function: "tool",
  observation: "tool",
  function_response: "tool",
  tool_response: "tool",
};

/** Kinds of messages by their names in LangChain. */
const messageTypes: Readonly<Record<string, string | undefined>> = {
  human: "user",
  HumanMessage: "user",
  HumanMessageChunk: "user",
  ai: "assistant",
  AIMessage: "assistant",
  AIMessageChunk: "assistant",
  system: "system",
  SystemMessage: "system",
  tool: "tool",
  ToolMessage: "tool",
  function: "tool",
  FunctionMessage: "tool",
};

/** The message in the fields of a chat message; as it is when it has them already. */
export function asChatMessage(value: Fields): Fields {
  const role = textField(value, "role");
  if (role !== undefined) return ofValuedParts(ofNamedRole(value, role));
  return ofShareGpt(value) ?? ofLangChain(value) ?? ofAgentLog(value) ?? value;
}

/** Roles of trainers that write calls and their results as messages of their own. */
const rolesOfItems: Readonly<Record<string, string | undefined>> = {
  function_call: "function_call",
  tool_call: "function_call",
  tool_calls: "function_call",
  observation: "tool",
  tool_response: "tool",
  function_response: "tool",
  ipython: "tool",
};

function ofNamedRole(value: Fields, written: string): Fields {
  const role = rolesOfItems[written.replace(" ", "_")];
  if (role === undefined) return value;
  if (role === "tool") return { ...value, role };
  const { content } = value;
  const text = typeof content === "string" ? content : JSON.stringify(content ?? null);
  return { ...value, role: "assistant", content: callBlock(text) };
}

function callBlock(text: string): string {
  return `<tool_call>${text}</tool_call>`;
}

/** Parts whose text, and whose calls as JSON, stand under `value`: `{ type: "tool_call", value }`. */
function ofValuedParts(message: Fields): Fields {
  const { content, role } = message;
  const list: readonly unknown[] = Array.isArray(content) ? content : [];
  if (!list.some((part) => valueOfPart(part) !== undefined)) return message;
  const texts = list.flatMap((part) => valueOfPart(part) ?? []);
  if (role === "tool") return { ...message, content: texts.map(({ text }) => text).join("\n") };
  return {
    ...message,
    content: list.map((part) => {
      const read = valueOfPart(part);
      if (read === undefined) return part;
      return { type: "text", text: read.isCall ? callBlock(read.text) : read.text };
    }),
  };
}

function valueOfPart(part: unknown): { text: string; isCall: boolean } | undefined {
  const text = textField(part, "value");
  const type = textField(part, "type");
  if (text === undefined || type === undefined || textField(part, "text") !== undefined) {
    return undefined;
  }
  if (type === "tool_call" || type === "tool_calls") return { text, isCall: true };
  return type === "text" ? { text, isCall: false } : undefined;
}

/** `{ from, value }`. */
function ofShareGpt(value: Fields): Fields | undefined {
  const from = textField(value, "from");
  const content = value["value"];
  const role = from === undefined ? undefined : speakers[from];
  if (role === undefined || typeof content !== "string") return undefined;
  if (role !== "function_call") return { role, content };
  return { role: "assistant", content: callBlock(content) };
}

/** `{ type: "ai", content }`, the same under `data`, and the serialised form with `kwargs`. */
function ofLangChain(value: Fields): Fields | undefined {
  const { id, kwargs, data, type } = value;
  if (Array.isArray(id) && isFields(kwargs)) {
    const kind: unknown = id.at(-1);
    return typeof kind === "string" ? withRole(messageTypes[kind], kwargs) : undefined;
  }
  if (typeof type !== "string" || !Object.hasOwn(messageTypes, type)) return undefined;
  return withRole(messageTypes[type], isFields(data) ? data : value);
}

function withRole(role: string | undefined, fields: Fields): Fields | undefined {
  if (role === undefined || !Object.hasOwn(fields, "content")) return undefined;
  const { additional_kwargs: more, tool_calls: calls } = fields;
  const isWithout = !Array.isArray(calls) || calls.length === 0;
  return isWithout && isFields(more) && Array.isArray(more["tool_calls"])
    ? { ...fields, role, tool_calls: more["tool_calls"] }
    : { ...fields, role };
}

/** Lines of an agent's own log, with the message inside: `{ type: "assistant", message: { role, … } }`. */
function ofAgentLog(value: Fields): Fields | undefined {
  const { message } = value;
  return isFields(message) && textField(message, "role") !== undefined
    ? { timestamp: value["timestamp"], ...message }
    : undefined;
}
