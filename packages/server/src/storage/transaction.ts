/** One transaction on one session, seen through Kysely. */

import {
  CompiledQuery,
  Kysely,
  PostgresAdapter,
  PostgresDriver,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseConnection,
  type Dialect,
} from "kysely";
import type { PoolClient } from "pg";

import type { Schema } from "./schema/index.ts";
import type { Writer } from "./store.ts";

/**
 * Runs `work` between `begin` and `commit`. When it fails nothing is rolled back here: the caller closes the session,
 * which ends the transaction for certain, whatever state the session is in.
 */
export async function runTransaction<T>(
  client: PoolClient,
  begin: string,
  work: (writer: Writer) => Promise<T>,
): Promise<T> {
  const database = new Kysely<Schema>({ dialect: new SessionDialect(client, begin) });
  return await database.transaction().execute(work);
}

class SessionDialect implements Dialect {
  readonly #client: PoolClient;
  readonly #begin: string;

  constructor(client: PoolClient, begin: string) {
    this.#client = client;
    this.#begin = begin;
  }

  createDriver(): PostgresDriver {
    return new SessionDriver(this.#client, this.#begin);
  }

  createQueryCompiler(): PostgresQueryCompiler {
    return new PostgresQueryCompiler();
  }

  createAdapter(): PostgresAdapter {
    return new PostgresAdapter();
  }

  createIntrospector(
    database: ConstructorParameters<typeof PostgresIntrospector>[0],
  ): PostgresIntrospector {
    return new PostgresIntrospector(database);
  }
}

class SessionDriver extends PostgresDriver {
  readonly #begin: string;

  constructor(client: PoolClient, begin: string) {
    // Kysely sees a pool of the one session, which it neither opens nor closes.
    const session = {
      query: client.query.bind(client),
      release: () => {},
    };
    super({ pool: { connect: async () => session, end: async () => {} } });
    this.#begin = begin;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(this.#begin));
  }

  override async rollbackTransaction(): Promise<void> {}
}
