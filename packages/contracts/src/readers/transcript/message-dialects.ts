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
  if (textField(value, "role") !== undefined) return value;
  return ofShareGpt(value) ?? ofLangChain(value) ?? ofAgentLog(value) ?? value;
}

/** `{ from, value }`. */
function ofShareGpt(value: Fields): Fields | undefined {
  const from = textField(value, "from");
  const content = value["value"];
  const role = from === undefined ? undefined : speakers[from];
  if (role === undefined || typeof content !== "string") return undefined;
  if (role !== "function_call") return { role, content };
  return { role: "assistant", content: `<tool_call>${content}</tool_call>` };
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
