/** Reads back who emitted rows. */

import type { Attributes } from "@faultline/contracts";
import { sql } from "kysely";

import type { Reader, TenantScope } from "#storage/index.ts";

export interface StoredOrigin {
  readonly resource: Attributes;
  readonly scope: { name: string; version?: string };
}

/** The origins of rows, by their id. Rows that share an origin share its objects. */
export async function readOrigins(
  reader: Reader,
  scope: TenantScope,
  ids: ReadonlySet<string>,
): Promise<Map<string, StoredOrigin>> {
  const { rows } = await sql<{
    id: string;
    resource: Attributes;
    scope_name: string;
    scope_version: string | null;
  }>`
    select distinct on (id) id::text, resource, scope_name, scope_version
    from telemetry_origin
    where tenant_id = ${scope.tenantId} and id = any(${[...ids]}::uuid[])
    order by id`.execute(reader.executor);
  return new Map(
    rows.map((row) => [
      row.id,
      {
        resource: row.resource,
        scope: {
          name: row.scope_name,
          ...(row.scope_version === null ? {} : { version: row.scope_version }),
        },
      },
    ]),
  );
}
