/** Reads recorded streams of models: events of chat completions, of messages, and of responses. */

import { type Fields, isFields } from "../../model/fields.ts";
import { parseForeignJson } from "../../text/foreign-json.ts";
import { textField } from "./fields.ts";

/** Content blocks and calls of one answer that are put together. */
const partCountMax = 1_000;

/** Whether a text is a stream of server-sent events of a model. */
export function looksLikeEventStream(head: string): boolean {
  return (
    /^\s*(?:(?:(?:event|id)?:[^\n]*)?\r?\n)*data:\s*\{/.test(head) &&
    /"(?:chat\.completion\.chunk|message_start|content_block_start|response\.\w[\w.]*|candidates|choices)"/.test(
      head,
    )
  );
}

/** Whether a value is one event of such a stream. */
export function isStreamEvent(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { object, type } = value;
  return object === "chat.completion.chunk" || type === "message_start";
}

/** The values of the events in a stream's text. */
export function eventsOf(text: string): unknown[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const data = /^\s*data:(.*)$/.exec(line)?.[1]?.trim();
    if (data === undefined || data === "" || data === "[DONE]") return [];
    try {
      return [parseForeignJson(data)];
    } catch {
      // A stream that broke off ends within an event.
      return [];
    }
  });
}

/** The message that the events make, or `undefined` when they make none. */
export function messageOfEvents(events: readonly unknown[]): unknown {
  const finished = events.findLast((event) => isFields(event) && isFields(event["response"]));
  if (isFields(finished)) return finished["response"];
  const fields = events.filter(isFields);
  if (fields.some((event) => Array.isArray(event["candidates"])))
    return messageOfCandidates(fields);
  return fields.some((event) => textField(event, "type")?.startsWith("content_block") === true)
    ? messageOfBlocks(fields)
    : messageOfChunks(fields);
}

interface Piece {
  id?: string;
  name: string;
  given: string;
}

/** Gemini streams whole parts: what each event adds stands behind what came before. */
function messageOfCandidates(events: readonly Fields[]): unknown {
  const parts: unknown[] = [];
  for (const { candidates } of events) {
    const first: unknown = Array.isArray(candidates) ? candidates[0] : undefined;
    const content = isFields(first) ? first["content"] : undefined;
    const added = isFields(content) && Array.isArray(content["parts"]) ? content["parts"] : [];
    for (const part of added as unknown[]) if (parts.length < partCountMax) parts.push(part);
  }
  return parts.length === 0 ? undefined : { role: "model", parts: joinedTexts(parts) };
}

/** A text that came in pieces is one text. */
function joinedTexts(parts: readonly unknown[]): unknown[] {
  const joined: unknown[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    const text = textField(part, "text");
    const before = textField(last, "text");
    const isThought = isFields(part) && part["thought"] === true;
    if (text !== undefined && before !== undefined && !isThought) {
      joined[joined.length - 1] = { text: before + text };
    } else if (!isThought) joined.push(part);
  }
  return joined;
}

function messageOfChunks(events: readonly Fields[]): unknown {
  let content = "";
  const pieces = new Map<number, Piece>();
  for (const event of events) {
    const { choices } = event;
    const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
    // Of several answers to one request the first is read, as it is without a stream.
    if (!isFields(choice) || (typeof choice["index"] === "number" && choice["index"] > 0)) continue;
    const { delta } = choice;
    if (!isFields(delta)) continue;
    content += textField(delta, "content") ?? "";
    const calls = delta["tool_calls"];
    for (const call of Array.isArray(calls) ? (calls as unknown[]) : []) {
      const index = isFields(call) && typeof call["index"] === "number" ? call["index"] : 0;
      if (!isFields(call) || (pieces.size >= partCountMax && !pieces.has(index))) continue;
      const piece = pieces.get(index) ?? { name: "", given: "" };
      pieces.set(index, piece);
      const id = textField(call, "id");
      if (id !== undefined) piece.id = id;
      piece.name += textField(call["function"], "name") ?? "";
      piece.given += textField(call["function"], "arguments") ?? "";
    }
  }
  if (content === "" && pieces.size === 0) return undefined;
  return {
    role: "assistant",
    content,
    tool_calls: [...pieces.values()].map(({ id, name, given }) => ({
      ...(id === undefined ? {} : { id }),
      type: "function",
      function: { name, arguments: given },
    })),
  };
}

function messageOfBlocks(events: readonly Fields[]): unknown {
  const blocks = new Map<unknown, { readonly block: Fields; text: string; given: string }>();
  for (const event of events) {
    const { index, type, content_block: block, delta } = event;
    if (type === "content_block_start" && isFields(block) && blocks.size < partCountMax) {
      blocks.set(index, { block, text: textField(block, "text") ?? "", given: "" });
    }
    const open = blocks.get(index);
    if (open === undefined || !isFields(delta)) continue;
    open.text += textField(delta, "text") ?? "";
    open.given += textField(delta, "partial_json") ?? "";
  }
  if (blocks.size === 0) return undefined;
  const content = [...blocks.values()].map(({ block, text, given }) =>
    block["type"] === "text"
      ? { type: "text", text }
      : { ...block, input: given === "" ? block["input"] : given },
  );
  return { role: "assistant", content };
}
