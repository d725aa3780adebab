/** Writes a backup: every row in one snapshot of the database, then every blob, then the manifest. */

import { createHash } from "node:crypto";
import { access, type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

import { PlatformError } from "@faultline/protocol";
import type { ClientBase } from "pg";
import { to as copyTo } from "pg-copy-streams";

import { assert, type Clock } from "#kernel/index.ts";

import type { Blobs } from "../blobs.ts";
import { readApplied } from "../migrations.ts";
import { withClient } from "../client.ts";
import { type PostgresConnection, schemaName } from "../postgres/connection.ts";
import { syncFolder } from "../sync-folder.ts";
import { type CatalogTable, readPartitions, readSequences, readTables } from "./catalog.ts";
import {
  type BackupManifest,
  type BackupProgress,
  type BackupTable,
  backupFormatVersion,
  blobEntry,
  headerBytes,
  headerEntry,
  manifestEntry,
  manifestHashEntry,
  partBytesMin,
  partEntry,
  sha256Of,
} from "./manifest.ts";
import { TarWriter } from "./tar.ts";

export interface CreateBackupOptions {
  readonly postgres: PostgresConnection;
  readonly blobs: Blobs;
  /** The archive to write. It must not exist. */
  readonly file: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

/**
 * Writes the archive beside its name and renames it when it is complete and on disk. The platform may run meanwhile:
 * rows come from one repeatable-read snapshot, and a blob is always stored before the row that names it.
 */
export async function createBackup(options: CreateBackupOptions): Promise<BackupManifest> {
  const path = resolve(options.file);
  await requireAbsent(path);
  const draft = `${path}.${process.pid}.partial`;
  const file = await open(draft, "wx", 0o600);
  try {
    const manifest = await writeArchive(file, options);
    await file.sync();
    await file.close();
    await rename(draft, path);
    await syncFolder(dirname(path));
    return manifest;
  } catch (error) {
    await file.close();
    await rm(draft, { force: true });
    throw error;
  }
}

async function requireAbsent(path: string): Promise<void> {
  const present = await access(path).then(
    () => true,
    () => false,
  );
  if (present) {
    throw new PlatformError("conflict", `${path} exists already, and a backup replaces nothing.`, {
      where: path,
      hint: "Name a new file.",
    });
  }
}

async function writeArchive(
  file: FileHandle,
  options: CreateBackupOptions,
): Promise<BackupManifest> {
  const createdMs = options.clock.nowMs();
  const writer = new TarWriter(file, createdMs);
  await writer.write(headerEntry, headerBytes);

  // The role may read every row by policy and write none; see grants.ts for why it is not a bypass.
  const database = await withClient({ ...options, role: "faultline_backup" }, async (session) => {
    await requirePlatform(session);
    await session.query("begin isolation level repeatable read, read only");
    const tables: BackupTable[] = [];
    for (const table of await readTables(session)) {
      tables.push(await writeTable({ session, writer, table, options }));
    }
    const { rows } = await session.query<{ server_version: string }>("show server_version");
    const described = {
      postgresVersion: rows[0]?.server_version.slice(0, 40) ?? "",
      migrations: await readApplied(session),
      partitions: await readPartitions(session),
      sequences: await readSequences(session),
    };
    await session.query("commit");
    return { ...described, tables };
  });

  const manifest: BackupManifest = {
    formatVersion: backupFormatVersion,
    createdAt: new Date(createdMs).toISOString(),
    ...database,
    blobs: await writeBlobs(writer, options),
  };
  const bytes = Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`);
  await writer.write(manifestEntry, bytes);
  await writer.write(manifestHashEntry, Buffer.from(`${sha256Of(bytes)}\n`));
  await writer.finish();
  return manifest;
}

async function requirePlatform(session: ClientBase): Promise<void> {
  const found = await session.query(
    "select 1 from pg_tables where schemaname = $1 and tablename = 'tenant'",
    [schemaName],
  );
  if (found.rowCount !== 0) return;
  throw new PlatformError("not_found", "This database holds no platform yet: nothing to back up.", {
    hint: "Name the data folder of a platform that was started before, with --data.",
  });
}

interface TableJob {
  readonly session: ClientBase;
  readonly writer: TarWriter;
  readonly table: CatalogTable;
  readonly options: CreateBackupOptions;
}

async function writeTable({ session, writer, table, options }: TableJob): Promise<BackupTable> {
  const columns = table.columns.map((column) => session.escapeIdentifier(column)).join(", ");
  const rows = session.query(
    // A query rather than the table: only that reads through policies and reaches the partitions.
    copyTo(`copy (select ${columns} from ${session.escapeIdentifier(table.name)}) to stdout`),
  );
  const parts: BackupTable["parts"] = [];
  let bytesDone = 0;
  for await (const raw of cutAtRows(rows)) {
    options.signal.throwIfAborted();
    const compressed = await promisify(gzip)(raw);
    const entry = partEntry(table.name, parts.length + 1);
    await writer.write(entry, compressed);
    parts.push({
      entry,
      sha256: sha256Of(compressed),
      bytes: compressed.byteLength,
      rawBytes: raw.byteLength,
    });
    bytesDone += raw.byteLength;
    options.onProgress?.({ stage: "rows", item: table.name, bytesDone });
  }
  return { name: table.name, columns: [...table.columns], rowCount: rows.rowCount, parts };
}

/** Parts of whole rows. In COPY's text format a newline byte ends a row; one within a value is escaped. */
async function* cutAtRows(stream: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  const newline = 0x0a;
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    assert(Buffer.isBuffer(chunk), "COPY gives bytes");
    chunks.push(chunk);
    size += chunk.byteLength;
    const end = chunk.lastIndexOf(newline) + 1;
    if (size < partBytesMin || end === 0) continue;
    const rest = chunk.subarray(end);
    yield Buffer.concat(chunks).subarray(0, size - rest.byteLength);
    chunks = [rest];
    size = rest.byteLength;
  }
  if (size > 0) yield Buffer.concat(chunks);
}

async function writeBlobs(
  writer: TarWriter,
  options: CreateBackupOptions,
): Promise<BackupManifest["blobs"]> {
  const names = createHash("sha256");
  let count = 0;
  let bytesDone = 0;
  for await (const { id } of options.blobs.list()) {
    options.signal.throwIfAborted();
    const bytes = await options.blobs.get(id);
    assert(bytes !== undefined, "blobs are never removed");
    const entry = blobEntry(id);
    await writer.write(entry, bytes);
    names.update(`${entry}\n`);
    count += 1;
    bytesDone += bytes.byteLength;
    options.onProgress?.({ stage: "blobs", item: id, bytesDone });
  }
  return { count, bytes: bytesDone, namesSha256: names.digest("hex") };
}
