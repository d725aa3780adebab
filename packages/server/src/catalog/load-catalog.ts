/** Builds the catalog from the configured providers and the shipped price table. */

import {
  type ProviderConfig,
  type SurfaceName,
  surfaceNames,
  type TokenLimitField,
} from "#config/index.ts";

import { type Catalog, type CatalogModel, type CatalogProvider, openCatalog } from "./catalog.ts";
import { type PriceTable, readShippedPriceTable } from "./price-table.ts";
import { priceVersionsOf } from "./price-versions.ts";

/** A price in the configuration wins over the table; a model with neither stays listed, without a price. */
export function loadCatalog(
  providers: readonly ProviderConfig[],
  priceTable: PriceTable = readShippedPriceTable(),
): Catalog {
  return openCatalog({
    providers: providers.map(toCatalogProvider),
    models: providers.flatMap((provider) =>
      provider.models.map((model): CatalogModel => ({
        id: `${provider.name}/${model.name}`,
        name: model.name,
        provider: provider.name,
        upstreamName: model.upstreamName,
      })),
    ),
    prices: providers.flatMap((provider) =>
      provider.models.flatMap((model) => priceVersionsOf(priceTable, provider, model)),
    ),
  });
}

function toCatalogProvider(provider: ProviderConfig): CatalogProvider {
  const { kind, name } = provider;
  if (kind === "simulated") {
    const { simulation } = provider;
    const nothing = { baseUrl: "", apiKey: undefined, pathTemplate: undefined };
    const own = { keyHeader: "authorization", tokenLimitField: "max_completion_tokens" } as const;
    return { kind, name, simulation, ...nothing, ...own, surfaces: surfaceNames };
  }
  return {
    kind,
    name,
    baseUrl: provider.baseUrl,
    apiKey: provider.apiKey,
    keyHeader: provider.keyHeader ?? (kind === "anthropic" ? "x-api-key" : "authorization"),
    surfaces: provider.surfaces ?? surfacesOf(kind, provider.baseUrl),
    pathTemplate: provider.pathTemplate,
    tokenLimitField: provider.tokenLimitField ?? tokenLimitFieldOf(provider.baseUrl),
    simulation: undefined,
  };
}

/** Of the servers that speak OpenAI's format, many know nothing of responses; OpenAI itself does. */
function surfacesOf(kind: "openai" | "anthropic", baseUrl: string): readonly SurfaceName[] {
  if (kind === "anthropic") return ["messages", "count-tokens"];
  const isOpenai = URL.parse(baseUrl)?.hostname === "api.openai.com";
  return ["chat", "completions", "embeddings", ...(isOpenai ? (["responses"] as const) : [])];
}

const azureHosts = [".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com"];

/**
 * The reasoning models of OpenAI refuse `max_tokens`; Ollama, and llama.cpp and its kin until 2026, ignore the newer name and
 * then stop at no limit at all.
 */
function tokenLimitFieldOf(baseUrl: string): TokenLimitField {
  const host = URL.parse(baseUrl)?.hostname ?? "";
  const isOpenai = host === "api.openai.com" || azureHosts.some((azure) => host.endsWith(azure));
  return isOpenai ? "max_completion_tokens" : "max_tokens";
}
