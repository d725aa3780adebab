/** Reads the bundles, aliases and kill switches of all tenants. */

import type { TenantId } from "@faultline/protocol";

import type { Writer } from "#storage/index.ts";

import { documentOf } from "./bundle-records.ts";
import type { BundleSnapshot, SnapshotAlias, SnapshotBundle } from "./bundle-snapshot.ts";

/** Versions that one statement asks for by name. */
const versionsPerStatement = 1_000;

/** Everything that can be reached: the newest version of each bundle, and what aliases point at. */
export async function readBundleSnapshot(writer: Writer): Promise<BundleSnapshot> {
  const aliases = await readAliases(writer);
  const newest = await readNewest(writer);
  const known = new Set(newest.map((bundle) => keyOf(bundle)));
  const older = await readVersions(
    writer,
    reachedBy(aliases).filter((version) => !known.has(keyOf(version))),
  );
  const kills = await writer
    .selectFrom("kill_switch")
    .select(["tenant_id", "kind", "name", "reason", "killed_at", "killed_by"])
    .where("revived_at", "is", null)
    .orderBy("tenant_id")
    .orderBy("kind")
    .orderBy("name")
    .execute();
  return {
    bundles: [...newest, ...older],
    aliases,
    kills: kills.map((kill) => ({
      tenantId: kill.tenant_id,
      kind: kill.kind,
      name: kill.name,
      reason: kill.reason,
      killedAt: kill.killed_at.toISOString(),
      killedBy: kill.killed_by,
    })),
  };
}

interface ReachedVersion {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly version: number;
}

async function readAliases(writer: Writer): Promise<SnapshotAlias[]> {
  const rows = await writer
    .selectFrom("bundle_alias")
    .select(["tenant_id", "name", "state"])
    .orderBy("tenant_id")
    .orderBy("name")
    .execute();
  return rows.map(({ tenant_id, name, state }) => ({ tenantId: tenant_id, name, state }));
}

async function readNewest(writer: Writer): Promise<SnapshotBundle[]> {
  const rows = await writer
    .selectFrom("bundle")
    .innerJoin("bundle_version as newest", (join) =>
      join
        .onRef("newest.tenant_id", "=", "bundle.tenant_id")
        .onRef("newest.name", "=", "bundle.name")
        .onRef("newest.version", "=", "bundle.newest_version"),
    )
    .select(["newest.tenant_id", "newest.name", "newest.version", "newest.hash", "newest.content"])
    .orderBy("newest.tenant_id")
    .orderBy("newest.name")
    .execute();
  return rows.map((row) => bundleOf(row, true));
}

async function readVersions(
  writer: Writer,
  wanted: readonly ReachedVersion[],
): Promise<SnapshotBundle[]> {
  const bundles: SnapshotBundle[] = [];
  for (let from = 0; from < wanted.length; from += versionsPerStatement) {
    const some = wanted.slice(from, from + versionsPerStatement);
    const rows = await writer
      .selectFrom("bundle_version")
      .select(["tenant_id", "name", "version", "hash", "content"])
      .where((where) =>
        where(
          where.refTuple("tenant_id", "name", "version"),
          "in",
          some.map(({ tenantId, name, version }) => where.tuple(tenantId, name, version)),
        ),
      )
      .orderBy("tenant_id")
      .orderBy("name")
      .orderBy("version")
      .execute();
    bundles.push(...rows.map((row) => bundleOf(row, false)));
  }
  return bundles;
}

function reachedBy(aliases: readonly SnapshotAlias[]): ReachedVersion[] {
  const reached = new Map<string, ReachedVersion>();
  for (const { tenantId, state } of aliases) {
    const { versions, rollout } = state;
    for (const { bundle, version } of rollout === undefined ? versions : [...versions, rollout]) {
      const one = { tenantId, name: bundle, version };
      reached.set(keyOf(one), one);
    }
  }
  return [...reached.values()];
}

function keyOf({ tenantId, name, version }: ReachedVersion): string {
  return `${tenantId}/${name}@${version}`;
}

function bundleOf(
  row: { tenant_id: TenantId; name: string; version: number; hash: string; content: string },
  isNewest: boolean,
): SnapshotBundle {
  return {
    tenantId: row.tenant_id,
    name: row.name,
    version: row.version,
    hash: row.hash,
    isNewest,
    document: documentOf(row.content),
  };
}
