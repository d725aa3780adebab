/** PostgreSQL by `DATABASE_URL`: somebody else's server, on which we act through roles of our own. */

import { PlatformError } from "@faultline/protocol";
import { Client, type ClientConfig } from "pg";
import { parseIntoClientConfig } from "pg-connection-string";

import { raceAbort } from "#kernel/index.ts";

import { type PostgresConnection, postgresMajorMin, sessionOptions } from "./connection.ts";

const connectTimeoutMs = 10_000;

/** Connects once, checks the version, and gives the settings for every later client. */
export async function openUrl(
  databaseUrl: string,
  signal: AbortSignal,
): Promise<PostgresConnection> {
  const base = readUrl(databaseUrl);
  const version = await raceAbort(readVersion(base), signal);
  const major = Number.parseInt(version, 10);
  if (!(major >= postgresMajorMin)) {
    throw new PlatformError(
      "configuration_invalid",
      `DATABASE_URL names a PostgreSQL ${version}; version ${postgresMajorMin} or newer is needed.`,
      {
        where: "DATABASE_URL",
        hint: `Upgrade that server, or unset DATABASE_URL to use the embedded PostgreSQL.`,
      },
    );
  }
  const config = (extra: readonly string[]): ClientConfig => ({
    ...base,
    options: sessionOptions(base.options, extra),
  });
  return {
    kind: "url",
    version,
    description: `PostgreSQL ${version} at ${base.host ?? "localhost"}:${base.port ?? 5432}/${base.database ?? ""}`,
    // One user of the server serves all roles, and each session becomes its role as it starts, through the
    // start-up packet: no statement can run before it and none has to be remembered at each checkout. Every new
    // session is then asked who it is; see assume-role.ts.
    clientConfig: (role) => ({
      ...config([`role=${role}`]),
      application_name: `faultline ${role}`,
    }),
    setUpConfig: () => ({ ...config([]), application_name: "faultline set-up" }),
    // An outage of somebody else's server is never final for us: each request asks again.
    lost: new Promise<never>(() => {}),
    async [Symbol.asyncDispose]() {},
  };
}

function readUrl(databaseUrl: string): ClientConfig {
  const example = "postgres://user:password@host:5432/database";
  try {
    const { protocol } = new URL(databaseUrl);
    if (protocol === "postgres:" || protocol === "postgresql:") {
      return { ...parseIntoClientConfig(databaseUrl), connectionTimeoutMillis: connectTimeoutMs };
    }
  } catch {
    // The text may hold a password, so neither it nor the parser's message is repeated.
  }
  throw new PlatformError("configuration_invalid", `DATABASE_URL should read like ${example}.`, {
    where: "DATABASE_URL",
    hint: "Percent-encode special characters of the password.",
  });
}

async function readVersion(config: ClientConfig): Promise<string> {
  const client = new Client(config);
  client.on("error", () => {});
  try {
    await client.connect();
    const result = await client.query<{ server_version: string }>("show server_version");
    return result.rows[0]?.server_version.split(" ")[0] ?? "";
  } catch (error) {
    throw new PlatformError(
      "database_unavailable",
      `The PostgreSQL at ${config.host ?? "localhost"}:${config.port ?? 5432} cannot be reached: ${describe(error)}.`,
      {
        where: "DATABASE_URL",
        hint: "Check that it runs and that user and password fit.",
        cause: error,
      },
    );
  } finally {
    await client.end().catch(() => {});
  }
}

function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(String).join("; ");
  return error instanceof Error ? error.message : String(error);
}
