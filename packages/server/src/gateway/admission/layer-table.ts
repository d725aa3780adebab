/** From a call to the layers that limit it, by the configuration and the terms of the keys. Both sides of a lease use it. */

import { hash } from "node:crypto";

import type { LayerLimits, LimitsConfig, NamedLimits } from "#config/index.ts";
import { admitsName, type TenantId } from "@faultline/protocol";

import type { SnapshotKey } from "../snapshot.ts";
import { isLimited, type Layer, layerId, type LayerName } from "./layer.ts";
import { leaseBounds } from "./lease-bounds.ts";

/** What a call is, for the limits. */
export interface AdmissionRequest {
  readonly key: Pick<SnapshotKey, "id" | "tenantId">;
  /** The end user that the caller names. */
  readonly user: string | undefined;
  /** `provider/model`. */
  readonly modelId: string;
  readonly provider: string;
  readonly clientAddress: string;
  /** Input that is expected, and output that is allowed. */
  readonly tokens: number;
}

/** The layers of one key that do not depend on the call. */
interface KeyLayers {
  readonly key: Layer | undefined;
  readonly tenant: Layer | undefined;
  readonly user: LayerLimits | undefined;
}

export class LayerTable {
  readonly #config: LimitsConfig;
  readonly #keys: ReadonlyMap<string, SnapshotKey>;
  readonly #tenants: ReadonlyMap<string, LimitsConfig["tenants"][number]>;
  readonly #keyLayers = new Map<string, KeyLayers>();
  readonly #models = new Map<string, Layer | undefined>();
  readonly #providers = new Map<string, Layer | undefined>();
  readonly #limitsAddresses: boolean;

  constructor(config: LimitsConfig, keys: readonly SnapshotKey[]) {
    this.#config = config;
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#tenants = new Map(config.tenants.map((tenant) => [tenant.id, tenant]));
    this.#limitsAddresses = isLimited(config.clientAddress);
  }

  get failedKeys(): LimitsConfig["failedKeys"] {
    return this.#config.failedKeys;
  }

  /** The layers that limit a call. */
  layersOf(request: AdmissionRequest): readonly Layer[] {
    const layers: Layer[] = [];
    const { key, tenant, user } = this.#layersOfKey(request.key);
    if (key !== undefined) layers.push(key);
    if (user !== undefined && request.user !== undefined) {
      const name = `${request.key.tenantId}/${nameOfUser(request.user)}`;
      layers.push(toLayer({ scope: "user", name }, user));
    }
    if (tenant !== undefined) layers.push(tenant);
    this.#pushTarget(layers, request);
    if (this.#limitsAddresses) {
      const layer = { scope: "client-address", name: request.clientAddress } as const;
      layers.push(toLayer(layer, this.#config.clientAddress));
    }
    return layers;
  }

  /** Those of them that are about the target. */
  layersOfTarget(request: AdmissionRequest): readonly Layer[] {
    const layers: Layer[] = [];
    this.#pushTarget(layers, request);
    return layers;
  }

  /** What limits a layer of a tenant's call; `undefined` when nothing does, or does any more. */
  limitsOf({ scope, name }: LayerName, tenantId: TenantId): LayerLimits | undefined {
    switch (scope) {
      case "key": {
        const key = this.#keys.get(name);
        return key === undefined ? undefined : limitedOnly(this.#limitsOfKey(key));
      }
      case "user":
        return limitedOnly(this.#limitsOfUser(tenantId));
      case "tenant":
        return limitedOnly(this.#limitsOfTenant(tenantId));
      case "model":
      case "provider":
        return this.#named(scope, name)?.limits;
      case "client-address":
        return limitedOnly(this.#config.clientAddress);
    }
  }

  #pushTarget(layers: Layer[], request: AdmissionRequest): void {
    const model = this.#named("model", request.modelId);
    if (model !== undefined) layers.push(model);
    const provider = this.#named("provider", request.provider);
    if (provider !== undefined) layers.push(provider);
  }

  #layersOfKey(asking: AdmissionRequest["key"]): KeyLayers {
    const known = this.#keyLayers.get(asking.id);
    if (known !== undefined) return known;
    const key = this.#keys.get(asking.id);
    const layers: KeyLayers = {
      key: key && limitedLayer({ scope: "key", name: key.id }, this.#limitsOfKey(key)),
      tenant: limitedLayer(
        { scope: "tenant", name: asking.tenantId },
        this.#limitsOfTenant(asking.tenantId),
      ),
      user: limitedOnly(this.#limitsOfUser(asking.tenantId)),
    };
    // Only keys of the snapshot are kept, so that the table grows no larger than it.
    if (key !== undefined) this.#keyLayers.set(asking.id, layers);
    return layers;
  }

  #limitsOfKey({ terms }: SnapshotKey): LayerLimits {
    return overlay(
      {
        requestsPerMinute: terms.requestsPerMinute,
        tokensPerMinute: terms.tokensPerMinute,
        concurrencyMax: terms.concurrencyMax,
      },
      this.#config.key,
    );
  }

  #limitsOfUser(tenantId: TenantId): LayerLimits {
    return overlay(this.#tenants.get(tenantId)?.user, this.#config.user);
  }

  #limitsOfTenant(tenantId: TenantId): LayerLimits {
    return overlay(this.#tenants.get(tenantId)?.limits, this.#config.tenant);
  }

  /** Names of models and providers come from the catalog, which bounds what is kept. */
  #named(scope: "model" | "provider", name: string): Layer | undefined {
    const known = scope === "model" ? this.#models : this.#providers;
    if (known.has(name)) return known.get(name);
    const named = scope === "model" ? this.#config.models : this.#config.providers;
    const limits = firstThatNames(named, name);
    const layer = limits && limitedLayer({ scope, name }, limits);
    known.set(name, layer);
    return layer;
  }
}

function firstThatNames(named: readonly NamedLimits[], name: string): LayerLimits | undefined {
  return named.find((entry) => admitsName([entry.name], name))?.limits;
}

/** What `over` says, and where it says nothing, what `base` does. */
function overlay(over: LayerLimits | undefined, base: LayerLimits): LayerLimits {
  if (over === undefined) return base;
  return {
    requestsPerMinute: over.requestsPerMinute ?? base.requestsPerMinute,
    tokensPerMinute: over.tokensPerMinute ?? base.tokensPerMinute,
    concurrencyMax: over.concurrencyMax ?? base.concurrencyMax,
  };
}

function limitedOnly(limits: LayerLimits): LayerLimits | undefined {
  return isLimited(limits) ? limits : undefined;
}

function limitedLayer(name: LayerName, limits: LayerLimits): Layer | undefined {
  return isLimited(limits) ? toLayer(name, limits) : undefined;
}

function toLayer(layer: LayerName, limits: LayerLimits): Layer {
  return { ...layer, id: layerId(layer), limits };
}

/** Names of users are the caller's, so that a long one must not cost memory. */
function nameOfUser(user: string): string {
  if (user.length <= leaseBounds.userLengthMax) return user;
  return `sha256:${hash("sha256", user, "hex").slice(0, 32)}`;
}
