/** Aliases and their history in PostgreSQL: each step is a revision that is written once. */

import {
  type AliasRevision,
  type AliasState,
  type BundleAlias,
  PlatformError,
  type TenantId,
} from "@faultline/protocol";
import type { Selectable } from "kysely";

import type { Reader, Schema, Writer } from "#storage/index.ts";

import { bundleStoreLimits } from "./limits.ts";

type Selects = Pick<Reader, "selectFrom">;
type RevisionRow = Omit<Selectable<Schema["bundle_alias_revision"]>, "tenant_id">;

/** A step that is about to be written. */
export interface NewRevision {
  readonly state: AliasState;
  readonly at: string;
  readonly actor: string;
  readonly action: AliasRevision["action"];
  readonly restoredRevision?: number;
}

/** The newest revision of an alias, held until the transaction ends; `undefined` when there is no such alias. */
export async function lockAlias(writer: Writer, name: string): Promise<number | undefined> {
  const row = await writer
    .selectFrom("bundle_alias")
    .select("revision")
    .where("name", "=", name)
    .forUpdate()
    .executeTakeFirst();
  return row?.revision;
}

/** Writes a revision of an alias, or its first one. Throws `limit_exceeded` or `conflict`. */
export async function addRevision(
  writer: Writer,
  alias: { readonly tenantId: TenantId; readonly name: string; readonly held: number | undefined },
  step: NewRevision,
): Promise<BundleAlias> {
  const { tenantId, name, held } = alias;
  const revision = (held ?? 0) + 1;
  const state = JSON.stringify(step.state);
  if (held === undefined) await makeAlias(writer, { tenantId, name, state });
  else {
    await writer
      .updateTable("bundle_alias")
      .set({ revision, state })
      .where("name", "=", name)
      .execute();
  }
  const row = await writer
    .insertInto("bundle_alias_revision")
    .values({
      tenant_id: tenantId,
      name,
      revision,
      at: step.at,
      actor: step.actor,
      action: step.action,
      restored_revision: step.restoredRevision ?? null,
      state,
    })
    .returning(["name", "revision", "at", "actor", "action", "restored_revision", "state"])
    .executeTakeFirstOrThrow();
  return { name, current: revisionOf(row) };
}

/** The aliases of the tenant by name. */
export async function listAliases(reader: Selects): Promise<BundleAlias[]> {
  const rows = await reader
    .selectFrom("bundle_alias")
    .innerJoin("bundle_alias_revision as newest", (join) =>
      join
        .onRef("newest.tenant_id", "=", "bundle_alias.tenant_id")
        .onRef("newest.name", "=", "bundle_alias.name")
        .onRef("newest.revision", "=", "bundle_alias.revision"),
    )
    .select([
      "newest.name",
      "newest.revision",
      "newest.at",
      "newest.actor",
      "newest.action",
      "newest.restored_revision",
      "newest.state",
    ])
    .orderBy("newest.name")
    .limit(bundleStoreLimits.aliasCountMax)
    .execute();
  return rows.map((row) => ({ name: row.name, current: revisionOf(row) }));
}

/** The revisions of an alias, newest first. Throws `not_found`. */
export async function listRevisions(reader: Selects, name: string): Promise<AliasRevision[]> {
  const rows = await reader
    .selectFrom("bundle_alias_revision")
    .select(["name", "revision", "at", "actor", "action", "restored_revision", "state"])
    .where("name", "=", name)
    .orderBy("revision", "desc")
    .limit(bundleStoreLimits.shownRevisionCountMax)
    .execute();
  if (rows.length === 0) {
    throw new PlatformError("not_found", `There is no alias ${name}.`, {
      hint: "`faultline bundle alias` lists those that there are.",
    });
  }
  return rows.map((row) => revisionOf(row));
}

async function makeAlias(
  writer: Writer,
  { tenantId, name, state }: { tenantId: TenantId; name: string; state: string },
): Promise<void> {
  const made = await writer
    .insertInto("bundle_alias")
    .values({ tenant_id: tenantId, name, revision: 1, state })
    .onConflict((conflict) => conflict.columns(["tenant_id", "name"]).doNothing())
    .returning("revision")
    .executeTakeFirst();
  if (made === undefined) {
    throw new PlatformError("conflict", `Somebody else made the alias ${name} at the same time.`, {
      hint: "Look at it, then set it again.",
    });
  }
  const { count } = await writer
    .selectFrom("bundle_alias")
    .select((select) => select.fn.countAll<string>().as("count"))
    .executeTakeFirstOrThrow();
  if (Number(count) <= bundleStoreLimits.aliasCountMax) return;
  throw new PlatformError(
    "limit_exceeded",
    `A tenant has at most ${bundleStoreLimits.aliasCountMax} aliases.`,
  );
}

function revisionOf(row: RevisionRow): AliasRevision {
  return {
    revision: row.revision,
    at: row.at.toISOString(),
    actor: row.actor,
    action: row.action,
    ...(row.restored_revision === null ? {} : { restoredRevision: row.restored_revision }),
    state: row.state,
  };
}
