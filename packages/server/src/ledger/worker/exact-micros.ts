/**
 * Micros as a worker counts them: whole numbers in doubles, which are exact up to 2^53. Whatever enters is checked against
 * that bound, and sums stay below it, so that no `bigint` is made on the way of a call.
 */

/** A lease and what is counted in it never go beyond this. */
export const exactMicrosMax = 1_000_000_000_000_000;

/** An amount of the ledger as a worker counts it. Throws when it is not exact. */
export function exactMicros(micros: bigint): number {
  if (micros < 0n || micros > BigInt(exactMicrosMax))
    throw new RangeError(`${micros} micros cannot be counted exactly; at most ${exactMicrosMax}.`);
  return Number(micros);
}

const tokensPerPrice = 1_000_000;

/** A price as a worker computes with it, in micros per million tokens. */
export interface TokenPrice {
  readonly inputMicrosPerMillionTokens: number;
  readonly outputMicrosPerMillionTokens: number;
}

/**
 * What so many tokens cost at most, rounded up; `Infinity` where doubles would not be exact. Dividing cannot hide a part of a
 * micro: below 2^53 the quotient is below 2^34, where doubles lie closer together than two millionths, so that a whole number
 * and a millionth is never rounded to the whole number.
 */
export function costBoundMicros(
  price: TokenPrice,
  inputTokens: number,
  outputTokens: number,
): number {
  const total =
    inputTokens * price.inputMicrosPerMillionTokens +
    outputTokens * price.outputMicrosPerMillionTokens;
  if (!(total >= 0 && total <= Number.MAX_SAFE_INTEGER)) return Number.POSITIVE_INFINITY;
  return Math.ceil(total / tokensPerPrice);
}

/** How many output tokens an amount pays for after the input; below zero when not even the input is paid. */
export function outputTokensWithin(
  price: TokenPrice,
  inputTokens: number,
  limitMicros: number,
): number {
  // Beyond this the product would not be exact; nothing that is clamped costs as much.
  const limit = Math.min(limitMicros, Math.floor(Number.MAX_SAFE_INTEGER / tokensPerPrice));
  const left = limit * tokensPerPrice - inputTokens * price.inputMicrosPerMillionTokens;
  if (!(left >= 0)) return -1;
  if (price.outputMicrosPerMillionTokens === 0) return Number.MAX_SAFE_INTEGER;
  const tokens = Math.floor(left / price.outputMicrosPerMillionTokens);
  // The quotient may have been rounded up to a whole number.
  return tokens * price.outputMicrosPerMillionTokens > left ? tokens - 1 : tokens;
}
