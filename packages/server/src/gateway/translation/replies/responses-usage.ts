/** Token counts as responses spells them. */

import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { toCount } from "../json-document.ts";
import type { ReplyUsage } from "./reply-event.ts";

/** Absent when the provider says nothing. */
export function readResponsesUsage(value: unknown): ReplyUsage | undefined {
  const usage = toObject(value);
  if (usage === undefined) return undefined;
  const input = toObject(usage["input_tokens_details"]);
  const output = toObject(usage["output_tokens_details"]);
  return {
    inputTokens: toCount(usage["input_tokens"]) ?? 0,
    cacheReadTokens: toCount(input?.["cached_tokens"]) ?? 0,
    cacheWriteTokens: toCount(input?.["cache_write_tokens"]) ?? 0,
    outputTokens: toCount(usage["output_tokens"]) ?? 0,
    reasoningTokens: toCount(output?.["reasoning_tokens"]) ?? 0,
  };
}

/** The object `usage`. */
export function writeResponsesUsage(usage: ReplyUsage): JsonObject {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWriteTokens,
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}
