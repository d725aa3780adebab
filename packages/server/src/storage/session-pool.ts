/** A bounded pool of sessions in one role. A session whose work failed is never used again. */

import { Pool, type PoolClient } from "pg";
import type { Logger } from "pino";

import { type Clock, raceAbort } from "#kernel/index.ts";

import { assumeRole } from "./assume-role.ts";
import { columnTypes } from "./column-types.ts";
import { mapDatabaseError } from "./database-error.ts";
import type { DatabaseRole, PostgresConnection } from "./postgres/connection.ts";
import type { SessionUse } from "./store.ts";

export interface SessionPoolOptions {
  readonly postgres: PostgresConnection;
  readonly role: DatabaseRole;
  readonly sessionCountMax: number;
  /** How long one statement may take on the server. */
  readonly statementMsMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a caller waits for a free session before it gets `database_unavailable`. */
export const sessionWaitMsMax = 15_000;
const sessionIdleMsMax = 60_000;
/** How long a closing pool waits for the goodbyes of its sessions; a server that is away says none. */
const sessionEndMsMax = 2_000;

export class SessionPool implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #options: SessionPoolOptions;
  /** Sessions whose connection is open, also while they end. */
  readonly #open = new Set<PoolClient>();
  #ended: PromiseWithResolvers<void> | undefined;

  constructor(options: SessionPoolOptions) {
    const { postgres, role, logger } = options;
    this.#options = options;
    this.#pool = new Pool({
      ...postgres.clientConfig(role),
      max: options.sessionCountMax,
      connectionTimeoutMillis: sessionWaitMsMax,
      idleTimeoutMillis: sessionIdleMsMax,
      statement_timeout: options.statementMsMax,
      keepAlive: true,
      allowExitOnIdle: true,
      types: columnTypes,
      // oxlint-disable-next-line typescript/no-misused-promises -- pg-pool awaits it, though its types do not say so
      onConnect: async (client) => await assumeRole(client, role),
    });
    // A session that breaks while idle leaves the pool by itself; without listeners it would end the process.
    this.#pool.on("error", (error) => {
      // The server may end sessions at the moment at which they end themselves.
      const level = this.#ended === undefined ? "warn" : "debug";
      logger[level]({ err: error, role }, "an idle session broke");
    });
    this.#pool.on("remove", (client) => {
      this.#open.delete(client);
      if (this.#open.size === 0) this.#ended?.resolve();
    });
    this.#pool.on("connect", (client) => {
      this.#open.add(client);
      client.on("error", (error) => logger.debug({ err: error, role }, "a session broke"));
    });
  }

  get sessionUse(): SessionUse {
    return {
      role: this.#options.role,
      limit: this.#options.sessionCountMax,
      open: this.#pool.totalCount,
      idle: this.#pool.idleCount,
      waiting: this.#pool.waitingCount,
    };
  }

  /**
   * Lends a session to `work` and takes it back. When `work` fails, or the signal aborts first, the session is closed:
   * whatever transaction it was in ends with it, and no later caller can meet its remains.
   */
  async use<T>(signal: AbortSignal, work: (client: PoolClient) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const client = await this.#checkOut(signal);
    let finished = false;
    try {
      const result = await raceAbort(work(client), signal);
      finished = true;
      return result;
    } catch (error) {
      throw mapDatabaseError(error);
    } finally {
      client.release(!finished);
    }
  }

  /** Resolves when every session has ended, so that the server may be stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = Promise.withResolvers();
    await this.#pool.end();
    // The pool forgets its sessions before their connections have closed.
    if (this.#open.size === 0) return;
    const waiting = new AbortController();
    const late = this.#options.clock.sleep(sessionEndMsMax, waiting.signal).catch(() => {});
    await Promise.race([this.#ended.promise, late]);
    waiting.abort();
  }

  async #checkOut(signal: AbortSignal): Promise<PoolClient> {
    const connecting = this.#pool.connect();
    try {
      return await raceAbort(connecting, signal);
    } catch (error) {
      if (signal.aborted) {
        // The session that was asked for may still come; it goes back unused.
        connecting.then(
          (client) => client.release(),
          () => {},
        );
      }
      throw mapDatabaseError(error);
    }
  }
}
