/** What the configuration says of limits, and what holds when it says nothing. */

import type { TenantId } from "@faultline/protocol";

/** What one layer of limits lets through; `undefined` is not limited. */
export interface LayerLimits {
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  /** Calls under way at once, on all processes together. */
  readonly concurrencyMax: number | undefined;
}

/** Limits of each thing of such a name; a `*` at the end takes every name that begins so. */
export interface NamedLimits {
  readonly name: string;
  readonly limits: LayerLimits;
}

/** Limits of model calls. A call must fit into every layer that it touches. */
export interface LimitsConfig {
  /** For keys whose terms do not say it. */
  readonly key: LayerLimits;
  readonly user: LayerLimits;
  readonly tenant: LayerLimits;
  readonly clientAddress: LayerLimits;
  /** The first that names a thing counts. */
  readonly models: readonly NamedLimits[];
  readonly providers: readonly NamedLimits[];
  /** Tenants that differ; what they leave open is as for every tenant. */
  readonly tenants: readonly {
    readonly id: TenantId;
    readonly limits: LayerLimits;
    readonly user: LayerLimits;
  }[];
  /** A client address that presents so many keys that fail is refused for as long as the window lasts. */
  readonly failedKeys: { readonly countMax: number; readonly windowMs: number };
}

/** A layer that limits nothing. */
export const notLimited: LayerLimits = {
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
  concurrencyMax: undefined,
};

/** Nothing is limited but keys that fail. */
export const defaultLimits: LimitsConfig = {
  key: notLimited,
  user: notLimited,
  tenant: notLimited,
  clientAddress: notLimited,
  models: [],
  providers: [],
  tenants: [],
  failedKeys: { countMax: 20, windowMs: 60_000 },
};
