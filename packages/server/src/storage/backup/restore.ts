/** Restores a backup into an empty platform: the schema as it was, the rows, the blobs, then the newer migrations. */

import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";

import { PlatformError } from "@faultline/protocol";
import type { ClientBase } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import type { Logger } from "pino";

import type { Blobs } from "../blobs.ts";
import { withClient } from "../client.ts";
import { type Migration, readMigrations } from "../migrations.ts";
import { prepareDatabase } from "../open-store.ts";
import { type PostgresConnection, schemaName } from "../postgres/connection.ts";
import { readPartitions, readTables } from "./catalog.ts";
import {
  type BackupManifest,
  type BackupProgress,
  type BackupTable,
  sha256Of,
} from "./manifest.ts";
import { corrupt, readTar, type TarEntry } from "./tar.ts";
import { decompress, openArchive, verifyBackup } from "./verify.ts";

export interface RestoreBackupOptions {
  readonly file: string;
  /** A database that has no tenant yet; of any PostgreSQL major version that the platform runs on. */
  readonly postgres: PostgresConnection;
  readonly blobs: Blobs;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

/**
 * Verifies the whole archive, then loads all rows in one transaction: a restore that fails leaves no row behind and can
 * be repeated. Throws `conflict` when the database holds data, and `data_folder_incompatible` when the backup
 * is of a newer version.
 */
export async function restoreBackup(options: RestoreBackupOptions): Promise<BackupManifest> {
  const manifest = await verifyBackup(options);
  const migrations = await readMigrations();
  requireKnown(manifest, migrations);
  await requireEmpty(options);

  await prepareDatabase(options, migrations.slice(0, manifest.migrations.length));
  await withClient({ ...options, role: "faultline_owner" }, async (session) => {
    await session.query("begin");
    // Blobs are written while the transaction is open.
    await session.query("set local idle_in_transaction_session_timeout = 0");
    await makePartitions(session, manifest);
    await load(session, manifest, options);
    await setSequences(session, manifest);
    await session.query("commit");
  });
  await prepareDatabase(options, migrations);
  return manifest;
}

/** The backup's migrations must be the first of ours, unchanged. */
function requireKnown(manifest: BackupManifest, migrations: readonly Migration[]): void {
  manifest.migrations.forEach((applied, index) => {
    const known = migrations[index];
    if (known?.name === applied.name && known.checksum === applied.checksum) return;
    throw new PlatformError(
      "data_folder_incompatible",
      `The backup has had the migration ${applied.name}, and this version of Faultline does not know it as it was then.`,
      {
        where: applied.name,
        hint: "Restore it with the version of Faultline that wrote it, or with a newer one.",
      },
    );
  });
}

/** Every row belongs to a tenant, so a database without tenants is empty. */
async function requireEmpty(options: RestoreBackupOptions): Promise<void> {
  await withClient({ ...options, role: "set-up" }, async (client) => {
    const made = await client.query(
      "select 1 from pg_tables where schemaname = $1 and tablename = 'tenant'",
      [schemaName],
    );
    if (made.rowCount === 0) return;
    await client.query("set role faultline_backup");
    const tenants = await client.query("select 1 from tenant limit 1");
    if (tenants.rowCount === 0) return;
    throw new PlatformError(
      "conflict",
      "A backup is restored into an empty platform only, and this database holds tenants already.",
      { hint: "Name a fresh data folder with --data, or an empty database by DATABASE_URL." },
    );
  });
}

async function makePartitions(session: ClientBase, manifest: BackupManifest): Promise<void> {
  const present = new Map(
    (await readPartitions(session)).map((partition) => [partition.name, partition]),
  );
  for (const partition of manifest.partitions) {
    if (present.get(partition.name)?.bound === partition.bound) continue;
    const name = session.escapeIdentifier(partition.name);
    // The bound is PostgreSQL's own rendering of an expression, kept in a manifest whose hash was verified.
    await session.query(
      `create table ${name} partition of ${session.escapeIdentifier(partition.parent)} ${partition.bound}`,
    );
    if (partition.rowSecurity) {
      await session.query(`alter table ${name} enable row level security`);
    }
    if (partition.rowSecurityForced) {
      await session.query(`alter table ${name} force row level security`);
    }
  }
}

async function load(
  session: ClientBase,
  manifest: BackupManifest,
  options: RestoreBackupOptions,
): Promise<void> {
  const names = (await readTables(session)).map((table) => session.escapeIdentifier(table.name));
  // Rows that a migration itself put there are in the backup too.
  await session.query(`truncate ${names.join(", ")}`);
  // COPY cannot write through row-level security, and triggers did their work when the rows were first written. Both are
  // lifted inside this transaction, in which nobody else sees the tables, and stand again before it commits.
  const secured = await forcedTables(session);
  for (const name of secured)
    await session.query(`alter table ${name} no force row level security`);
  for (const name of names) await session.query(`alter table ${name} disable trigger user`);
  await loadEntries(session, manifest, options);
  for (const name of names) await session.query(`alter table ${name} enable trigger user`);
  for (const name of secured) await session.query(`alter table ${name} force row level security`);
}

async function forcedTables(session: ClientBase): Promise<string[]> {
  const { rows } = await session.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition and c.relforcerowsecurity`,
    [schemaName],
  );
  return rows.map((row) => session.escapeIdentifier(row.name));
}

async function loadEntries(
  session: ClientBase,
  manifest: BackupManifest,
  options: RestoreBackupOptions,
): Promise<void> {
  const parts = new Map(
    manifest.tables.flatMap((table) => table.parts.map((part) => [part.entry, { table, part }])),
  );
  const rowCounts = new Map<string, number>();
  await using archive = await openArchive(options.file);
  const bytesTotal = (await archive.file.stat()).size;
  let bytesDone = 0;
  for await (const entry of readTar(archive.file)) {
    options.signal.throwIfAborted();
    const listed = parts.get(entry.name);
    if (listed !== undefined) {
      if (sha256Of(entry.bytes) !== listed.part.sha256) {
        throw corrupt(entry.name, "it changed while it was read");
      }
      const rowCount = await copyPart(session, listed.table, entry);
      rowCounts.set(listed.table.name, (rowCounts.get(listed.table.name) ?? 0) + rowCount);
    } else if (entry.name.startsWith("blobs/")) {
      await options.blobs.put(entry.bytes);
    }
    bytesDone += entry.bytes.byteLength;
    options.onProgress?.({ stage: "restoring", item: entry.name, bytesDone, bytesTotal });
  }
  for (const table of manifest.tables) {
    const loaded = rowCounts.get(table.name) ?? 0;
    if (loaded !== table.rowCount) {
      throw corrupt(`tables/${table.name}/`, `${loaded} rows instead of ${table.rowCount}`);
    }
  }
}

async function copyPart(session: ClientBase, table: BackupTable, entry: TarEntry): Promise<number> {
  const columns = table.columns.map((column) => session.escapeIdentifier(column)).join(", ");
  const sink = session.query(
    copyFrom(`copy ${session.escapeIdentifier(table.name)} (${columns}) from stdin`),
  );
  await pipeline(Readable.from([await decompress(entry)]), sink);
  return sink.rowCount ?? 0;
}

async function setSequences(session: ClientBase, manifest: BackupManifest): Promise<void> {
  for (const sequence of manifest.sequences) {
    await session.query("select setval($1::regclass, $2::bigint, $3)", [
      session.escapeIdentifier(sequence.name),
      sequence.lastValue,
      sequence.isCalled,
    ]);
  }
}
