/**
 * What one call costs at each target: the versions that were valid when it was admitted. They stand as long as the call does,
 * whatever becomes of prices meanwhile.
 */

import {
  type Catalog,
  type CatalogModel,
  costUnder,
  type DefaultPrice,
  type MeteredUsage,
  type ModelPriceVersion,
  priceBoundUnder,
} from "#catalog/index.ts";
import type { TokenPrice } from "#ledger/index.ts";
import { PlatformError } from "@faultline/protocol";

import type { SnapshotKey } from "../snapshot.ts";

/** The price of one target. */
export interface TargetPrice {
  /** The version's id; that of a tenant's default says so. */
  readonly versionId: string;
  readonly source: string;
  /** What tokens cost at most. */
  readonly bound: TokenPrice;
  costMicros(usage: Omit<MeteredUsage, "deviceSeconds">): bigint;
}

/** Of the newest snapshot. */
interface KnownPrices {
  readonly catalog: Pick<Catalog, "prices">;
  /** By their tenants. */
  readonly defaultPrices: ReadonlyMap<string, DefaultPrice>;
}

type PricedModel = Pick<CatalogModel, "id" | "name" | "provider">;

export class CallPrices {
  readonly #prices: KnownPrices;
  readonly #key: Pick<SnapshotKey, "tenantId" | "terms">;
  readonly #atMs: number;
  /** By the ids of models, of which a route has few. */
  readonly #known: { readonly id: string; readonly price: TargetPrice }[] = [];

  constructor(known: KnownPrices, key: Pick<SnapshotKey, "tenantId" | "terms">, atMs: number) {
    this.#prices = known;
    this.#key = key;
    this.#atMs = atMs;
  }

  /** `undefined` where no price is known: then nothing is admitted. */
  of(model: PricedModel): TargetPrice | undefined {
    for (const { id, price } of this.#known) if (id === model.id) return price;
    const price = this.#find(model);
    if (price !== undefined) this.#known.push({ id: model.id, price });
    return price;
  }

  /** Throws `price_unknown`. */
  require(model: PricedModel): TargetPrice {
    const price = this.of(model);
    if (price !== undefined) return price;
    throw new PlatformError(
      "price_unknown",
      `The model "${model.id}" has no price, and without a price nothing is admitted.`,
      {
        where: "/model",
        hint: "The operator must give it prices, or `local: true`; `faultline ledger price default set` sets one for all that have none.",
      },
    );
  }

  #find({ provider, name }: PricedModel): TargetPrice | undefined {
    const { catalog, defaultPrices } = this.#prices;
    const { tenantId, terms } = this.#key;
    const subject = { kind: "model", provider, model: name } as const;
    const found = catalog.prices.resolve(subject, this.#atMs, defaultPrices.get(tenantId));
    // A model is never priced by seconds.
    if (found.kind === "price-unknown" || found.version.kind !== "model") return undefined;
    return new VersionPrice(found.version, terms.priority);
  }
}

class VersionPrice implements TargetPrice {
  readonly #version: ModelPriceVersion;
  readonly #priority: SnapshotKey["terms"]["priority"];

  constructor(version: ModelPriceVersion, priority: SnapshotKey["terms"]["priority"]) {
    this.#version = version;
    this.#priority = priority;
  }

  get versionId(): string {
    return this.#version.id;
  }

  get source(): string {
    return this.#version.price.source;
  }

  /** Only who holds credit asks for it. */
  get bound(): TokenPrice {
    return priceBoundUnder(this.#version, this.#priority);
  }

  costMicros(usage: Omit<MeteredUsage, "deviceSeconds">): bigint {
    return costUnder(this.#version, { ...usage, deviceSeconds: 0 }, this.#priority);
  }
}
