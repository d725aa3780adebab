/** A fresh, migrated database for one test file, on the PostgreSQL of the test run. */

import { type TenantId, parseTenantId } from "@faultline/protocol";
import { assert, systemClock, systemRandom } from "@faultline/server/kernel/index.ts";
import {
  embeddedConfigs,
  openStore,
  type PostgresConnection,
  type Store,
} from "@faultline/server/storage/index.ts";
import { Client } from "pg";
import { pino } from "pino";
import { inject } from "vitest";

import "./vitest-global-setup.ts";

export interface TestDatabase extends AsyncDisposable {
  readonly store: Store;
  readonly postgres: PostgresConnection;
  /** A tenant that exists. */
  readonly tenantId: TenantId;
  /** Makes another tenant. */
  createTenant(name: string): Promise<TenantId>;
  /** Runs SQL as the superuser, past row-level security, to look at or to break what the platform made. */
  sql<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** Opens a database of its own. Disposal closes the store and drops it. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const server = inject("faultlinePostgres");
  // Unique among the processes and the files of this run, which share one server.
  const database = `test_${Buffer.from(systemRandom.bytes(8)).toString("hex")}`;
  await using stack = new AsyncDisposableStack();
  await administer(server, `create database ${database} template faultline`);
  stack.defer(async () => await administer(server, `drop database ${database} with (force)`));

  const configs = embeddedConfigs({ ...server, database });
  const postgres: PostgresConnection = {
    kind: "embedded",
    version: "18",
    description: `test database ${database}`,
    lost: new Promise(() => {}),
    async [Symbol.asyncDispose]() {},
    ...configs,
  };
  const signal = new AbortController().signal;
  const logger = pino({ level: "silent" });
  const store = stack.use(await openStore({ postgres, clock: systemClock, logger, signal }));
  const admin = new Client(configs.setUpConfig());
  admin.on("error", () => {});
  await admin.connect();
  stack.defer(async () => await admin.end());

  const createTenant = async (name: string): Promise<TenantId> => {
    const tenantId = parseTenantId(name);
    assert(tenantId !== undefined, "a test names its tenants as tenants are named");
    await admin.query("insert into tenant (id) values ($1)", [tenantId]);
    return tenantId;
  };
  const tenantId = await createTenant("default");
  const opened = stack.move();
  return {
    store,
    postgres,
    tenantId,
    createTenant,
    async sql<Row extends object>(text: string, values: readonly unknown[] = []) {
      const result = await admin.query<Row>(text, [...values]);
      return result.rows;
    },
    [Symbol.asyncDispose]: async () => await opened.disposeAsync(),
  };
}

/** One statement in the maintenance database. */
async function administer(
  server: { socketFolder: string; superuser: string },
  statement: string,
): Promise<void> {
  const client = new Client(embeddedConfigs({ ...server, database: "postgres" }).setUpConfig());
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
