/** Reads replies of chat completions: what is common to the whole and the streamed form. */

import { type JsonObject, toList, toObject, toText } from "../../wire/json-values.ts";
import type { ReasoningState } from "../reasoning-state.ts";
import { readChatReasoning } from "../requests/chat-reasoning.ts";
import { readChatUsage } from "./chat-usage.ts";
import { invalidReply, readProviderError, replyName, replyText } from "./reply-fault.ts";
import type { ReplyBlock, ReplyEvent, ReplyStop } from "./reply-event.ts";

/** Marks reasoning that a chat provider sent without a state: it alone can read it back. */
export const chatReasoningState: ReasoningState = { origin: "chat", fields: {} };

/** The first choice, which is the only one. Throws `provider_response_invalid` for others. */
export function onlyChoice(reply: JsonObject): JsonObject | undefined {
  const choices = toList(reply["choices"]);
  if (choices === undefined) throw invalidReply("it has no choices");
  if (choices.length > 1) throw invalidReply("it has more than one choice");
  if (choices.length === 0) return undefined;
  const choice = toObject(choices[0]);
  if (choice === undefined || (choice["index"] ?? 0) !== 0)
    throw invalidReply("its choice is not the first one");
  return choice;
}

/** Why the model stopped; undefined while it goes on. */
export function readChatStop(choice: JsonObject, callsTools: boolean): ReplyStop | undefined {
  const { finish_reason: reason, stop_reason: sequence } = choice;
  switch (reason) {
    case undefined:
    case null:
    // Some servers say "" while the model goes on.
    case "":
      return undefined;
    case "length":
      return { kind: "length" };
    case "content_filter":
      return { kind: "filtered", explanation: undefined };
    case "tool_calls":
    case "function_call":
      return { kind: "tool-calls" };
    default:
      // A call that the request forced ends with "stop"; for a caller of another surface it is a call all the same.
      if (callsTools) return { kind: "tool-calls" };
      // vLLM and its kin name the sequence that matched.
      return typeof sequence === "string" && sequence !== ""
        ? { kind: "stop-sequence", sequence }
        : { kind: "done" };
  }
}

/** The block of a tool call, and the part of its input that came with it. */
export function readChatCall(
  call: JsonObject,
  fallbackId: string,
): { readonly block: Extract<ReplyBlock, { kind: "tool-call" }>; readonly input: string } {
  const custom = toObject(call["custom"]);
  const called = custom ?? toObject(call["function"]);
  const id = toText(call["id"]) ?? "";
  return {
    block: {
      kind: "tool-call",
      id: id === "" ? fallbackId : replyName(id, "the id of a tool call"),
      name: replyName(called?.["name"], "the name of a called tool"),
      custom: custom !== undefined,
    },
    input: readChatInput(call),
  };
}

/** The input of a tool call, or the next part of it. */
export function readChatInput(call: JsonObject): string {
  const custom = toObject(call["custom"]);
  if (custom !== undefined) return replyText(custom["input"], "the input of a tool call");
  const called = toObject(call["function"]);
  const input = called?.["arguments"];
  // Some servers send the arguments as an object.
  return toObject(input) === undefined
    ? replyText(input, "the arguments of a tool call")
    : JSON.stringify(input);
}

/** The events of a whole reply. */
export function readChatReply(reply: JsonObject): ReplyEvent[] {
  if (toObject(reply["error"]) !== undefined) {
    return [{ kind: "error", error: readProviderError(reply["error"]) }];
  }
  const choice = onlyChoice(reply);
  const message = toObject(choice?.["message"]);
  if (choice === undefined || message === undefined) throw invalidReply("it has no message");
  const id = toText(reply["id"]) ?? "";
  const usage = readChatUsage(reply["usage"]);
  const calls = toList(message["tool_calls"] ?? []);
  if (calls === undefined) throw invalidReply("its tool calls are no list");
  const stop = readChatStop(choice, calls.length > 0);
  if (stop === undefined) throw invalidReply("it has no finish reason");
  return [
    { kind: "start", id, model: toText(reply["model"]) ?? "", usage },
    ...readChatReasoning(message, "").flatMap(({ text, state }) =>
      block({ kind: "reasoning" }, text, state),
    ),
    ...textBlock("text", message["content"]),
    ...textBlock("refusal", message["refusal"]),
    ...calls.flatMap((value, index) => {
      const call = readChatCall(toObject(value) ?? {}, `call_${index}`);
      return block(call.block, call.input);
    }),
    { kind: "end", stop, usage, serviceTier: toText(reply["service_tier"]) },
  ];
}

function textBlock(kind: "text" | "refusal", value: unknown): ReplyEvent[] {
  const text = replyText(value, "its content");
  return text === "" ? [] : block({ kind }, text);
}

function block(block: ReplyBlock, text: string, state?: ReasoningState): ReplyEvent[] {
  return [
    { kind: "block-start", block },
    ...(text === "" ? [] : [{ kind: "delta" as const, text }]),
    { kind: "block-end", state },
  ];
}
