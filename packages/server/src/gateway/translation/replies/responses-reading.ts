/** Reads whole replies of the responses surface, and what its stream has in common with them. */

import { type JsonObject, toList, toObject, toText } from "../../wire/json-values.ts";
import { reasoningSeparator } from "../reasoning-state.ts";
import { reasoningState, reasoningTexts } from "../requests/responses-items.ts";
import { invalidReply, readProviderError, replyName, replyText } from "./reply-fault.ts";
import type { ReplyBlock, ReplyEvent, ReplyStop } from "./reply-event.ts";
import { readResponsesUsage } from "./responses-usage.ts";
import type { WholeBlock } from "./whole-reply.ts";

/** The blocks of one item of the output. Throws `provider_response_invalid` for items that were not asked for. */
export function readOutputItem(value: unknown): WholeBlock[] {
  const item = toObject(value);
  switch (item?.["type"]) {
    case "message": {
      const content = toList(item["content"]);
      if (content === undefined) throw invalidReply("a message has no content");
      return content.map((part) => readPart(toObject(part)));
    }
    case "reasoning": {
      const state = reasoningState(toText(item["id"]), toText(item["encrypted_content"]));
      return [
        {
          block: { kind: "reasoning" },
          text: reasoningTexts(item).join(reasoningSeparator),
          state,
        },
      ];
    }
    case "function_call":
    case "custom_tool_call":
      return [{ block: readCallItem(item), text: readCallInput(item), state: undefined }];
    default:
      throw invalidReply("it has an item that was not asked for");
  }
}

function readPart(part: JsonObject | undefined): WholeBlock {
  switch (part?.["type"]) {
    case "output_text":
      return { block: { kind: "text" }, text: replyText(part["text"], "a text"), state: undefined };
    case "refusal":
      return {
        block: { kind: "refusal" },
        text: replyText(part["refusal"], "a refusal"),
        state: undefined,
      };
    default:
      throw invalidReply("a message has a part of an unknown kind");
  }
}

/** The block of a tool call. */
export function readCallItem(item: JsonObject): Extract<ReplyBlock, { kind: "tool-call" }> {
  return {
    kind: "tool-call",
    id: replyName(item["call_id"], "the id of a tool call"),
    name: replyName(item["name"], "the name of a called tool"),
    custom: item["type"] === "custom_tool_call",
  };
}

/** The arguments, or the free text. */
export function readCallInput(item: JsonObject): string {
  const custom = item["type"] === "custom_tool_call";
  return replyText(item[custom ? "input" : "arguments"], "the input of a tool call");
}

/** Why the model stopped. Throws `provider_response_invalid` for a response that is not at its end. */
export function readResponsesStop(response: JsonObject, callsTools: boolean): ReplyStop {
  switch (response["status"]) {
    // Some servers leave the status out.
    case undefined:
    case "completed":
      return { kind: callsTools ? "tool-calls" : "done" };
    case "incomplete": {
      const reason = toObject(response["incomplete_details"])?.["reason"];
      return reason === "content_filter"
        ? { kind: "filtered", explanation: undefined }
        : { kind: "length" };
    }
    default:
      throw invalidReply("it is not at its end");
  }
}

/** The events of a whole reply. */
export function readResponsesReply(response: JsonObject): ReplyEvent[] {
  const error = response["error"];
  if (error !== undefined && error !== null) {
    return [{ kind: "error", error: readProviderError(error) }];
  }
  const output = toList(response["output"]);
  if (output === undefined) throw invalidReply("it has no output");
  const blocks = output.flatMap(readOutputItem);
  const usage = readResponsesUsage(response["usage"]);
  const stop = readResponsesStop(
    response,
    blocks.some(({ block }) => block.kind === "tool-call"),
  );
  return [
    {
      kind: "start",
      id: toText(response["id"]) ?? "",
      model: toText(response["model"]) ?? "",
      usage,
    },
    ...blocks.flatMap(({ block, text, state }): ReplyEvent[] => [
      { kind: "block-start", block },
      ...(text === "" ? [] : [{ kind: "delta" as const, text }]),
      { kind: "block-end", state },
    ]),
    { kind: "end", stop, usage, serviceTier: toText(response["service_tier"]) },
  ];
}
