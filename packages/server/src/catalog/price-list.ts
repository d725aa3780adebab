/** The versions of prices as the API shows them. */

import type { LedgerPrice, LedgerPricesQuery } from "@faultline/protocol";

import type { Catalog } from "./catalog.ts";
import type { ModelPriceVersion } from "./price-book.ts";

/** As the schema of the answer has it. */
const priceCountMax = 1_000;

/** In the order of the configuration, of one model by their times. */
export function listVersions(
  { snapshot }: Catalog,
  { query, nowMs }: { readonly query: LedgerPricesQuery; readonly nowMs: number },
): LedgerPrice[] {
  const byModel = new Map<string, ModelPriceVersion[]>();
  for (const version of snapshot.prices) {
    if (version.kind !== "model" || !isAskedFor(version, query)) continue;
    const id = `${version.provider}/${version.model}`;
    const known = byModel.get(id);
    if (known === undefined) byModel.set(id, [version]);
    else known.push(version);
  }
  const shown = [...byModel.values()].flatMap((versions) => {
    const sorted = versions.toSorted((left, right) => left.validFromMs - right.validFromMs);
    return sorted.map((version, index) => show(version, sorted[index + 1], nowMs));
  });
  return shown.slice(0, priceCountMax);
}

function isAskedFor({ provider, model }: ModelPriceVersion, query: LedgerPricesQuery): boolean {
  if (query.model === undefined) return true;
  return model === query.model || `${provider}/${model}` === query.model;
}

function show(
  version: ModelPriceVersion,
  next: ModelPriceVersion | undefined,
  nowMs: number,
): LedgerPrice {
  const { id, provider, model, validFromMs, price, priorityPermille } = version;
  const untilMs = version.validUntilMs ?? next?.validFromMs;
  const reasoning = version.reasoningMicrosPerMillionTokens;
  return {
    priceVersion: id,
    model: `${provider}/${model}`,
    ...(validFromMs === 0 ? {} : { validFrom: new Date(validFromMs).toISOString() }),
    ...(untilMs === undefined ? {} : { validUntil: new Date(untilMs).toISOString() }),
    isValid: validFromMs <= nowMs && (untilMs === undefined || nowMs < untilMs),
    inputMicros: String(price.inputMicrosPerMillionTokens),
    cachedInputMicros: String(price.cachedInputMicrosPerMillionTokens),
    outputMicros: String(price.outputMicrosPerMillionTokens),
    ...(reasoning === undefined ? {} : { reasoningMicros: String(reasoning) }),
    priorityPercents: Object.fromEntries(
      Object.entries(priorityPermille ?? {}).map(([priority, permille]) => [
        priority,
        Number(permille) / 10,
      ]),
    ),
    source: price.source,
  };
}
