/** Requests and answers of models that SDKs record whole, each in one value. */

import { type Fields, isFields } from "../../model/fields.ts";
import { unpacked } from "../../text/json-text.ts";
import { generationOf, instructionsIn, partOf, toolListIn } from "./containers.ts";
import { textField } from "./fields.ts";
import { isKnownRole, looksLikeMessage } from "./message.ts";

/** What was sent to a model: messages that `readMessage` understands, and the tools that stood beside them. */
export interface WholeRequest {
  readonly messages: readonly unknown[];
  readonly tools?: readonly unknown[];
}

/** The request that a value holds; without messages when it holds none. */
export function requestIn(given: unknown): WholeRequest {
  const value = unpacked(given);
  if (typeof value === "string") {
    return { messages: value === "" ? [] : [{ role: "user", content: value }] };
  }
  if (Array.isArray(value)) return sorted(value);
  if (!isFields(value)) return { messages: [] };
  const prompt = textField(value, "prompt") ?? textField(value, "contents");
  const told = prompt === undefined ? [] : [{ role: "user", content: prompt }];
  const { messages, tools } = sorted(partOf(value)?.messages ?? told);
  const advertised = toolListIn(value) ?? tools;
  const instructions = instructionsIn(value);
  return {
    messages:
      instructions === undefined || messages.length === 0
        ? messages
        : [{ role: "system", content: instructions }, ...messages],
    ...(advertised === undefined ? {} : { tools: advertised }),
  };
}

/** The answer that a value holds, as at most one message: calls that stand in several items belong together. */
export function answerIn(given: unknown): readonly unknown[] {
  const value = unpacked(given);
  if (typeof value === "string") return value === "" ? [] : [{ role: "assistant", content: value }];
  return oneAnswer(messagesOfAnswer(value));
}

/** The items of one answer as one message; further messages are other choices. */
export function oneAnswer(messages: readonly unknown[]): readonly unknown[] {
  const items = messages.filter((item) => withKeptCalls(item) !== item || isCallItem(item));
  const said = messages.find((item) => !items.includes(item));
  if (items.length === 0) return said === undefined ? [] : [said];
  const message: Fields = isFields(said) ? said : { content: null };
  const calls = [message, ...items.map((item) => withKeptCalls(item))].flatMap(callsOf);
  return [{ ...message, role: "assistant", tool_calls: calls }];
}

function messagesOfAnswer(value: unknown): readonly unknown[] {
  const generated = generationOf(value);
  if (generated !== value) return messagesOfAnswer(generated);
  if (Array.isArray(value)) {
    const calls = value.filter(
      (item) => isFields(item) && textField(item, "toolName") !== undefined,
    );
    if (calls.length > 0) {
      return [{ role: "assistant", content: null, tool_calls: calls }];
    }
    return value.filter(looksLikeMessage);
  }
  if (looksLikeMessage(value)) return [value];
  const part = partOf(value);
  if (part !== undefined) return part.messages;
  // The answer of Google's API for one candidate.
  const content = isFields(value) ? value["content"] : undefined;
  return looksLikeMessage(content) ? [content] : [];
}

/** The calls of one message or item, in the form of a chat message. */
function callsOf(message: unknown): readonly unknown[] {
  if (!isFields(message)) return [];
  if (Array.isArray(message["tool_calls"])) return message["tool_calls"];
  if (!isCallItem(message)) return [];
  const { name, arguments: given } = message;
  return [{ id: message["call_id"] ?? message["id"], function: { name, arguments: given } }];
}

function isCallItem(item: unknown): boolean {
  return isFields(item) && item["type"] === "function_call";
}

/** Messages and, among them, tools that frameworks list as if they were messages. */
function sorted(list: readonly unknown[]): WholeRequest {
  const messages: unknown[] = [];
  const tools: unknown[] = [];
  for (const item of list) {
    const tool = advertisedIn(item);
    if (tool === undefined) messages.push(ofNamedTool(item));
    else tools.push(tool);
  }
  return { messages, ...(tools.length === 0 ? {} : { tools }) };
}

/** The definition of a tool in a message of the role `tool`, as callbacks of LangChain hand them on. */
function advertisedIn(item: unknown): unknown {
  if (!isFields(item) || item["role"] !== "tool") return undefined;
  const content = unpacked(item["content"]);
  if (!isFields(content) || content["type"] !== "function") return undefined;
  const { function: inner } = content;
  return isFields(inner) && inner["arguments"] === undefined && inner["name"] !== undefined
    ? content
    : undefined;
}

/** A message whose role is the name of a tool is that tool's result. */
function ofNamedTool(item: unknown): unknown {
  const role = textField(item, "role");
  if (!isFields(item) || role === undefined || isKnownRole(role)) return item;
  return { ...item, role: "tool", name: role };
}

/** Calls that a framework keeps beside a message, or as JSON in its text, where chat messages have them. */
export function withKeptCalls(item: unknown): unknown {
  if (!isFields(item) || hasCalls(item)) return item;
  const { additional_kwargs: more, content } = item;
  if (isFields(more) && hasCalls(more)) return { ...item, tool_calls: more["tool_calls"] };
  const listed =
    typeof content === "string" && content.startsWith("[{") ? unpacked(content) : content;
  const isCalls =
    Array.isArray(listed) &&
    listed.length > 0 &&
    listed.every((call) => isFields(call) && isCall(call["function"]));
  return isCalls ? { ...item, role: "assistant", content: null, tool_calls: listed } : item;
}

function hasCalls(fields: Fields): boolean {
  return Array.isArray(fields["tool_calls"]) && fields["tool_calls"].length > 0;
}

function isCall(value: unknown): boolean {
  return isFields(value) && textField(value, "name") !== undefined && "arguments" in value;
}
