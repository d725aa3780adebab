/** Bundles of all tenants: puts versions, moves aliases, sets kill switches, and tells the gateway of every change. */

import type { Clock, Ids } from "#kernel/index.ts";
import type { Store, TenantScope, Writer } from "#storage/index.ts";
import {
  type AliasRevision,
  type AliasState,
  type BundleAlias,
  type BundleDiff,
  type BundleVersion,
  type BundleVersionSummary,
  type KillRequest,
  type KillSwitch,
  PlatformError,
  type PutAliasRequest,
  type PutBundleReply,
  type PutBundleRequest,
  type ReviveRequest,
  type RollbackRequest,
  type RolloutRequest,
  type WeightedVersion,
} from "@faultline/protocol";

import type { Catalog, Target } from "../catalog.ts";
import { readDefaultPrice } from "../prices.ts";
import { addRevision, listAliases, listRevisions, lockAlias } from "./alias-records.ts";
import { rollBack, rollOut, type VersionName } from "./alias-state.ts";
import { addVersion, listBundles, listVersions, readVersion } from "./bundle-records.ts";
import type { BundleSnapshot } from "./bundle-snapshot.ts";
import { checkBundle, type BundleFault } from "./check-bundle.ts";
import { diffBundles } from "./diff-bundle.ts";
import { hashBundle } from "./hash-bundle.ts";
import { addKill, endKill, type KillSubject, listKills } from "./kill-records.ts";
import { readBundleSnapshot } from "./read-snapshot.ts";

export interface BundlesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  /** By the newest configuration. */
  readonly catalog: () => Catalog;
}

/** Whose bundles, and who changes them. */
export interface BundleScope extends TenantScope {
  readonly actor: string;
}

export class Bundles {
  readonly #parts: BundlesParts;
  readonly #listeners = new Set<() => Promise<void>>();

  constructor(parts: BundlesParts) {
    this.#parts = parts;
  }

