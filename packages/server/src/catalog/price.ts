/** What a model call costs: whole micros (millionths of a US dollar), rounded up. */

export interface Price {
  /** US dollars × 10⁻⁶ per million input tokens. */
  readonly inputMicrosPerMillionTokens: bigint;
  /** For input that the provider read from its cache. */
  readonly cachedInputMicrosPerMillionTokens: bigint;
  readonly outputMicrosPerMillionTokens: bigint;
  /** Where the figure stands: `configuration`, or the page of the price table and its day. */
  readonly source: string;
}

/** Tokens as a provider reports them. Cached input is a part of the input, never beside it. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
}

/** How many tokens a price is for. */
export const tokensPerPrice = 1_000_000n;

/** What tokens cost, in micros times `tokensPerPrice`, so that nothing is rounded yet. */
export function tokenCost(price: Price, usage: TokenUsage): bigint {
  const cached = Math.min(usage.cachedInputTokens, usage.inputTokens);
  return (
    BigInt(usage.inputTokens - cached) * price.inputMicrosPerMillionTokens +
    BigInt(cached) * price.cachedInputMicrosPerMillionTokens +
    BigInt(usage.outputTokens) * price.outputMicrosPerMillionTokens
  );
}

/** The quotient, rounded up: a part of a micro counts as a whole one, so that many small calls are not free. */
export function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}
