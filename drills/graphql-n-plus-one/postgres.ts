/** The drill's PostgreSQL: a server and a database of its own, under the platform's supervisor. */

import { systemClock } from "@faultline/server/kernel/index.ts";
import { acquireDataFolder, openPostgres } from "@faultline/server/storage/index.ts";
import { Client, type ClientConfig } from "pg";
import pino from "pino";

export interface DrillPostgres extends AsyncDisposable {
  /** How a client reaches the service's database, over the server's Unix socket. */
  readonly connection: ClientConfig;
}

const databaseName = "orders";

/** Starts the server in `dataFolder` and makes the database when it is not there. Disposing stops the server. */
export async function openPostgresServer(
  dataFolder: string,
  signal: AbortSignal,
): Promise<DrillPostgres> {
  await using stack = new AsyncDisposableStack();
  stack.use(await acquireDataFolder(dataFolder));
  const postgres = stack.use(
    await openPostgres({
      dataFolder,
      clock: systemClock,
      logger: pino({ level: "error" }, pino.destination(2)),
      signal,
    }),
  );
  // The session settings are the platform's; the service has a schema of its own.
  const { options: _, ...server } = postgres.setUpConfig();
  await makeDatabase(server);
  const opened = stack.move();
  return {
    connection: { ...server, database: databaseName, application_name: "orders" },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function makeDatabase(server: ClientConfig): Promise<void> {
  const client = new Client(server);
  await client.connect();
  try {
    const known = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [
      databaseName,
    ]);
    if (known.rowCount === 0) await client.query(`CREATE DATABASE ${databaseName}`);
  } finally {
    await client.end();
  }
}
