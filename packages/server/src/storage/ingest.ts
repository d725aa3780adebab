/** Bulk insert: COPY into a temporary table of the session, then one INSERT … SELECT into the real one. */

import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { PlatformError } from "@faultline/protocol";
import type { PoolClient } from "pg";
import { from as copyFrom } from "pg-copy-streams";

import type { IngestBatch } from "./store.ts";

/** Rows are joined to chunks of about this size before they go to the socket. */
const chunkCharactersMin = 64 * 1024;

/**
 * Copies the batches within one transaction and gives the number of rows inserted. COPY cannot write to a table with
 * row-level security, and the role may not read the table, so a temporary table stands between.
 */
export async function ingestBatches(
  client: PoolClient,
  batches: readonly IngestBatch[],
): Promise<number> {
  let rowCount = 0;
  await client.query("begin");
  for (const batch of batches) {
    const staging = await makeStaging(client, batch);
    const columns = batch.columns.map((column) => client.escapeIdentifier(column)).join(", ");
    const sink = client.query(copyFrom(`copy ${staging} (${columns}) from stdin`));
    await pipeline(Readable.from(encodeRows(batch)), sink);
    const inserted = await client.query(
      `insert into ${client.escapeIdentifier(batch.table)} (${columns}) select ${columns} from ${staging}` +
        (batch.onConflict === "skip" ? " on conflict do nothing" : ""),
    );
    // The same table may come twice in one call.
    await client.query(`truncate ${staging}`);
    rowCount += inserted.rowCount ?? 0;
  }
  await client.query("commit");
  return rowCount;
}

/** Makes the staging table once per session. Column types come from the catalog, which every role may read. */
async function makeStaging(client: PoolClient, batch: IngestBatch): Promise<string> {
  const shape = `${batch.table}(${batch.columns.join(",")})`;
  const mark = createHash("sha256").update(shape).digest("hex").slice(0, 16);
  const staging = `pg_temp.staging_${mark}`;
  const found = await client.query<{ made: boolean }>(
    "select to_regclass($1) is not null as made",
    [staging],
  );
  if (found.rows[0]?.made === true) return staging;

  const types = await client.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
    [client.escapeIdentifier(batch.table)],
  );
  const typeOf = new Map(types.rows.map((row) => [row.name, row.type]));
  const columns = batch.columns.map((column) => {
    const type = typeOf.get(column);
    if (type === undefined) {
      throw new PlatformError("internal", `The table ${batch.table} has no column ${column}.`, {
        where: `${batch.table}.${column}`,
      });
    }
    return `${client.escapeIdentifier(column)} ${type}`;
  });
  await client.query(
    `create temporary table ${staging} (${columns.join(", ")}) on commit delete rows`,
  );
  return staging;
}

/** The text format of COPY: tab between values, `\N` for NULL, backslash escapes. */
function* encodeRows(batch: IngestBatch): Generator<string> {
  let chunk = "";
  for (const row of batch.rows) {
    if (row.length !== batch.columns.length) {
      throw new PlatformError(
        "internal",
        `A row for ${batch.table} has ${row.length} values for ${batch.columns.length} columns.`,
      );
    }
    chunk += `${row.map(encodeValue).join("\t")}\n`;
    if (chunk.length >= chunkCharactersMin) {
      yield chunk;
      chunk = "";
    }
  }
  if (chunk !== "") yield chunk;
}

const special = /[\\\t\n\r\0]/g;
const escapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  // PostgreSQL stores no NUL in text. One such character must not fail the rows of everyone else in the batch.
  "\0": "\uFFFD",
};

function encodeValue(value: string | null): string {
  if (value === null) return "\\N";
  return value.replace(special, (character) => escapes[character] ?? character);
}
