/** The limit of output tokens of a call that pays: its bound before it is made, and the splices that set another one. */

import { parseForeignJson } from "@faultline/contracts/json";

import type { TokenLimitField } from "#config/index.ts";

import type { Place, RequestFacts } from "../calls/request-reader.ts";
import type { Surface } from "../calls/surface.ts";
import type { Splice } from "../wire/splice.ts";
import { creditLimits } from "./limits.ts";

/** What a call may use at most. */
export interface TokenBounds {
  readonly inputTokens: number;
  /** Of all replies together. */
  readonly outputTokens: number;
  /** Replies that are asked for at once; the limit is that of each. */
  readonly replyCount: number;
  /** Set when the request names no limit, and must be given one. */
  readonly missingLimit: number | undefined;
}

/**
 * Bounds that hold for every tokenizer: none makes more tokens of a text than it has bytes, and the syntax of a request is longer
 * than what a provider puts around its messages. What a body only refers to, such as a file by its id, cannot be bounded.
 */
export function tokenBounds(surface: Surface, body: Buffer, facts: RequestFacts): TokenBounds {
  const inputTokens = body.length + facts.imageCount * creditLimits.imageTokensMax;
  if (surface.name === "embeddings")
    return { inputTokens, outputTokens: 0, replyCount: 1, missingLimit: undefined };
  const replyCount = choiceCountOf(facts) * promptCountOf(surface, body, facts);
  const named = limitOf(facts);
  const limit = named ?? creditLimits.outputTokensDefault;
  const missingLimit = named === undefined ? limit : undefined;
  return { inputTokens, outputTokens: limit * replyCount, replyCount, missingLimit };
}

/** The splices that make `limit` the limit of a request. */
export function outputLimitSplices(
  facts: Pick<RequestFacts, "places">,
  limit: number,
  request: { readonly surface: Surface; readonly field: TokenLimitField },
): Splice[] {
  const { maxTokens, maxCompletionTokens, root } = facts.places;
  const text = String(limit);
  const known = [maxTokens, maxCompletionTokens].filter((place) => place !== undefined);
  if (known.length > 0) return known.map(({ start, end }) => ({ start, end, text }));
  // The object has a model, so that a comma follows rightly.
  const at = (root?.start ?? 0) + 1;
  return [{ start: at, end: at, text: `"${fieldOf(request)}":${text},` }];
}

function fieldOf({
  surface,
  field,
}: {
  readonly surface: Surface;
  readonly field: TokenLimitField;
}): string {
  if (surface.name === "responses") return "max_output_tokens";
  return surface.name === "chat" ? field : "max_tokens";
}

/** The larger of two, since servers disagree about which counts; below zero some take it for none. */
function limitOf({ places }: RequestFacts): number | undefined {
  const one = numberAt(places.maxTokens);
  const other = numberAt(places.maxCompletionTokens);
  if (one === undefined && other === undefined) return undefined;
  return Math.ceil(Math.max(one ?? 0, other ?? 0));
}

/** Replies to each prompt; a provider may make and charge more of them than it gives back. */
function choiceCountOf({ places }: RequestFacts): number {
  const [given = 1, made = 1] = [numberAt(places.choiceCount), numberAt(places.bestOf)];
  return Math.max(1, Math.ceil(given), Math.ceil(made));
}

function promptCountOf(surface: Surface, body: Buffer, { places }: RequestFacts): number {
  const { messages } = places;
  if (surface.name !== "completions" || messages?.kind !== "array") return 1;
  const { start, end } = messages;
  // The reader has seen that this is JSON.
  const prompts = parseForeignJson(body.toString("utf8", start, end)) as readonly unknown[];
  return typeof prompts[0] === "number" ? 1 : Math.max(1, prompts.length);
}

function numberAt(place: Place | undefined): number | undefined {
  if (place?.kind !== "number" || place.text === undefined) return undefined;
  const value = Number(place.text);
  return value >= 0 && Number.isFinite(value) ? value : undefined;
}
