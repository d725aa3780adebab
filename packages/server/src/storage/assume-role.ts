/** Makes sure that a new session acts as the role it was opened for, before anything runs in it. */

import { PlatformError } from "@faultline/protocol";
import type { ClientBase } from "pg";

import { type DatabaseRole, searchPath } from "./postgres/connection.ts";

/**
 * Embedded sessions log in as their role; sessions by URL ask for it as they start. Some minor releases of PostgreSQL
 * (15.9, 16.5, 17.1) ignore that wish, and are then told by SET ROLE. A pooler that drops start-up options is refused:
 * behind it sessions of several roles may share one connection, and SET ROLE of one would reach the others.
 */
export async function assumeRole(client: ClientBase, role: DatabaseRole): Promise<void> {
  const before = await readSession(client);
  if (before.path !== searchPath) throw refusal(role, `has the search path ${before.path}`);
  if (before.role === role) return;
  try {
    await client.query(`set role ${role}`);
  } catch (error) {
    throw refusal(role, `acts as ${before.role}`, error);
  }
  const after = await readSession(client);
  if (after.role !== role) throw refusal(role, `acts as ${after.role}`);
}

async function readSession(client: ClientBase): Promise<{ role: string; path: string }> {
  const { rows } = await client.query<{ role: string; path: string }>(
    "select current_user as role, current_setting('search_path') as path",
  );
  return rows[0] ?? { role: "nobody", path: "" };
}

function refusal(role: DatabaseRole, found: string, cause?: unknown): PlatformError {
  return new PlatformError(
    "configuration_invalid",
    `A database session should act as ${role} in the platform's schema, and ${found}.`,
    {
      where: "DATABASE_URL",
      hint: "A connection pooler in between must pass start-up options on; connect to PostgreSQL directly.",
      cause,
    },
  );
}
