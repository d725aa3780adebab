/**
 * Reasoning in chat messages. The surface has no field of its own for it; servers agreed on `reasoning_content` (or
 * `reasoning`) for the text, and on `reasoning_details` for the state that another surface's provider wants back.
 */

import type { AssistantPart } from "../conversation.ts";
import { type JsonObject, toList, toObject, toText } from "../../wire/json-values.ts";
import type { ReasoningState } from "../reasoning-state.ts";

const formats = { messages: "anthropic-claude-v1", responses: "openai-responses-v1" } as const;

type Reasoning = Extract<AssistantPart, { kind: "reasoning" }>;

/** The reasoning of a message that a caller sends back. */
export function readChatReasoning(message: JsonObject, at: string): Reasoning[] {
  const details = toList(message["reasoning_details"]);
  if (details !== undefined && details.length > 0) {
    return details.flatMap((detail, index) =>
      readDetail(detail, `${at}/reasoning_details/${index}`),
    );
  }
  const text = toText(message["reasoning_content"]) ?? toText(message["reasoning"]) ?? "";
  if (text === "") return [];
  return [
    {
      kind: "reasoning",
      text,
      state: { origin: "chat", fields: {} },
      at: `${at}/reasoning_content`,
    },
  ];
}

function readDetail(value: unknown, at: string): Reasoning[] {
  const detail = toObject(value);
  if (detail === undefined) return [];
  const text = toText(detail["text"]) ?? toText(detail["summary"]) ?? "";
  const state = readState(detail);
  return [{ kind: "reasoning", text, state, at }];
}

function readState(detail: JsonObject): ReasoningState {
  const signature = toText(detail["signature"]);
  const data = toText(detail["data"]);
  const id = toText(detail["id"]);
  if (detail["format"] === formats.messages) {
    if (signature !== undefined) return { origin: "messages", fields: { signature } };
    if (data !== undefined) return { origin: "messages", fields: { redacted: data } };
  }
  if (detail["format"] === formats.responses && data !== undefined && id !== undefined) {
    return { origin: "responses", fields: { id, encrypted: data } };
  }
  return { origin: "chat", fields: {} };
}

/** The entry of `reasoning_details` for reasoning with a state; undefined when the text says all. */
export function writeReasoningDetail(
  text: string,
  state: ReasoningState | undefined,
  index: number,
): JsonObject | undefined {
  const { signature, redacted, id, encrypted } = state?.fields ?? {};
  const place = { format: formats.messages, index };
  if (signature !== undefined) return { type: "reasoning.text", text, signature, ...place };
  if (redacted !== undefined) return { type: "reasoning.encrypted", data: redacted, ...place };
  if (id === undefined || encrypted === undefined) return undefined;
  const format = formats.responses;
  return { type: "reasoning.encrypted", summary: text, data: encrypted, id, format, index };
}
