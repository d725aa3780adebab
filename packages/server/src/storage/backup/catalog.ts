/** What the database consists of, as its own catalog tells: tables in the order of their references, partitions, sequences. */

import type { ClientBase } from "pg";

import { assert } from "#kernel/index.ts";

import { schemaName } from "../postgres/connection.ts";
import type { BackupPartition, BackupSequence } from "./manifest.ts";

export interface CatalogTable {
  readonly name: string;
  /** Columns that hold something of their own; generated ones are left out. */
  readonly columns: readonly string[];
}

/** The platform's tables, each after those that it refers to. Partitions are reached through their table. */
export async function readTables(client: ClientBase): Promise<CatalogTable[]> {
  const { rows } = await client.query<{ name: string; columns: string[]; needs: string[] }>(
    `select c.relname as name,
       (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
       (select coalesce(array_agg(distinct t.relname::text), '{}') from pg_constraint k
        join pg_class t on t.oid = k.confrelid
        where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as needs
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'migration'
     order by c.relname`,
    [schemaName],
  );
  const ordered: CatalogTable[] = [];
  const waiting = new Map(rows.map((row) => [row.name, row]));
  while (waiting.size > 0) {
    const free = [...waiting.values()].filter(
      (row) => !row.needs.some((need) => waiting.has(need)),
    );
    assert(free.length > 0, "foreign keys of the schema form no circle");
    for (const row of free) {
      waiting.delete(row.name);
      ordered.push({ name: row.name, columns: row.columns });
    }
  }
  return ordered;
}

/** All partitions, each after its parent. */
export async function readPartitions(client: ClientBase): Promise<BackupPartition[]> {
  const { rows } = await client.query<BackupPartition & { kind: string }>(
    `select c.relname as name, p.relname as parent, c.relkind as kind,
       pg_get_expr(c.relpartbound, c.oid) as bound,
       c.relrowsecurity as "rowSecurity", c.relforcerowsecurity as "rowSecurityForced"
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     join pg_inherits i on i.inhrelid = c.oid join pg_class p on p.oid = i.inhparent
     where n.nspname = $1 and c.relispartition and c.relkind in ('r', 'p') order by c.relname`,
    [schemaName],
  );
  return rows.map(({ kind, ...partition }) => {
    assert(kind === "r", "partitions of the schema have no partitions of their own");
    return partition;
  });
}

/** Where each sequence stands. */
export async function readSequences(client: ClientBase): Promise<BackupSequence[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind = 'S' order by c.relname`,
    [schemaName],
  );
  const sequences: BackupSequence[] = [];
  for (const { name } of rows) {
    const state = await client.query<{ lastValue: string; isCalled: boolean }>(
      `select last_value::text as "lastValue", is_called as "isCalled" from ${client.escapeIdentifier(name)}`,
    );
    const [row] = state.rows;
    assert(row !== undefined, "a sequence has one row");
    sequences.push({ name, ...row });
  }
  return sequences;
}
