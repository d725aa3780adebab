/** Token counts as chat completions spells them. */

import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { toCount } from "../json-document.ts";
import type { ReplyUsage } from "./reply-event.ts";

/** Absent when the provider says nothing. */
export function readChatUsage(value: unknown): ReplyUsage | undefined {
  const usage = toObject(value);
  if (usage === undefined) return undefined;
  const input = toObject(usage["prompt_tokens_details"]);
  const output = toObject(usage["completion_tokens_details"]);
  return {
    inputTokens: toCount(usage["prompt_tokens"]) ?? 0,
    cacheReadTokens: toCount(input?.["cached_tokens"]) ?? 0,
    cacheWriteTokens: toCount(input?.["cache_write_tokens"]) ?? 0,
    outputTokens: toCount(usage["completion_tokens"]) ?? 0,
    reasoningTokens: toCount(output?.["reasoning_tokens"]) ?? 0,
  };
}

/** The object `usage`. */
export function writeChatUsage(usage: ReplyUsage): JsonObject {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWriteTokens,
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}
