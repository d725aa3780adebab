/** A start of a later release, up to its migrations: rewrites the tables in which money stands. Ends when that is done. */

import { systemClock } from "@faultline/server/kernel/index.ts";
import { migrate, readMigrations } from "@faultline/server/storage/migrations.ts";
import { openPostgres } from "@faultline/server/storage/index.ts";
import { Client } from "pg";
import { pino } from "pino";

const [dataFolder = "", name = ""] = process.argv.slice(2);
const { signal } = new AbortController();
const options = { dataFolder, clock: systemClock, logger: pino({ level: "silent" }), signal };
/** Every row is written anew, and the rows of all tables change together or not at all. */
const rewrite = `
  alter table ledger_command alter column at_ms type bigint using at_ms + 0;
  alter table ledger_use alter column amount_micros type bigint using amount_micros + 0;
  alter table ledger_account alter column balance_micros type bigint using balance_micros + 0;
  -- The moment at which it is killed.
  select pg_sleep(0.5);
  -- A view reads its columns, whose types stay as they are; a default that differs from row to row writes every row as well.
  alter table ledger_hold add column rewritten double precision default random();
  alter table ledger_hold drop column rewritten;`;

await using postgres = await openPostgres(options);
const client = new Client(postgres.clientConfig("faultline_owner"));
client.on("error", () => process.exit(1));
await client.connect();
await migrate(client, [...(await readMigrations()), { name, sql: rewrite, checksum: "kills" }]);
// It was done, once. The release under test starts again on this data, which is as it knows it.
const { rowCount } = await client.query("delete from migration where name = $1", [name]);
if (rowCount !== 1) process.exit(1);
await client.end();
await postgres[Symbol.asyncDispose]();
process.exit(0);