  /** Adds a version, unless the bundle has one of this content. Throws `request_invalid` with the place of each fault. */
  async put(scope: BundleScope, { name, bundle }: PutBundleRequest): Promise<PutBundleReply> {
    const unknown = await this.#unknownModels(scope, bundle.targets);
    this.#refuseFaults([...checkBundle(bundle), ...unknown]);
    const reply = await this.#write(scope, (writer, at) =>
      addVersion(writer, {
        tenantId: scope.tenantId,
        name,
        at,
        actor: scope.actor,
        ...hashBundle(bundle),
      }),
    );
    return reply;
  }

  async list(scope: TenantScope): Promise<BundleVersionSummary[]> {
    return this.#parts.store.read(scope, listBundles);
  }

  /** Newest first. Throws `not_found`. */
  async listVersions(scope: TenantScope, name: string): Promise<BundleVersionSummary[]> {
    return this.#parts.store.read(scope, (reader) => listVersions(reader, name));
  }

  /** One version; the newest without a number. Throws `not_found`. */
  async read(
    scope: TenantScope,
    name: string,
    version: number | undefined,
  ): Promise<BundleVersion> {
    return this.#parts.store.read(scope, (reader) => readVersion(reader, name, version));
  }

  /** What differs between two versions; by default the newest and the one before it. Throws `not_found`. */
  async diff(
    scope: TenantScope,
    name: string,
    wanted: { readonly from?: number | undefined; readonly to?: number | undefined },
  ): Promise<BundleDiff> {
    return this.#parts.store.read(scope, async (reader) => {
      const to = await readVersion(reader, name, wanted.to);
      const before = wanted.from ?? Math.max(1, to.summary.version - 1);
      const from = await readVersion(reader, name, before);
      return { from: from.summary, to: to.summary, ...diffBundles(from.bundle, to.bundle) };
    });
  }

  async listAliases(scope: TenantScope): Promise<BundleAlias[]> {
    return this.#parts.store.read(scope, listAliases);
  }

  /** The revisions of an alias, newest first. Throws `not_found`. */
  async aliasHistory(scope: TenantScope, name: string): Promise<AliasRevision[]> {
    return this.#parts.store.read(scope, (reader) => listRevisions(reader, name));
  }

  /** Points an alias at versions. Ends a roll-out that runs. Throws `not_found` or `request_invalid`. */
  async putAlias(scope: BundleScope, request: PutAliasRequest): Promise<BundleAlias> {
    const { name, stickyHeader } = request;
    return this.#write(scope, async (writer, at) => {
      const held = await lockAlias(writer, name);
      const versions: WeightedVersion[] = [];
      for (const { bundle, version, weight = 1 } of request.versions) {
        const { summary } = await readVersion(writer, bundle, version);
        if (versions.some((one) => one.bundle === bundle && one.version === summary.version)) {
          throw new PlatformError(
            "request_invalid",
            `${bundle}@${summary.version} is named twice.`,
            {
              where: "body /versions",
            },
          );
        }
        versions.push({ bundle, version: summary.version, weight });
      }
      const state: AliasState = {
        versions,
        ...(stickyHeader === undefined ? {} : { stickyHeader }),
      };
      const alias = { tenantId: scope.tenantId, name, held };
      return addRevision(writer, alias, { state, at, actor: scope.actor, action: "set" });
    });
  }

  /** Begins a roll-out or takes its next step. Throws `not_found`, `conflict` or `request_invalid`. */
  async rollOut(scope: BundleScope, name: string, request: RolloutRequest): Promise<BundleAlias> {
    return this.#write(scope, async (writer, at) => {
      const held = await lockAlias(writer, name);
      const [current] = await listRevisions(writer, name);
      const version = await versionOf(writer, request);
      const state = rollOut(stateOf(current), { version, percent: request.percent });
      const alias = { tenantId: scope.tenantId, name, held };
      return addRevision(writer, alias, { state, at, actor: scope.actor, action: "rollout" });
    });
  }

  /** Ends a roll-out, or restores where the alias stood before. Throws `not_found` or `conflict`. */
  async rollBack(scope: BundleScope, name: string, request: RollbackRequest): Promise<BundleAlias> {
    return this.#write(scope, async (writer, at) => {
      const held = await lockAlias(writer, name);
      const restored = rollBack(await listRevisions(writer, name), request.revision);
      const alias = { tenantId: scope.tenantId, name, held };
      return addRevision(writer, alias, {
        ...restored,
        at,
        actor: scope.actor,
        action: "rollback",
      });
    });
  }

  async listKills(scope: TenantScope): Promise<KillSwitch[]> {
    return this.#parts.store.read(scope, listKills);
  }

  /** Sets a kill switch. When it resolves, every listener has taken it up. Throws `not_found` or `request_invalid`. */
  async kill(scope: BundleScope, request: KillRequest): Promise<KillSwitch> {
    const subject = this.#subjectOf(scope, request);
    return this.#write(scope, async (writer, at) => {
      if (subject.kind === "alias") await requireAlias(writer, subject.name);
      const { tenantId, actor } = scope;
      const id = this.#parts.ids.next();
      return addKill(writer, { ...subject, tenantId, id, reason: request.reason, at, actor });
    });
  }

  /** Ends a kill switch. Throws `not_found` when none holds. */
  async revive(scope: BundleScope, request: ReviveRequest): Promise<KillSwitch> {
    const subject = this.#subjectOf(scope, request, "revive");
    return this.#write(scope, (writer, at) => endKill(writer, subject, { at, actor: scope.actor }));
  }

  /** Every bundle, alias and kill switch that holds, of all tenants. */
  async snapshot(signal: AbortSignal): Promise<BundleSnapshot> {
    return this.#parts.store.system(signal, readBundleSnapshot);
  }

  /** Calls `listener` after every change and waits for it. Gives the way to stop it. */
  onChanged(listener: () => Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One transaction, after which every listener has heard of it. */
  async #write<T>(scope: TenantScope, run: (writer: Writer, at: string) => Promise<T>): Promise<T> {
    const { store, clock } = this.#parts;
    const at = new Date(clock.nowMs()).toISOString();
    const result = await store.transact(scope, (writer) => run(writer, at));
    await Promise.all([...this.#listeners].map((listener) => listener()));
    return result;
  }

  async #unknownModels(
    scope: TenantScope,
    targets: PutBundleRequest["bundle"]["targets"],
  ): Promise<BundleFault[]> {
    const { store, clock } = this.#parts;
    const catalog = this.#parts.catalog();
    const standIn = await store.read(scope, readDefaultPrice);
    const isPriced = ({ model: { provider, name: model } }: Target): boolean =>
      catalog.prices.resolve({ kind: "model", provider, model }, clock.nowMs(), standIn).kind ===
      "priced";
    return targets.flatMap(({ model }, index) => {
      const resolution = catalog.resolveModel(model);
      const where = `/targets/${index}/model`;
      if (resolution.kind === "found") {
        if (isPriced(resolution.target)) return [];
        return [
          { where, message: `The model ${model} has no price, so nothing of it is admitted.` },
        ];
      }
      const near = resolution.nearest === undefined ? "" : ` Did you mean ${resolution.nearest}?`;
      return [{ where, message: `No configured provider serves ${model}.${near}` }];
    });
  }

  #refuseFaults(faults: readonly BundleFault[]): void {
    const [first] = faults;
    if (first === undefined) return;
    throw new PlatformError(
      "request_invalid",
      faults.map(({ where, message }) => `${where === "" ? "/" : where}: ${message}`).join("\n"),
      { where: `body /bundle${first.where}` },
    );
  }

  /** The thing that is named, by the one name under which kill switches know it. */
  #subjectOf(
    scope: TenantScope,
    { kind, name }: ReviveRequest,
    purpose: "kill" | "revive" = "kill",
  ): KillSubject {
    if (kind === "tenant") {
      if (name === undefined || name === scope.tenantId) return { kind, name: scope.tenantId };
      throw new PlatformError("not_found", "A key can stop its own tenant alone.");
    }
    if (name === undefined) {
      throw new PlatformError("request_invalid", `Which ${kind}? The name is missing.`, {
        where: "body /name",
      });
    }
    const catalog = this.#parts.catalog();
    if (kind === "model") {
      const resolution = catalog.resolveModel(name);
      if (resolution.kind === "found") return { kind, name: resolution.target.model.id };
      // What was killed may have left the configuration since.
      if (purpose === "revive") return { kind, name };
      const near = resolution.kind === "unknown" ? resolution.nearest : undefined;
      throw new PlatformError("not_found", `No configured provider serves ${name}.`, {
        hint: near === undefined ? "GET /v1/models lists the models." : `Did you mean ${near}?`,
      });
    }
    const isKnown = catalog.snapshot.providers.some((provider) => provider.name === name);
    if (kind === "provider" && purpose === "kill" && !isKnown) {
      throw new PlatformError("not_found", `There is no provider ${name} in the configuration.`);
    }
    return { kind, name };
  }
}

async function versionOf(
  writer: Writer,
  { bundle, version }: RolloutRequest,
): Promise<VersionName | undefined> {
  if (bundle === undefined) {
    if (version === undefined) return undefined;
    throw new PlatformError("request_invalid", "A version needs its bundle.", {
      where: "body /bundle",
    });
  }
  const { summary } = await readVersion(writer, bundle, version);
  return { bundle, version: summary.version };
}

function stateOf(current: AliasRevision | undefined): AliasState {
  if (current === undefined) throw new PlatformError("not_found", "There is no such alias.");
  return current.state;
}

async function requireAlias(writer: Writer, name: string): Promise<void> {
  await listRevisions(writer, name);
}
