/** A running PostgreSQL as the rest of storage sees it: how to connect, in which role, and when it is lost. */

import type { PlatformError } from "@faultline/protocol";
import type { ClientConfig } from "pg";

/**
 * The roles of the platform. None can bypass row-level security, and only the owner owns anything.
 * - `faultline_owner` owns the schema and runs migrations, nothing else.
 * - `faultline_app` serves one tenant at a time.
 * - `faultline_ingest` inserts telemetry and reads nothing.
 * - `faultline_system` does upkeep across tenants, as far as explicit policies allow.
 * - `faultline_backup` reads every row, for backups.
 */
export const databaseRoles = [
  "faultline_owner",
  "faultline_app",
  "faultline_ingest",
  "faultline_system",
  "faultline_backup",
] as const;
export type DatabaseRole = (typeof databaseRoles)[number];

/** The schema that holds all of the platform's tables. */
export const schemaName = "faultline";
/** The database of the embedded PostgreSQL. */
export const embeddedDatabaseName = "faultline";
/** The oldest PostgreSQL that `DATABASE_URL` may name. */
export const postgresMajorMin = 15;

export interface PostgresConnection extends AsyncDisposable {
  /** `embedded`: our own server, whose superuser we are. `url`: someone else's server, as the user of the URL. */
  readonly kind: "embedded" | "url";
  /** For example `18.4`. */
  readonly version: string;
  /** Where it is, without a password. For logs and `doctor`. */
  readonly description: string;
  /** Settings of a client that acts as `role`. */
  clientConfig(role: DatabaseRole): ClientConfig;
  /** Settings of the client that sets up roles and the schema. */
  setUpConfig(): ClientConfig;
  /** Resolves with the reason when the server is gone and will not come back by itself. */
  readonly lost: Promise<PlatformError>;
}

/** Temporary objects come last, so that none can stand before a table or function of ours. */
export const searchPath = `${schemaName},pg_temp`;

/** What every session of the platform starts with. */
const sessionSettings: readonly string[] = [
  `search_path=${searchPath}`,
  "TimeZone=UTC",
  "idle_in_transaction_session_timeout=60000",
  // A backend whose client went away in mid-query stops within this time instead of finishing for nobody.
  "client_connection_check_interval=500",
];

/** The `options` of a session: our settings after those that the URL may bring. */
export function sessionOptions(inherited: string | undefined, extra: readonly string[]): string {
  const settings = [...sessionSettings, ...extra].map((setting) => `-c ${setting}`);
  return [...(inherited === undefined ? [] : [inherited]), ...settings].join(" ");
}

export interface EmbeddedAddress {
  /** The folder that holds the Unix socket. */
  readonly socketFolder: string;
  readonly database: string;
  readonly superuser: string;
}

/** Client settings for a server of ours, where each role logs in as itself: its session can become no other. */
export function embeddedConfigs(
  address: EmbeddedAddress,
): Pick<PostgresConnection, "clientConfig" | "setUpConfig"> {
  const config = (user: string): ClientConfig => ({
    host: address.socketFolder,
    port: embeddedPort,
    database: address.database,
    user,
    // Stated, so that PGSSLMODE and PGPASSWORD of the environment do not reach it.
    ssl: false,
    password: "",
    application_name: `faultline ${user}`,
    options: sessionOptions(undefined, []),
  });
  return {
    clientConfig: (role) => config(role),
    setUpConfig: () => config(address.superuser),
  };
}

/** Stands only in the name of the socket; the server listens on no TCP port. */
export const embeddedPort = 5432;
export const embeddedSuperuser = "faultline_superuser";
