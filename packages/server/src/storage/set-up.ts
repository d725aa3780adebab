/** What must stand before the first migration: the roles, their right to connect, and the schema. */

import { PlatformError } from "@faultline/protocol";
import type { Client } from "pg";

import {
  type DatabaseRole,
  databaseRoles,
  type PostgresConnection,
  schemaName,
} from "./postgres/connection.ts";

/** Two starters on one server may make the same role at once; the loser looks again. */
const attemptCountMax = 5;
const raceCodes: readonly string[] = ["23505", "42710", "42P06", "XX000", "40001"];

/** Makes what is missing and refuses what is unsafe. Leaves everything as it is on a later start. */
export async function setUpDatabase(client: Client, postgres: PostgresConnection): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await makeRoles(client, postgres.kind);
      await grantDatabase(client, postgres.kind);
      await makeSchema(client);
      return;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      if (raceCodes.includes(code) && attempt < attemptCountMax) continue;
      if (code === "42501") throw missingRight(error);
      throw error;
    }
  }
}

async function makeRoles(client: Client, kind: PostgresConnection["kind"]): Promise<void> {
  for (const role of databaseRoles) {
    const found = await client.query<{ unsafe: boolean }>(
      "select rolsuper or rolbypassrls as unsafe from pg_roles where rolname = $1",
      [role],
    );
    const [row] = found.rows;
    if (row === undefined) {
      // An embedded session logs in as its role. Elsewhere the user of the URL becomes it.
      const login = kind === "embedded" ? "login" : "nologin";
      await client.query(
        `create role ${role} ${login} noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls`,
      );
    } else if (row.unsafe) {
      throw unsafeRole(role);
    }
    if (kind === "url") await becomeMember(client, role);
  }
}

async function becomeMember(client: Client, role: DatabaseRole): Promise<void> {
  const found = await client.query<{ able: boolean }>(
    // From version 16 a membership may lack the right to SET ROLE; before, membership alone gives it.
    `select case when current_setting('server_version_num')::int >= 160000
            then pg_has_role(current_user, $1, 'SET') else pg_has_role(current_user, $1, 'MEMBER') end as able`,
    [role],
  );
  if (found.rows[0]?.able !== true) await client.query(`grant ${role} to current_user`);
}

async function grantDatabase(client: Client, kind: PostgresConnection["kind"]): Promise<void> {
  const { rows } = await client.query<{ name: string }>("select current_database() as name");
  const database = client.escapeIdentifier(rows[0]?.name ?? "");
  if (kind === "embedded") {
    await client.query(`revoke all on database ${database} from public`);
    await client.query("revoke all on schema public from public");
  }
  for (const role of databaseRoles) {
    // Ingest copies into temporary tables before it inserts.
    const rights = role === "faultline_ingest" ? ["connect", "temporary"] : ["connect"];
    for (const right of rights) {
      const able = await client.query<{ able: boolean }>(
        "select has_database_privilege($1, current_database(), $2) as able",
        [role, right],
      );
      if (able.rows[0]?.able !== true) {
        await client.query(`grant ${right} on database ${database} to ${role}`);
      }
    }
  }
}

async function makeSchema(client: Client): Promise<void> {
  const found = await client.query<{ owner: string }>(
    "select pg_get_userbyid(nspowner) as owner from pg_namespace where nspname = $1",
    [schemaName],
  );
  const [row] = found.rows;
  if (row === undefined) {
    await client.query(`create schema ${schemaName} authorization faultline_owner`);
  } else if (row.owner !== "faultline_owner") {
    throw new PlatformError(
      "configuration_invalid",
      `The schema ${schemaName} of the database belongs to ${row.owner}, and should belong to faultline_owner.`,
      {
        where: "DATABASE_URL",
        hint: "Name a database in which no other program uses this schema.",
      },
    );
  }
}

function unsafeRole(role: DatabaseRole): PlatformError {
  return new PlatformError(
    "configuration_invalid",
    `The role ${role} may bypass row-level security, which would let one tenant read another's rows.`,
    {
      where: "DATABASE_URL",
      hint: `Run: ALTER ROLE ${role} NOSUPERUSER NOBYPASSRLS`,
    },
  );
}

function missingRight(error: unknown): PlatformError {
  const message = error instanceof Error ? error.message : String(error);
  return new PlatformError(
    "configuration_invalid",
    `The user of DATABASE_URL lacks a right that set-up needs: ${message}.`,
    {
      where: "DATABASE_URL",
      hint:
        "Give it CREATEROLE, and CREATE and TEMPORARY on the database, for the first start; " +
        `or let an administrator create the roles ${databaseRoles.join(", ")}, the schema ${schemaName} owned by ` +
        "faultline_owner, and grant the roles to the user.",
      cause: error,
    },
  );
}
