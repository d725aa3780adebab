/** Where a call's rates stand, and the headers that say so in the forms of both dialects. */

import type { LayerLimits } from "#config/index.ts";

import type { LimitDimension } from "./layer.ts";
import { unitsPerMs } from "./lease-bounds.ts";
import type { LimitRefusal } from "./limit-refusal.ts";

/** One rate: what a minute allows, what is left now, and when all of it will be there again. */
export interface Rate {
  readonly limit: number;
  readonly left: number;
  readonly resetMs: number;
}

/** The tightest layer of each rate; `undefined` where no layer limits it. */
export interface RateStanding {
  readonly requests: Rate | undefined;
  readonly tokens: Rate | undefined;
}

interface Rated {
  readonly limits: LayerLimits;
  left(dimension: Exclude<LimitDimension, "concurrency">, nowMs: number): number;
}

/** The rates of which the smallest share is left. */
export function tightest(slices: readonly Rated[], nowMs: number): RateStanding {
  let requests: Rate | undefined;
  let tokens: Rate | undefined;
  for (const slice of slices) {
    const { requestsPerMinute, tokensPerMinute } = slice.limits;
    if (requestsPerMinute !== undefined) {
      requests = tighter(requests, toRate(requestsPerMinute, slice.left("requests", nowMs)));
    }
    if (tokensPerMinute !== undefined) {
      tokens = tighter(tokens, toRate(tokensPerMinute, slice.left("tokens", nowMs)));
    }
  }
  return { requests, tokens };
}

/** The standing of a call that was refused. */
export function standingOf(refusal: LimitRefusal): RateStanding {
  const { dimension, scope, limit, left } = refusal;
  const rate = scope === "failed-keys" ? undefined : toRate(limit, left);
  return {
    requests: dimension === "requests" ? rate : undefined,
    tokens: dimension === "tokens" ? rate : undefined,
  };
}

/** Of two standings the tighter one, rate by rate. */
export function tighterStanding(one: RateStanding, other: RateStanding): RateStanding {
  return {
    requests: other.requests === undefined ? one.requests : tighter(one.requests, other.requests),
    tokens: other.tokens === undefined ? one.tokens : tighter(one.tokens, other.tokens),
  };
}

export type RateHeaders = Record<string, string>;

/** `x-ratelimit-…`, with the time of reset as a duration such as `6m0s`. */
export function openaiRateHeaders({ requests, tokens }: RateStanding): RateHeaders {
  const headers: RateHeaders = {};
  if (requests !== undefined) addOpenai(headers, "requests", requests);
  if (tokens !== undefined) addOpenai(headers, "tokens", tokens);
  return headers;
}

/** `anthropic-ratelimit-…`, with the time of reset as RFC 3339 has it. */
export function anthropicRateHeaders(
  { requests, tokens }: RateStanding,
  nowMs: number,
): RateHeaders {
  const headers: RateHeaders = {};
  if (requests !== undefined) addAnthropic(headers, { name: "requests", rate: requests, nowMs });
  if (tokens !== undefined) addAnthropic(headers, { name: "tokens", rate: tokens, nowMs });
  return headers;
}

/** A duration as OpenAI writes it: `17ms`, `1.5s`, `6m0s`, `1h0m0s`. */
export function formatReset(durationMs: number): string {
  const ms = Math.ceil(durationMs);
  if (ms < 1_000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1_000;
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}

/** Made once: every reply has them. */
const openaiNames = { requests: namesOf("requests"), tokens: namesOf("tokens") };

function namesOf(name: string): { limit: string; left: string; reset: string } {
  return {
    limit: `x-ratelimit-limit-${name}`,
    left: `x-ratelimit-remaining-${name}`,
    reset: `x-ratelimit-reset-${name}`,
  };
}

function addOpenai(
  headers: RateHeaders,
  name: keyof typeof openaiNames,
  { limit, left, resetMs }: Rate,
): void {
  const names = openaiNames[name];
  headers[names.limit] = String(limit);
  headers[names.left] = String(left);
  headers[names.reset] = formatReset(resetMs);
}

function addAnthropic(
  headers: RateHeaders,
  { name, rate, nowMs }: { name: string; rate: Rate; nowMs: number },
): void {
  headers[`anthropic-ratelimit-${name}-limit`] = String(rate.limit);
  headers[`anthropic-ratelimit-${name}-remaining`] = String(rate.left);
  const resetAt = new Date(Math.ceil((nowMs + rate.resetMs) / 1_000) * 1_000);
  headers[`anthropic-ratelimit-${name}-reset`] = resetAt.toISOString().replace(".000", "");
}

function toRate(limit: number, left: number): Rate {
  return { limit, left, resetMs: (limit - left) / unitsPerMs(limit) };
}

function tighter(known: Rate | undefined, next: Rate): Rate {
  return known === undefined || next.left / next.limit < known.left / known.limit ? next : known;
}
