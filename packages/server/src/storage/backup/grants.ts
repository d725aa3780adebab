/** Lets the backup role read every row: an explicit policy on every table, instead of a bypass of row-level security. */

import type { Client } from "pg";

import { schemaName } from "../postgres/connection.ts";

interface TableRights {
  readonly name: string;
  readonly secured: boolean;
  readonly readable: boolean;
  readonly granted: boolean;
}

/**
 * Run by the owner after each migration, so that no table or sequence can be forgotten. A backup must hold the rows of all tenants,
 * and on a managed server nobody may have BYPASSRLS; so the role gets SELECT and a policy, and nothing it could write.
 */
export async function grantBackup(client: Client): Promise<void> {
  const tables = await client.query<TableRights>(
    `select c.relname as name, c.relrowsecurity as secured,
       has_table_privilege('faultline_backup', c.oid, 'select') as readable,
       exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'backup_read') as granted
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind in ('r', 'p', 'S') and not c.relispartition
     order by c.relname`,
    [schemaName],
  );
  for (const table of tables.rows) {
    const name = client.escapeIdentifier(table.name);
    if (!table.readable) await client.query(`grant select on ${name} to faultline_backup`);
    if (table.secured && !table.granted) {
      await client.query(
        `create policy backup_read on ${name} for select to faultline_backup using (true)`,
      );
    }
  }
}
