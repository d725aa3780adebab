/** Opens the store: sets the database up, migrates it, and lends sessions per role. */

import type { Logger } from "pino";

import type { Clock } from "#kernel/index.ts";

import { withClient } from "./client.ts";
import { ingestBatches } from "./ingest.ts";
import { migrate, type Migration, readMigrations } from "./migrations.ts";
import type { PostgresConnection } from "./postgres/connection.ts";
import { SessionPool } from "./session-pool.ts";
import { setUpDatabase } from "./set-up.ts";
import type { FunctionCall, Reader, SessionUse, Store, TenantScope, Writer } from "./store.ts";
import { runTransaction } from "./transaction.ts";

export interface OpenStoreOptions {
  readonly postgres: PostgresConnection;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the opening, not the store. */
  readonly signal: AbortSignal;
}

/** Sessions per role; their sum stays well below the embedded server's max_connections. */
const sessionCountMax = { app: 12, ingest: 3, system: 3 } as const;
const statementMsMax = { app: 30_000, ingest: 60_000, system: 120_000 } as const;

/** Resolves when the database is at this version's schema. Throws `data_folder_incompatible` when it cannot be. */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  await prepareDatabase(options, await readMigrations());
  return new PostgresStore(options);
}

/** Sets up roles and schema and applies `migrations`. Idempotent, and safe against a second starter. */
export async function prepareDatabase(
  options: Pick<OpenStoreOptions, "postgres" | "logger" | "signal">,
  migrations: readonly Migration[],
): Promise<void> {
  const { postgres, logger, signal } = options;
  await withClient({ postgres, signal, role: "set-up" }, async (client) => {
    await setUpDatabase(client, postgres);
  });
  await withClient({ postgres, signal, role: "faultline_owner" }, async (client) => {
    const added = await migrate(client, migrations);
    if (added.length > 0) logger.info({ migrations: added }, "the database was migrated");
  });
}

class PostgresStore implements Store {
  readonly #app: SessionPool;
  readonly #ingest: SessionPool;
  readonly #system: SessionPool;

  constructor(options: OpenStoreOptions) {
    const pool = (role: keyof typeof sessionCountMax): SessionPool =>
      new SessionPool({
        postgres: options.postgres,
        role: `faultline_${role}`,
        sessionCountMax: sessionCountMax[role],
        statementMsMax: statementMsMax[role],
        clock: options.clock,
        logger: options.logger,
      });
    this.#app = pool("app");
    this.#ingest = pool("ingest");
    this.#system = pool("system");
  }

  async read<T>(scope: TenantScope, run: (reader: Reader) => Promise<T>): Promise<T> {
    return await this.#app.use(scope.signal, async (client) => {
      const tenant = client.escapeLiteral(scope.tenantId);
      const begin =
        "begin isolation level repeatable read, read only; " +
        `select set_config('faultline.tenant', ${tenant}, true)`;
      return await runTransaction(client, begin, async (writer) => await run(asReader(writer)));
    });
  }

  async transact<T>(scope: TenantScope, run: (writer: Writer) => Promise<T>): Promise<T> {
    return await this.#app.use(scope.signal, async (client) => {
      const tenant = client.escapeLiteral(scope.tenantId);
      const begin = `begin; select set_config('faultline.tenant', ${tenant}, true)`;
      return await runTransaction(client, begin, run);
    });
  }

  async call(scope: TenantScope, { name, values }: FunctionCall): Promise<void> {
    const places = values.map((_, index) => `$${index + 2}`).join();
    const text =
      "with scope as materialized (select set_config('faultline.tenant', $1, true)) " +
      `select ${name}(${places}) from scope`;
    await this.#app.use(scope.signal, async (client) => {
      await client.query(text, [scope.tenantId, ...values]);
    });
  }

  async ingest(signal: AbortSignal, batches: Parameters<Store["ingest"]>[1]): Promise<number> {
    return await this.#ingest.use(signal, async (client) => await ingestBatches(client, batches));
  }

  async system<T>(signal: AbortSignal, run: (writer: Writer) => Promise<T>): Promise<T> {
    return await this.#system.use(
      signal,
      async (client) => await runTransaction(client, "begin", run),
    );
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#app.use(signal, async (client) => await client.query("select 1"));
  }

  sessions(): SessionUse[] {
    return [this.#app.sessionUse, this.#ingest.sessionUse, this.#system.sessionUse];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      this.#app[Symbol.asyncDispose](),
      this.#ingest[Symbol.asyncDispose](),
      this.#system[Symbol.asyncDispose](),
    ]);
  }
}

function asReader(writer: Writer): Reader {
  return {
    executor: writer,
    selectFrom: writer.selectFrom.bind(writer),
    with: writer.with.bind(writer),
    fn: writer.fn,
    dynamic: writer.dynamic,
  };
}
