/** Builds the catalog from the configured providers and the shipped price table. */

import type { ModelConfig, ProviderConfig } from "#config/index.ts";

import { type Catalog, type CatalogModel, type CatalogProvider, openCatalog } from "./catalog.ts";
import { type PriceTable, readShippedPriceTable } from "./price-table.ts";
import type { Price } from "./price.ts";

/** A price in the configuration wins over the table; a model with neither stays listed, without a price. */
export function loadCatalog(
  providers: readonly ProviderConfig[],
  priceTable: PriceTable = readShippedPriceTable(),
): Catalog {
  return openCatalog({
    providers: providers.map(toCatalogProvider),
    models: providers.flatMap((provider) => {
      const listPrices = pricesOfHost(priceTable, provider);
      return provider.models.map((model): CatalogModel => ({
        id: `${provider.name}/${model.name}`,
        name: model.name,
        provider: provider.name,
        upstreamName: model.upstreamName,
        price: configuredPrice(model) ?? listPrices.get(model.upstreamName),
      }));
    }),
  });
}

function toCatalogProvider(provider: ProviderConfig): CatalogProvider {
  return {
    name: provider.name,
    kind: provider.kind,
    baseUrl: provider.kind === "openai" ? provider.baseUrl : "",
    apiKey: provider.kind === "openai" ? provider.apiKey : undefined,
    simulation: provider.kind === "simulated" ? provider.simulation : undefined,
  };
}

function configuredPrice(model: ModelConfig): Price | undefined {
  return model.price === undefined ? undefined : { ...model.price, source: "configuration" };
}

/** List prices by upstream name, for the host that the provider's base URL names. */
function pricesOfHost(table: PriceTable, provider: ProviderConfig): Map<string, Price> {
  const prices = new Map<string, Price>();
  const host = provider.kind === "openai" ? URL.parse(provider.baseUrl)?.hostname : undefined;
  if (host === undefined) return prices;
  for (const vendor of table.vendors) {
    if (!vendor.hosts.includes(host)) continue;
    for (const model of vendor.models) {
      const price: Price = {
        inputMicrosPerMillionTokens: BigInt(model.inputMicrosPerMillionTokens),
        cachedInputMicrosPerMillionTokens: BigInt(model.cachedInputMicrosPerMillionTokens),
        outputMicrosPerMillionTokens: BigInt(model.outputMicrosPerMillionTokens),
        source: `${vendor.source} (as of ${vendor.asOf})`,
      };
      for (const name of model.names) prices.set(name, price);
    }
  }
  return prices;
}
