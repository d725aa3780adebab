/** Reads whole replies of the messages surface, and what its stream has in common with them. */

import { type JsonObject, toList, toObject, toText } from "../../wire/json-values.ts";
import { type ReasoningState, unsealState } from "../reasoning-state.ts";
import { readMessagesTier, readMessagesUsage } from "./messages-usage.ts";
import { invalidReply, readProviderError, replyName, replyText } from "./reply-fault.ts";
import type { ReplyBlock, ReplyEvent, ReplyStop } from "./reply-event.ts";

/** A content block: what it is, what it says from the start, and its state. */
export interface MessagesBlock {
  readonly block: ReplyBlock;
  readonly text: string;
  readonly state: ReasoningState | undefined;
}

/** Throws `provider_response_invalid` for blocks of hosted tools: none was asked for. */
export function readMessagesBlock(value: unknown): MessagesBlock {
  const block = toObject(value);
  switch (block?.["type"]) {
    case "text":
      return {
        block: { kind: "text" },
        text: replyText(block["text"], "a text"),
        state: undefined,
      };
    case "thinking": {
      const text = replyText(block["thinking"], "thinking");
      return {
        block: { kind: "reasoning" },
        text,
        state: signatureState(toText(block["signature"]) ?? ""),
      };
    }
    case "redacted_thinking": {
      const redacted = replyText(block["data"], "redacted thinking");
      return {
        block: { kind: "reasoning" },
        text: "",
        state: unsealState(redacted) ?? { origin: "messages", fields: { redacted } },
      };
    }
    case "tool_use":
      return {
        block: {
          kind: "tool-call",
          id: replyName(block["id"], "the id of a tool call"),
          name: replyName(block["name"], "the name of a called tool"),
          custom: false,
        },
        text: readInput(block["input"]),
        state: undefined,
      };
    default:
      throw invalidReply("it has a content block that was not asked for");
  }
}

/** The state of thinking that ends with this signature. */
export function signatureState(signature: string): ReasoningState {
  return unsealState(signature) ?? { origin: "messages", fields: { signature } };
}

function readInput(value: unknown): string {
  const input = toObject(value);
  if (input === undefined) throw invalidReply("the input of a tool call is no object");
  return JSON.stringify(input);
}

/** Why the model stopped; undefined while it goes on. */
export function readMessagesStop(place: JsonObject): ReplyStop | undefined {
  const reason: unknown = place["stop_reason"];
  switch (reason) {
    case undefined:
    case null:
      return undefined;
    case "end_turn":
      return { kind: "done" };
    case "max_tokens":
      return { kind: "length" };
    case "model_context_window_exceeded":
      return { kind: "context-length" };
    case "tool_use":
      return { kind: "tool-calls" };
    case "stop_sequence": {
      const sequence = toText(place["stop_sequence"]);
      return sequence === undefined ? { kind: "done" } : { kind: "stop-sequence", sequence };
    }
    case "refusal":
      return {
        kind: "filtered",
        explanation: toText(toObject(place["stop_details"])?.["explanation"]),
      };
    default:
      throw invalidReply("it stopped for a reason that cannot be carried");
  }
}

/** The events of a whole reply. */
export function readMessagesReply(reply: JsonObject): ReplyEvent[] {
  if (reply["type"] === "error")
    return [{ kind: "error", error: readProviderError(reply["error"]) }];
  const content = toList(reply["content"]);
  if (content === undefined) throw invalidReply("it has no content");
  const stop = readMessagesStop(reply);
  if (stop === undefined) throw invalidReply("it has no stop reason");
  const usage = readMessagesUsage(reply["usage"]);
  const serviceTier = readMessagesTier(reply["usage"]);
  return [
    { kind: "start", id: toText(reply["id"]) ?? "", model: toText(reply["model"]) ?? "", usage },
    ...content.flatMap((value): ReplyEvent[] => {
      const { block, text, state } = readMessagesBlock(value);
      return [
        { kind: "block-start", block },
        ...(text === "" ? [] : [{ kind: "delta" as const, text }]),
        { kind: "block-end", state },
      ];
    }),
    { kind: "end", stop, usage, serviceTier },
  ];
}
