/** Bundles and their versions in PostgreSQL. */

import { parseForeignJson } from "@faultline/contracts/json";
import {
  type BundleDocument,
  type BundleVersion,
  type BundleVersionSummary,
  PlatformError,
  type TenantId,
} from "@faultline/protocol";
import type { Selectable } from "kysely";

import type { Reader, Schema, Writer } from "#storage/index.ts";

import type { HashedBundle } from "./hash-bundle.ts";
import { bundleStoreLimits } from "./limits.ts";

type Selects = Pick<Reader, "selectFrom">;

const summaryColumns = ["name", "version", "hash", "created_at", "actor"] as const;
type SummaryRow = Pick<Selectable<Schema["bundle_version"]>, (typeof summaryColumns)[number]>;

/** A version as it is about to be written. */
export interface NewVersion extends HashedBundle {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly at: string;
  readonly actor: string;
}

/** Adds a version, or finds the one that has this content. Throws `limit_exceeded`. */
export async function addVersion(
  writer: Writer,
  { tenantId, name, hash, content, at, actor }: NewVersion,
): Promise<{ summary: BundleVersionSummary; isNew: boolean }> {
  // Whoever comes first makes the row; everybody else waits for it here.
  const made = await writer
    .insertInto("bundle")
    .values({ tenant_id: tenantId, name, newest_version: 1 })
    .onConflict((conflict) => conflict.columns(["tenant_id", "name"]).doNothing())
    .returning("newest_version")
    .executeTakeFirst();
  const held = await writer
    .selectFrom("bundle")
    .select("newest_version")
    .where("name", "=", name)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const known = await writer
    .selectFrom("bundle_version")
    .select(summaryColumns)
    .where("name", "=", name)
    .where("hash", "=", hash)
    .executeTakeFirst();
  if (known !== undefined) return { summary: summaryOf(known), isNew: false };
  const version = made === undefined ? held.newest_version + 1 : 1;
  if (made !== undefined) await refuseTooMany(writer);
  if (version > bundleStoreLimits.versionCountMax) {
    throw new PlatformError(
      "limit_exceeded",
      `The bundle ${name} has ${held.newest_version} versions, which is the limit.`,
      { hint: "Go on under another name." },
    );
  }
  await writer
    .updateTable("bundle")
    .set({ newest_version: version })
    .where("name", "=", name)
    .execute();
  const row = await writer
    .insertInto("bundle_version")
    .values({ tenant_id: tenantId, name, version, hash, content, created_at: at, actor })
    .returning(summaryColumns)
    .executeTakeFirstOrThrow();
  return { summary: summaryOf(row), isNew: true };
}

/** The bundles of the tenant by name, each with its newest version. */
export async function listBundles(reader: Selects): Promise<BundleVersionSummary[]> {
  const rows = await reader
    .selectFrom("bundle")
    .innerJoin("bundle_version", (join) =>
      join
        .onRef("bundle_version.tenant_id", "=", "bundle.tenant_id")
        .onRef("bundle_version.name", "=", "bundle.name")
        .onRef("bundle_version.version", "=", "bundle.newest_version"),
    )
    .select([
      "bundle_version.name",
      "bundle_version.version",
      "bundle_version.hash",
      "bundle_version.created_at",
      "bundle_version.actor",
    ])
    .orderBy("bundle.name")
    .limit(bundleStoreLimits.bundleCountMax)
    .execute();
  return rows.map((row) => summaryOf(row));
}

/** The versions of a bundle, newest first. Throws `not_found`. */
export async function listVersions(reader: Selects, name: string): Promise<BundleVersionSummary[]> {
  const rows = await reader
    .selectFrom("bundle_version")
    .select(summaryColumns)
    .where("name", "=", name)
    .orderBy("version", "desc")
    .limit(bundleStoreLimits.versionCountMax)
    .execute();
  if (rows.length === 0) throw noBundle(name);
  return rows.map((row) => summaryOf(row));
}

/** One version; the newest without a number. Throws `not_found`. */
export async function readVersion(
  reader: Selects,
  name: string,
  version: number | undefined,
): Promise<BundleVersion> {
  let select = reader
    .selectFrom("bundle_version")
    .select([...summaryColumns, "content"])
    .where("name", "=", name);
  if (version !== undefined) select = select.where("version", "=", version);
  const row = await select.orderBy("version", "desc").limit(1).executeTakeFirst();
  if (row === undefined) {
    if (version === undefined) throw noBundle(name);
    const [newest] = await listVersions(reader, name);
    throw new PlatformError("not_found", `The bundle ${name} has no version ${version}.`, {
      hint: `Its newest is ${newest?.version}.`,
    });
  }
  return { summary: summaryOf(row), bundle: documentOf(row.content) };
}

/** The document that a row holds. */
export function documentOf(content: string): BundleDocument {
  // It was held against the schema before it was written, and is never changed.
  return parseForeignJson(content) as BundleDocument;
}

function noBundle(name: string): PlatformError {
  return new PlatformError("not_found", `There is no bundle ${name}.`, {
    hint: "`faultline bundle list` names those that there are.",
  });
}

async function refuseTooMany(writer: Writer): Promise<void> {
  const { count } = await writer
    .selectFrom("bundle")
    .select((select) => select.fn.countAll<string>().as("count"))
    .executeTakeFirstOrThrow();
  if (Number(count) <= bundleStoreLimits.bundleCountMax) return;
  throw new PlatformError(
    "limit_exceeded",
    `A tenant has at most ${bundleStoreLimits.bundleCountMax} bundles.`,
    { hint: "Put the next version into a bundle that exists." },
  );
}

function summaryOf(row: SummaryRow): BundleVersionSummary {
  return {
    name: row.name,
    version: row.version,
    hash: row.hash,
    createdAt: row.created_at.toISOString(),
    actor: row.actor,
  };
}
