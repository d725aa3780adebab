/** One client for one piece of set-up, migration or backup work. */

import type { Client } from "pg";

import { raceAbort } from "#kernel/index.ts";

import { mapDatabaseError } from "./database-error.ts";

/** Connects, works and closes, whatever happens. */
export async function withClient<T>(
  client: Client,
  signal: AbortSignal,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  client.on("error", () => {});
  try {
    await raceAbort(client.connect(), signal);
    return await raceAbort(work(client), signal);
  } catch (error) {
    throw mapDatabaseError(error);
  } finally {
    await client.end().catch(() => {});
  }
}
