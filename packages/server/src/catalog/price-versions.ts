/** The versions of a model's price: those of the configuration, and before the first of them those of the price table. */

import { createHash } from "node:crypto";

import type { ModelConfig, PriceChange, ProviderConfig } from "#config/index.ts";
import type { PriorityClass } from "@faultline/protocol";

import type { PriceVersion } from "./price-book.ts";
import type { PriceTable } from "./price-table.ts";
import type { Price } from "./price.ts";

/** So much of the hash of a configured price stands in the id of its version. */
const hashLength = 12;
/** Names of models may be long; ids of versions stand in every usage event. */
const nameLengthMax = 200;

/** In no order. Empty where no price is known. */
export function priceVersionsOf(
  table: PriceTable,
  provider: ProviderConfig,
  model: ModelConfig,
): PriceVersion[] {
  const { price, priceChanges = [] } = model;
  const subject = { kind: "model", provider: provider.name, model: model.name } as const;
  const name = shortened(`${provider.name}/${model.name}`);
  const configured = [
    ...(price === undefined ? [] : [{ ...price, validFromMs: 0 }]),
    ...priceChanges,
  ].map((one): PriceVersion => ({
    ...subject,
    // A price that is configured anew is another version, whose id must be another too.
    id: `${name}@configuration-${hashOf(one)}`,
    ...versionOf(one),
  }));
  if (price !== undefined) return configured;
  const changedMs = Math.min(...priceChanges.map(({ validFromMs }) => validFromMs));
  const listed = listPrices(table, provider, model.upstreamName).map((one): PriceVersion => ({
    ...subject,
    id: `${name}@${one.validFrom ?? one.asOf}`,
    validFromMs: one.validFrom === undefined ? 0 : Date.parse(`${one.validFrom}T00:00:00Z`),
    price: one.price,
  }));
  return [...listed.filter(({ validFromMs }) => validFromMs < changedMs), ...configured];
}

function versionOf(change: PriceChange) {
  const { validFromMs, reasoningMicrosPerMillionTokens, priorityPercents } = change;
  const { inputMicrosPerMillionTokens, cachedInputMicrosPerMillionTokens } = change;
  const price: Price = {
    inputMicrosPerMillionTokens,
    cachedInputMicrosPerMillionTokens,
    outputMicrosPerMillionTokens: change.outputMicrosPerMillionTokens,
    source: "configuration",
  };
  return {
    validFromMs,
    price,
    ...(reasoningMicrosPerMillionTokens === undefined ? {} : { reasoningMicrosPerMillionTokens }),
    ...(priorityPercents === undefined ? {} : { priorityPermille: permilleOf(priorityPercents) }),
  };
}

function permilleOf(percents: NonNullable<PriceChange["priorityPercents"]>) {
  const permille: Partial<Record<PriorityClass, bigint>> = {};
  for (const priority of ["interactive", "standard", "batch"] as const) {
    const percent = percents[priority];
    if (percent !== undefined) permille[priority] = BigInt(percent) * 10n;
  }
  return permille;
}

/** Those that are cut share their beginning; the hash tells them apart. */
function shortened(name: string): string {
  if (name.length <= nameLengthMax) return name;
  return `${name.slice(0, nameLengthMax)}~${digest(name)}`;
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

function hashOf(change: PriceChange): string {
  const { interactive = 100, standard = 100, batch = 100 } = change.priorityPercents ?? {};
  const parts = [
    change.validFromMs,
    change.inputMicrosPerMillionTokens,
    change.cachedInputMicrosPerMillionTokens,
    change.outputMicrosPerMillionTokens,
    change.reasoningMicrosPerMillionTokens ?? change.outputMicrosPerMillionTokens,
    interactive,
    standard,
    batch,
  ];
  return digest(parts.join(" "));
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, hashLength);
}
