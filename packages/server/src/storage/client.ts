/** One session for one piece of set-up, migration or backup work. */

import { Client } from "pg";

import { raceAbort } from "#kernel/index.ts";

import { assumeRole } from "./assume-role.ts";
import { mapDatabaseError } from "./database-error.ts";
import type { DatabaseRole, PostgresConnection } from "./postgres/connection.ts";

export interface ClientOptions {
  readonly postgres: PostgresConnection;
  /** `set-up` is the superuser of the embedded server, or the user of the URL as it is. */
  readonly role: DatabaseRole | "set-up";
  readonly signal: AbortSignal;
}

/** Connects, works and closes, whatever happens. */
export async function withClient<T>(
  { postgres, role, signal }: ClientOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const client = new Client(
    role === "set-up" ? postgres.setUpConfig() : postgres.clientConfig(role),
  );
  // A session that breaks fails the statement that uses it; this listener keeps the process alive.
  client.on("error", () => {});
  try {
    await raceAbort(client.connect(), signal);
    if (role !== "set-up") await raceAbort(assumeRole(client, role), signal);
    return await raceAbort(work(client), signal);
  } catch (error) {
    throw mapDatabaseError(error);
  } finally {
    await client.end().catch(() => {});
  }
}
