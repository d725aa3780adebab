/** Opens PostgreSQL: the embedded server, or the one that `DATABASE_URL` names. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { PlatformError } from "@faultline/protocol";

import { acquireDataFolder } from "../data-folder.ts";
import {
  embeddedConfigs,
  embeddedDatabaseName,
  embeddedSuperuser,
  type PostgresConnection,
} from "./connection.ts";
import { type EmbeddedOptions, EmbeddedPostgres } from "./embedded.ts";
import { readServerRecord } from "./orphan.ts";
import { locateCluster } from "./placement.ts";
import { openUrl } from "./url.ts";

export interface OpenPostgresOptions extends EmbeddedOptions {
  /** A PostgreSQL of somebody else's; without it, the embedded one is started in the data folder. */
  readonly databaseUrl?: string | undefined;
}

export interface ReachPostgresOptions extends OpenPostgresOptions {
  /** Throws `not_found` where no platform was ever started, instead of making a data folder. */
  readonly mustExist?: boolean;
}

/** Resolves when the server answers. Disposal shuts the embedded server down. */
export async function openPostgres(options: OpenPostgresOptions): Promise<PostgresConnection> {
  if (options.databaseUrl !== undefined) return await openUrl(options.databaseUrl, options.signal);
  return await EmbeddedPostgres.open(options);
}

/**
 * Reaches the platform's database beside a running platform, or starts it when none runs, locking the data folder
 * itself. For backups and diagnosis. Disposal stops only what this call started.
 */
export async function reachPostgres(options: ReachPostgresOptions): Promise<PostgresConnection> {
  if (options.databaseUrl !== undefined) return await openUrl(options.databaseUrl, options.signal);
  const running = await attachPostgres(options.dataFolder);
  if (running !== undefined) return running;
  if (options.mustExist === true) await requireCluster(options.dataFolder);

  await using stack = new AsyncDisposableStack();
  stack.use(await acquireDataFolder(options.dataFolder));
  const postgres = stack.use(await EmbeddedPostgres.open(options));
  const opened = stack.move();
  return {
    kind: postgres.kind,
    version: postgres.version,
    description: postgres.description,
    lost: postgres.lost,
    clientConfig: (role) => postgres.clientConfig(role),
    setUpConfig: () => postgres.setUpConfig(),
    [Symbol.asyncDispose]: async () => await opened.disposeAsync(),
  };
}

async function requireCluster(dataFolder: string): Promise<void> {
  const version = join(await locateCluster(dataFolder), "PG_VERSION");
  const found = await readFile(version, "utf8").catch(() => undefined);
  if (found !== undefined) return;
  throw new PlatformError("not_found", `There is no platform in the data folder ${dataFolder}.`, {
    where: dataFolder,
    hint: "Name the data folder of a platform that was started before, with --data.",
  });
}

/** The embedded server that another process runs on this data folder; `undefined` when none runs. */
export async function attachPostgres(dataFolder: string): Promise<PostgresConnection | undefined> {
  const clusterFolder = await locateCluster(dataFolder);
  const record = await readServerRecord(clusterFolder);
  if (record?.running !== true) return undefined;
  const { socketFolder } = record;
  const version = (await readFile(join(clusterFolder, "PG_VERSION"), "utf8")).trim();
  return {
    kind: "embedded",
    version,
    description: `running PostgreSQL ${version} in ${clusterFolder}, socket in ${socketFolder}`,
    // Its own supervisor watches it.
    lost: new Promise<never>(() => {}),
    ...embeddedConfigs({
      socketFolder,
      database: embeddedDatabaseName,
      superuser: embeddedSuperuser,
    }),
    async [Symbol.asyncDispose]() {},
  };
}
