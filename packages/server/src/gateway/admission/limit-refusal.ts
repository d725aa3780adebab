/** Why limits refuse a call, and the error that its caller reads. */

import { PlatformError } from "@faultline/protocol";

import type { LimitDimension, LimitScope } from "./layer.ts";

/** The limit that a call does not fit into. */
export interface LimitRefusal {
  readonly scope: LimitScope | "failed-keys";
  /** Whom the limit is about. */
  readonly name: string;
  readonly dimension: LimitDimension;
  /** In a minute, or at once. */
  readonly limit: number;
  readonly left: number;
  readonly needed: number;
  readonly retryAfterMs: number;
  /** `unanswered` when this process has used up its share, and the control process does not say whether there is more. */
  readonly reason: "exhausted" | "unanswered";
}

const scopes: Readonly<Record<LimitRefusal["scope"], string>> = {
  key: "key",
  user: "user",
  tenant: "tenant",
  model: "model",
  provider: "provider",
  "client-address": "client address",
  "failed-keys": "client address",
};

const units: Readonly<Record<LimitDimension, string>> = {
  requests: "requests per minute",
  tokens: "tokens per minute",
  concurrency: "calls at once",
};

/** Whether the call would not fit even if nobody else took anything. */
export function neverFits(refusal: LimitRefusal): boolean {
  return refusal.needed > refusal.limit;
}

/** The error for a refusal: `limit_exceeded`, or what says better who must act. */
export function toLimitError(refusal: LimitRefusal): PlatformError {
  const { scope, name, dimension, limit, left, needed } = refusal;
  const whose = `The ${scopes[scope]} "${name}"`;
  if (scope === "failed-keys") {
    return new PlatformError(
      "limit_exceeded",
      `${whose} presented ${limit} API keys that are not good. Left: 0.`,
      { hint: `${comeBack(refusal)} Use a key that \`faultline key list\` shows as valid.` },
    );
  }
  if (neverFits(refusal)) {
    return new PlatformError(
      "request_too_large",
      `${whose} may use ${limit} ${units[dimension]}, and this call alone may use ${needed}.`,
      { hint: "Send less, or lower the limit of output tokens." },
    );
  }
  if (refusal.reason === "unanswered") {
    return new PlatformError(
      "control_unavailable",
      `${whose} is limited to ${limit} ${units[dimension]}; this process has used up its share, and the control process does not answer.`,
      { hint: "Try again." },
    );
  }
  return new PlatformError(
    "limit_exceeded",
    `${whose} is limited to ${limit} ${units[dimension]}. Left: ${left}; needed: ${needed}.`,
    { hint: comeBack(refusal) },
  );
}

/** Whole seconds, as the header has it. */
export function retryAfterSeconds({ retryAfterMs }: LimitRefusal): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1_000));
}

function comeBack(refusal: LimitRefusal): string {
  return `Try again in ${retryAfterSeconds(refusal)} s.`;
}
