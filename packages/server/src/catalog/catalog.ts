/** The catalog: which provider serves a model name, and what models cost. */

import type { SimulationConfig, SurfaceName, TokenLimitField } from "#config/index.ts";
import { nearestName } from "@faultline/contracts/model";

import { openPriceBook, type PriceBook, type PriceVersion } from "./price-book.ts";

/** An upstream that speaks the OpenAI wire format. */
export interface CatalogProvider {
  readonly name: string;
  /** `simulated` is built in and no language model. */
  readonly kind: "openai" | "anthropic" | "simulated";
  /** Without a slash at the end; empty for a simulated provider, which the worker runs itself. */
  readonly baseUrl: string;
  /** Sent as bearer to the provider. Never logged, never in a span, never to a caller. */
  readonly apiKey: string | undefined;
  /** In lower case; `authorization` carries the key as bearer. */
  readonly keyHeader: string;
  /** What it serves itself. */
  readonly surfaces: readonly SurfaceName[];
  /** Behind the base URL, with `{model}` and `{path}`. */
  readonly pathTemplate: string | undefined;
  /** How it calls the limit of tokens of a chat completion. */
  readonly tokenLimitField: TokenLimitField;
  readonly simulation: SimulationConfig | undefined;
}

export interface CatalogModel {
  /** `provider/name`: unique, and what `GET /v1/models` shows. */
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  /** What the provider knows it by. */
  readonly upstreamName: string;
}

/** All of the catalog as plain data, so that it can cross to a worker. */
export interface CatalogSnapshot {
  readonly providers: readonly CatalogProvider[];
  readonly models: readonly CatalogModel[];
  /** Every version of every price, for `openPriceBook`. */
  readonly prices: readonly PriceVersion[];
}

export interface Target {
  readonly provider: CatalogProvider;
  readonly model: CatalogModel;
}

export type ModelResolution =
  | { readonly kind: "found"; readonly target: Target }
  | { readonly kind: "unknown"; readonly nearest: string | undefined };

export interface Catalog {
  readonly snapshot: CatalogSnapshot;
  /** What each model costs, and when. */
  readonly prices: PriceBook;
  /** Finds `provider/name`, or a bare name: the first provider in the order of the configuration has it. */
  resolveModel(name: string): ModelResolution;
  /** In the order of the configuration; also models without a price, which are refused when they are called. */
  listModels(): readonly CatalogModel[];
}

/**
 * Makes the catalog answerable. Ids are unique, and each model names a provider of the snapshot. Throws `configuration_invalid`
 * where two prices of a model are valid at once.
 */
export function openCatalog(snapshot: CatalogSnapshot): Catalog {
  const providers = new Map(snapshot.providers.map((provider) => [provider.name, provider]));
  const resolutions = new Map<string, ModelResolution>();
  for (const model of snapshot.models) resolutions.set(model.id, resolve(model));
  for (const model of snapshot.models) {
    // A full id wins over a bare name, and an earlier provider over a later one.
    if (!resolutions.has(model.name)) resolutions.set(model.name, resolve(model));
  }

  function resolve(model: CatalogModel): ModelResolution {
    const provider = providers.get(model.provider);
    if (provider === undefined) return { kind: "unknown", nearest: undefined };
    return { kind: "found", target: { provider, model } };
  }

  return {
    snapshot,
    prices: openPriceBook(snapshot.prices),
    resolveModel: (name) =>
      resolutions.get(name) ?? { kind: "unknown", nearest: nearestName(name, resolutions.keys()) },
    listModels: () => snapshot.models,
  };
}
