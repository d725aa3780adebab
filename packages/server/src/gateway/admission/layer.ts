/** Layers of limits: what a call is counted against. */

import type { LayerLimits } from "#config/index.ts";

export type LimitScope = "key" | "user" | "tenant" | "model" | "provider" | "client-address";

export type LimitDimension = "requests" | "tokens" | "concurrency";

/** Which layer: the scope and whom it is about, unique within the scope. */
export interface LayerName {
  readonly scope: LimitScope;
  readonly name: string;
}

/** A layer that limits something. */
export interface Layer extends LayerName {
  readonly id: string;
  readonly limits: LayerLimits;
}

/** The id under which a layer is counted. */
export function layerId({ scope, name }: LayerName): string {
  return `${scope}:${name}`;
}

/** Whether anything is limited. */
export function isLimited(limits: LayerLimits): boolean {
  return (
    limits.requestsPerMinute !== undefined ||
    limits.tokensPerMinute !== undefined ||
    limits.concurrencyMax !== undefined
  );
}

export function sameLimits(left: LayerLimits, right: LayerLimits): boolean {
  return (
    left.requestsPerMinute === right.requestsPerMinute &&
    left.tokensPerMinute === right.tokensPerMinute &&
    left.concurrencyMax === right.concurrencyMax
  );
}
