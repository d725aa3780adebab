/** Writes whole replies of the messages surface. */

import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { compact, parseJson } from "../json-document.ts";
import { type ReasoningState, sealState } from "../reasoning-state.ts";
import { JsonBalance } from "./json-balance.ts";
import { writeMessagesUsage } from "./messages-usage.ts";
import { invalidReply } from "./reply-fault.ts";
import type { TranslationContext } from "./reply-context.ts";
import type { ReplyStop } from "./reply-event.ts";
import type { WholeBlock, WholeReply } from "./whole-reply.ts";

export function writeMessagesReply(
  { start, blocks, end }: WholeReply,
  context: TranslationContext,
): JsonObject {
  const refused = blocks.some(({ block }) => block.kind === "refusal");
  return {
    ...messagesEnvelope(start, context),
    content: blocks.flatMap((block) => (isCutCall(block, end.stop) ? [] : writeBlock(block))),
    ...writeMessagesStop(end.stop, refused),
    usage: writeMessagesUsage(end.usage, end.serviceTier),
  };
}

/** The fields that a whole reply and the start of a stream share. */
export function messagesEnvelope(
  { id, model }: WholeReply["start"],
  context: TranslationContext,
): JsonObject {
  return {
    id: id === "" ? `msg_${context.createdSeconds}` : id,
    type: "message",
    role: "assistant",
    model,
  };
}

function writeBlock({ block, text, state }: WholeBlock): JsonObject[] {
  switch (block.kind) {
    case "text":
    case "refusal":
      return [{ type: "text", text }];
    case "reasoning": {
      const spelled = spellThinking(text, state);
      if (spelled === undefined) return [];
      return spelled.kind === "redacted"
        ? [{ type: "redacted_thinking", data: spelled.data }]
        : [{ type: "thinking", thinking: text, signature: spelled.signature }];
    }
    case "tool-call":
      if (block.custom) throw invalidReply("it calls a tool of free text, and none was offered");
      return [{ type: "tool_use", id: block.id, name: block.name, input: readInput(text) }];
  }
}

/** A call in whose arguments the model was stopped is none: only a stream has room for half of one. */
function isCutCall({ block, text }: WholeBlock, { kind }: ReplyStop): boolean {
  if (block.kind !== "tool-call") return false;
  if (kind !== "length" && kind !== "context-length" && kind !== "filtered") return false;
  const balance = new JsonBalance();
  balance.write(text);
  return !balance.whole;
}

function readInput(text: string): JsonObject {
  if (text.trim() === "") return {};
  try {
    const input = toObject(parseJson(text));
    if (input !== undefined) return input;
  } catch (error) {
    throw invalidReply("the arguments of a tool call are not JSON", error);
  }
  throw invalidReply("the arguments of a tool call are no JSON object");
}

/** How reasoning is spelled: foreign state is sealed; without text it is redacted thinking, and without both nothing. */
export function spellThinking(
  text: string,
  state: ReasoningState | undefined,
):
  | { readonly kind: "thinking"; readonly signature: string }
  | { readonly kind: "redacted"; readonly data: string }
  | undefined {
  const { signature, redacted } = state?.origin === "messages" ? state.fields : {};
  if (redacted !== undefined) return { kind: "redacted", data: redacted };
  if (signature !== undefined) return { kind: "thinking", signature };
  if (text !== "")
    return { kind: "thinking", signature: state === undefined ? "" : sealState(state) };
  if (state === undefined || Object.keys(state.fields).length === 0) return undefined;
  return { kind: "redacted", data: sealState(state) };
}

/** The fields that say why the model stopped. A refusal in words is a refusal here, whatever ended it. */
export function writeMessagesStop(stop: ReplyStop, refused: boolean): JsonObject {
  const reason = refused && stop.kind === "done" ? "refusal" : writeReason(stop);
  const explanation = stop.kind === "filtered" ? (stop.explanation ?? null) : null;
  return compact({
    stop_reason: reason,
    stop_sequence: stop.kind === "stop-sequence" ? stop.sequence : null,
    stop_details:
      reason === "refusal" ? { type: "refusal", category: null, explanation } : undefined,
  });
}

function writeReason(stop: ReplyStop): string {
  switch (stop.kind) {
    case "done":
      return "end_turn";
    case "stop-sequence":
      return "stop_sequence";
    case "length":
      return "max_tokens";
    case "context-length":
      return "model_context_window_exceeded";
    case "tool-calls":
      return "tool_use";
    case "filtered":
      return "refusal";
  }
}
