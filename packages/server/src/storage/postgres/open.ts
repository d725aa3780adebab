/** Opens PostgreSQL: the embedded server, or the one that `DATABASE_URL` names. */

import type { PostgresConnection } from "./connection.ts";
import { EmbeddedPostgres, type EmbeddedOptions } from "./embedded.ts";
import { openUrl } from "./url.ts";

export interface OpenPostgresOptions extends EmbeddedOptions {
  /** A PostgreSQL of somebody else's; without it, the embedded one is started in the data folder. */
  readonly databaseUrl?: string | undefined;
}

/** Resolves when the server answers. Disposal shuts the embedded server down. */
export async function openPostgres(options: OpenPostgresOptions): Promise<PostgresConnection> {
  if (options.databaseUrl !== undefined) return await openUrl(options.databaseUrl, options.signal);
  return await EmbeddedPostgres.open(options);
}
