/** What one exchange with a target used, and what that costs: also one that failed, since its provider was at work. */

import type { Target } from "#catalog/index.ts";

import type { CallPrices } from "./call-prices.ts";
import { expectedInputTokens } from "./expected-tokens.ts";
import { settleUsage, type UsageSource } from "./observed-usage.ts";
import type { ReplyReader, ReplyUsage } from "./reply-reader.ts";
import type { RequestFacts } from "./request-reader.ts";

export interface AttemptUsage {
  readonly usage: ReplyUsage;
  readonly source: UsageSource;
  /** At the price of the target that was asked. */
  readonly costMicros: bigint;
  readonly priceSource: string;
  readonly priceVersion: string;
}

/** Prices what was used, as it is reported or else as it was seen. `isComplete` says that the reply came to its end. */
export function priceAttempt(
  reader: ReplyReader,
  {
    prices,
    target,
    facts,
    isComplete,
  }: {
    readonly prices: CallPrices;
    readonly target: Target;
    readonly facts: RequestFacts;
    readonly isComplete: boolean;
  },
): AttemptUsage {
  const price = prices.require(target.model);
  const inputTokens = reader.usageSeen ? 0 : expectedInputTokens(facts);
  const { usage, source } = settleUsage(reader, { inputTokens, isComplete });
  const { source: priceSource, versionId: priceVersion } = price;
  return { usage, source, costMicros: price.costMicros(usage), priceSource, priceVersion };
}

/** Both together. */
export function addUsage(one: ReplyUsage, other: ReplyUsage): ReplyUsage {
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    cachedInputTokens: one.cachedInputTokens + other.cachedInputTokens,
    cacheWriteInputTokens: one.cacheWriteInputTokens + other.cacheWriteInputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    reasoningTokens: one.reasoningTokens + other.reasoningTokens,
  };
}
