/** Answers what a name leads to, for a caller: a version of a bundle, or a plain model. Pure, and the same everywhere. */

import { nearestName } from "@faultline/contracts/model";
import type { TenantId } from "@faultline/protocol";

import type { Catalog, Target } from "../catalog.ts";
import { activate, type ActiveBundle } from "./active-bundle.ts";
import { type AliasShare, sharesOf } from "./alias-state.ts";
import type {
  BundleSnapshot,
  SnapshotAlias,
  SnapshotBundle,
  SnapshotKill,
} from "./bundle-snapshot.ts";
import { chooseSticky } from "./sticky.ts";

/** A caller's request for a name. */
export interface NamedRequest {
  readonly tenantId: TenantId;
  /** The `model` of the request. */
  readonly name: string;
  /** By what the caller sticks to a version; asked only where there is something to choose. */
  stickyKey(header: string | undefined): string;
}

export type NameResolution =
  /** The name is none of a bundle or an alias: the catalog knows it, or nobody does. */
  | { readonly kind: "plain" }
  | {
      readonly kind: "bundle";
      readonly aliasName: string | undefined;
      readonly stickyHeader: string | undefined;
      readonly bundle: ActiveBundle;
    }
  | { readonly kind: "killed"; readonly kill: SnapshotKill }
  | { readonly kind: "unknown"; readonly nearest: string | undefined };

export interface BundleIndex {
  /** An alias of the tenant, or `bundle/NAME` for the newest version of a bundle. */
  resolve(request: NamedRequest): NameResolution;
  /** The kill switch that stops the tenant, or a target or an alias for it. */
  killOf(
    tenantId: TenantId,
    what?: { readonly target?: Target | undefined; readonly alias?: string | undefined },
  ): SnapshotKill | undefined;
  /** The aliases of the tenant, in their order. */
  aliasesOf(tenantId: TenantId): readonly string[];
}

/** What a name of a bundle begins with; a bare name is that of an alias or a model. */
export const bundlePrefix = "bundle/";

/** Makes a snapshot answerable. Versions are compiled when they are first asked for. */
export function indexBundles(snapshot: BundleSnapshot, catalog: Catalog): BundleIndex {
  const tenants = groupByTenant(snapshot, catalog);
  return {
    resolve: (request) =>
      tenants.get(request.tenantId)?.resolve(request) ?? resolveNothing(request),
    killOf: (tenantId, what) => tenants.get(tenantId)?.killOf(what),
    aliasesOf: (tenantId) => tenants.get(tenantId)?.aliasNames ?? [],
  };
}

function resolveNothing({ name }: NamedRequest): NameResolution {
  return name.startsWith(bundlePrefix)
    ? { kind: "unknown", nearest: undefined }
    : { kind: "plain" };
}

function groupByTenant(snapshot: BundleSnapshot, catalog: Catalog): Map<TenantId, TenantBundles> {
  const tenants = new Map<TenantId, TenantBundles>();
  const of = (tenantId: TenantId): TenantBundles => {
    const known = tenants.get(tenantId) ?? new TenantBundles(tenantId, catalog);
    tenants.set(tenantId, known);
    return known;
  };
  for (const bundle of snapshot.bundles) of(bundle.tenantId).addBundle(bundle);
  for (const alias of snapshot.aliases) of(alias.tenantId).addAlias(alias);
  for (const kill of snapshot.kills) of(kill.tenantId).addKill(kill);
  return tenants;
}

class TenantBundles {
  readonly #tenantId: TenantId;
  readonly #catalog: Catalog;
  readonly #newest = new Map<string, SnapshotBundle>();
  readonly #versions = new Map<string, SnapshotBundle>();
  readonly #aliases = new Map<string, SnapshotAlias>();
  readonly #shares = new Map<string, readonly AliasShare[]>();
  readonly #active = new Map<SnapshotBundle, ActiveBundle>();
  readonly #kills = new Map<string, SnapshotKill>();

  constructor(tenantId: TenantId, catalog: Catalog) {
    this.#tenantId = tenantId;
    this.#catalog = catalog;
  }

  get aliasNames(): readonly string[] {
    return [...this.#aliases.keys()];
  }

  addBundle(bundle: SnapshotBundle): void {
    this.#versions.set(versionKey(bundle.name, bundle.version), bundle);
    if (bundle.isNewest) this.#newest.set(bundle.name, bundle);
  }

  addAlias(alias: SnapshotAlias): void {
    this.#aliases.set(alias.name, alias);
    this.#shares.set(alias.name, sharesOf(alias.state));
  }

  addKill(kill: SnapshotKill): void {
    this.#kills.set(`${kill.kind}/${kill.name}`, kill);
  }

  resolve(request: NamedRequest): NameResolution {
    const { name } = request;
    const killed = this.killOf();
    if (killed !== undefined) return { kind: "killed", kill: killed };
    const alias = this.#aliases.get(name);
    if (alias !== undefined) return this.#resolveAlias(alias, request);
    if (!name.startsWith(bundlePrefix)) return { kind: "plain" };
    const bundle = this.#newest.get(name.slice(bundlePrefix.length));
    if (bundle === undefined) {
      const near = nearestName(name.slice(bundlePrefix.length), this.#newest.keys());
      return {
        kind: "unknown",
        nearest: near === undefined ? undefined : `${bundlePrefix}${near}`,
      };
    }
    return this.#found(bundle, undefined, undefined);
  }

  killOf(what: Parameters<BundleIndex["killOf"]>[1] = {}): SnapshotKill | undefined {
    if (this.#kills.size === 0) return undefined;
    const { target, alias } = what;
    return (
      this.#kills.get(`tenant/${this.#tenantId}`) ??
      (alias === undefined ? undefined : this.#kills.get(`alias/${alias}`)) ??
      (target === undefined ? undefined : this.#kills.get(`provider/${target.provider.name}`)) ??
      (target === undefined ? undefined : this.#kills.get(`model/${target.model.id}`))
    );
  }

  #resolveAlias({ name, state }: SnapshotAlias, request: NamedRequest): NameResolution {
    const kill = this.killOf({ alias: name });
    if (kill !== undefined) return { kind: "killed", kill };
    const shares = this.#shares.get(name) ?? [];
    // One version needs no drawing.
    const key = shares.length > 1 ? request.stickyKey(state.stickyHeader) : "";
    const share = chooseSticky(shares, key);
    const bundle =
      share === undefined ? undefined : this.#versions.get(versionKey(share.bundle, share.version));
    // The snapshot holds every version that an alias reaches.
    if (bundle === undefined) return { kind: "unknown", nearest: undefined };
    return this.#found(bundle, name, state.stickyHeader);
  }

  #found(
    bundle: SnapshotBundle,
    aliasName: string | undefined,
    stickyHeader: string | undefined,
  ): NameResolution {
    const known = this.#active.get(bundle) ?? activate(bundle, this.#catalog);
    this.#active.set(bundle, known);
    return { kind: "bundle", aliasName, stickyHeader, bundle: known };
  }
}

function versionKey(name: string, version: number): string {
  return `${name}@${version}`;
}
