/** Token counts as messages spells them: its `input_tokens` leave out what was read from and written to the cache. */

import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { compact, toCount } from "../json-document.ts";
import type { ReplyUsage } from "./reply-event.ts";

/**
 * Counts of later events replace earlier ones, field by field: `message_delta` repeats only some. Some providers report
 * their input at the start, and 0 at the end.
 */
export function readMessagesUsage(value: unknown, before?: ReplyUsage): ReplyUsage | undefined {
  const usage = toObject(value);
  if (usage === undefined) return before;
  const read = inputCount(usage["cache_read_input_tokens"]) ?? before?.cacheReadTokens ?? 0;
  const written = inputCount(usage["cache_creation_input_tokens"]) ?? before?.cacheWriteTokens ?? 0;
  const freshBefore =
    before === undefined
      ? 0
      : before.inputTokens - before.cacheReadTokens - before.cacheWriteTokens;
  const thinking = toCount(toObject(usage["output_tokens_details"])?.["thinking_tokens"]);
  return {
    inputTokens: (inputCount(usage["input_tokens"]) ?? freshBefore) + read + written,
    cacheReadTokens: read,
    cacheWriteTokens: written,
    outputTokens: toCount(usage["output_tokens"]) ?? before?.outputTokens ?? 0,
    reasoningTokens: thinking ?? before?.reasoningTokens ?? 0,
  };
}

function inputCount(value: unknown): number | undefined {
  const count = toCount(value);
  return count === 0 ? undefined : count;
}

/** The object `usage`; counts that are not known yet are 0 and come at the end of the stream. */
export function writeMessagesUsage(
  usage: ReplyUsage | undefined,
  serviceTier?: string,
): JsonObject {
  const { inputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage ?? {};
  return compact({
    input_tokens: Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cacheReadTokens,
    output_tokens: usage?.outputTokens ?? 0,
    output_tokens_details:
      usage === undefined || usage.reasoningTokens === 0
        ? undefined
        : { thinking_tokens: usage.reasoningTokens },
    service_tier:
      serviceTier === "default" ? "standard" : serviceTier === "priority" ? serviceTier : undefined,
  });
}

/** The tier in OpenAI's words, where there is one. */
export function readMessagesTier(value: unknown): string | undefined {
  const tier = toObject(value)?.["service_tier"];
  return tier === "standard" ? "default" : tier === "priority" ? tier : undefined;
}
