/** The versions of a model's price: one of the configuration, or those of the price table. */

import { createHash } from "node:crypto";

import type { ModelConfig, ProviderConfig } from "#config/index.ts";

import type { PriceVersion } from "./price-book.ts";
import type { PriceTable } from "./price-table.ts";
import type { Price } from "./price.ts";

/** So much of the hash of a configured price stands in the id of its version. */
const hashLength = 12;

/** In no order. Empty where no price is known. */
export function priceVersionsOf(
  table: PriceTable,
  provider: ProviderConfig,
  model: ModelConfig,
): PriceVersion[] {
  const subject = { kind: "model", provider: provider.name, model: model.name } as const;
  const id = (mark: string): string => `${provider.name}/${model.name}@${mark}`;
  if (model.price !== undefined) {
    // A price that is configured anew is another version, whose id must be another too.
    const price: Price = { ...model.price, source: "configuration" };
    return [{ ...subject, id: id(`configuration-${hashOf(price)}`), validFromMs: 0, price }];
  }
  return listPrices(table, provider, model.upstreamName).map(({ price, asOf, validFrom }) => ({
    ...subject,
    id: id(validFrom ?? asOf),
    validFromMs: validFrom === undefined ? 0 : Date.parse(`${validFrom}T00:00:00Z`),
    price,
  }));
}

interface ListPrice {
  readonly price: Price;
  readonly asOf: string;
  readonly validFrom: string | undefined;
}

/** List prices of a model, for the host that the provider's base URL names. */
function listPrices(
  table: PriceTable,
  provider: ProviderConfig,
  upstreamName: string,
): ListPrice[] {
  const host = provider.kind === "simulated" ? undefined : URL.parse(provider.baseUrl)?.hostname;
  if (host === undefined) return [];
  return table.vendors
    .filter((vendor) => vendor.hosts.includes(host))
    .flatMap((vendor) =>
      vendor.models
        .filter(({ names }) => names.includes(upstreamName))
        .map((model) => ({
          price: {
            inputMicrosPerMillionTokens: BigInt(model.inputMicrosPerMillionTokens),
            cachedInputMicrosPerMillionTokens: BigInt(model.cachedInputMicrosPerMillionTokens),
            outputMicrosPerMillionTokens: BigInt(model.outputMicrosPerMillionTokens),
            source: `${vendor.source} (as of ${vendor.asOf})`,
          },
          asOf: vendor.asOf,
          validFrom: model.validFrom,
        })),
    );
}

function hashOf(price: Price): string {
  const text = [
    price.inputMicrosPerMillionTokens,
    price.cachedInputMicrosPerMillionTokens,
    price.outputMicrosPerMillionTokens,
  ].join(" ");
  return createHash("sha256").update(text).digest("hex").slice(0, hashLength);
}
