/** Migrations: plain SQL files, applied in order, each in a transaction, and never edited afterwards. */

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { PlatformError } from "@faultline/protocol";
import { type Client, DatabaseError } from "pg";

import { grantBackup } from "./backup/grants.ts";

export interface Migration {
  /** The file's name, for example `0001-foundation.sql`. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, in hexadecimal. */
  readonly checksum: string;
}

/** A migration that a database has had. */
export type AppliedMigration = Pick<Migration, "name" | "checksum">;

/** Any number, the same in all versions: who holds it migrates. */
const advisoryLockKey = 4_600_460_046;
const lockWaitMsMax = 120_000;
/** The SQLSTATE of a lock that was not granted in time. */
const lockNotAvailable = "55P03";

/** The folder of the SQL files; a bundle carries it beside its JavaScript. */
export function migrationsFolder(): string {
  return fileURLToPath(new URL("./migrations/", import.meta.url));
}

/** Reads the migrations of a folder in order. */
export async function readMigrations(folder: string = migrationsFolder()): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const migrations: Migration[] = [];
  for (const name of names) {
    if (!/^\d{4}-[a-z0-9-]+\.sql$/.test(name)) {
      throw new PlatformError(
        "internal",
        `A migration should be named like 0001-name.sql; found ${name}.`,
        { where: join(folder, name) },
      );
    }
    const sql = await readFile(join(folder, name), "utf8");
    migrations.push({ name, sql, checksum: createHash("sha256").update(sql).digest("hex") });
  }
  return migrations;
}

/**
 * Brings the database to the last of `migrations`; a second starter waits for the first. `client` acts as
 * `faultline_owner`. Refuses a database that is newer than the code, and one whose applied migration was edited.
 */
export async function migrate(client: Client, migrations: readonly Migration[]): Promise<string[]> {
  await takeLock(client);
  try {
    await client.query(`create table if not exists migration (
      name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
    const applied = await readApplied(client);
    requireUnedited(applied, migrations);

    const added: string[] = [];
    for (const migration of migrations.slice(applied.length)) {
      await apply(client, migration);
      added.push(migration.name);
    }
    await grantBackup(client);
    return added;
  } finally {
    // The lock also ends with the session, so a lost connection leaves nothing behind.
    await client.query("select pg_advisory_unlock($1)", [advisoryLockKey]).catch(() => {});
  }
}

async function takeLock(client: Client): Promise<void> {
  await client.query(`set lock_timeout = ${lockWaitMsMax}`);
  try {
    await client.query("select pg_advisory_lock($1)", [advisoryLockKey]);
  } catch (error) {
    if (!(error instanceof DatabaseError && error.code === lockNotAvailable)) throw error;
    throw new PlatformError(
      "database_unavailable",
      `Another process has been migrating the database for more than ${lockWaitMsMax} ms.`,
      { hint: "Wait for it to end, then start again.", cause: error },
    );
  }
  await client.query("set lock_timeout = 0");
}

/** The migrations that the database has had, in order. */
export async function readApplied(client: Client): Promise<AppliedMigration[]> {
  const result = await client.query<AppliedMigration>(
    "select name, checksum from migration order by name",
  );
  return result.rows;
}

function requireUnedited(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): void {
  applied.forEach((row, index) => {
    const known = migrations[index];
    if (known?.name === row.name) {
      if (known.checksum === row.checksum) return;
      throw new PlatformError(
        "data_folder_incompatible",
        `The migration ${row.name} was edited after the database had it.`,
        {
          where: row.name,
          hint: "Restore the file as it was released, and put the change into a new migration.",
          context: { applied: row.checksum, file: known.checksum },
        },
      );
    }
    if (migrations.some((migration) => migration.name === row.name)) {
      throw new PlatformError(
        "data_folder_incompatible",
        `The migration ${known?.name ?? "of this version"} comes before ${row.name}, which the database has already had.`,
        { where: known?.name ?? row.name, hint: "Number a new migration after the last one." },
      );
    }
    throw new PlatformError(
      "data_folder_incompatible",
      `The database is newer than this version of Faultline: it has had the migration ${row.name}, which is unknown here.`,
      {
        where: row.name,
        hint: "Start the newer version again, or restore a backup that this version made.",
      },
    );
  });
}

async function apply(client: Client, migration: Migration): Promise<void> {
  try {
    await client.query("begin");
    await client.query(migration.sql);
    await client.query("insert into migration (name, checksum) values ($1, $2)", [
      migration.name,
      migration.checksum,
    ]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw new PlatformError(
      "internal",
      `The migration ${migration.name} failed: ${error instanceof Error ? error.message : String(error)}.`,
      {
        where: migration.name,
        cause: error,
        hint: "Nothing of it was kept; the database is as before.",
      },
    );
  }
}
