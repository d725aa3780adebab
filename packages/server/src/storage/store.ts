/** The only doors to the database: `read`, `transact` and `call` for one tenant, `ingest` for bulk telemetry, `system` across tenants. */

import type { TenantId } from "@faultline/protocol";
import type { Kysely, Transaction } from "kysely";

import type { Schema } from "./schema/index.ts";

/** Whose rows, and until when. Row-level security shows a scope only the rows of its tenant. */
export interface TenantScope {
  readonly tenantId: TenantId;
  readonly signal: AbortSignal;
}

/** Reads in one read-only transaction, so that several queries see one state. */
export type Reader = Pick<Kysely<Schema>, "selectFrom" | "with" | "fn" | "dynamic"> & {
  /** For plain SQL through Kysely's `sql` tag: `sql`…`.execute(reader.executor)`. */
  readonly executor: Kysely<Schema>;
};

/** Reads and writes in one transaction. It commits when `run` resolves and rolls back when it rejects. */
export type Writer = Transaction<Schema>;

/**
 * Rows for COPY: each row holds its values in the order of `columns`, as PostgreSQL text; `null` is NULL. A NUL character
 * becomes U+FFFD, because PostgreSQL stores none in text; inside JSON (`\\u0000`) the caller has to replace it.
 */
export interface IngestBatch {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: Iterable<readonly (string | null)[]>;
  /** What happens to a row that breaks a unique constraint: the call fails (default), or the row is left out. */
  readonly onConflict?: "fail" | "skip";
}

/** A function of the schema, and its arguments as text or in binary form. */
export interface FunctionCall {
  readonly name: string;
  readonly values: readonly (string | Buffer)[];
}

/** How busy the sessions of one role are. */
export interface SessionUse {
  readonly role: string;
  /** The most sessions that are ever open. */
  readonly limit: number;
  readonly open: number;
  /** Open and lent to nobody. */
  readonly idle: number;
  /** Callers that wait for one. */
  readonly waiting: number;
}

export interface Store extends AsyncDisposable {
  /** Throws `database_unavailable` when PostgreSQL cannot be reached. */
  read<T>(scope: TenantScope, run: (reader: Reader) => Promise<T>): Promise<T>;
  transact<T>(scope: TenantScope, run: (writer: Writer) => Promise<T>): Promise<T>;
  /**
   * Calls a function of the schema as the one statement of a durable transaction, which takes one round trip: whoever writes
   * all the time does not wait for this process in between. Resolves after the commit.
   */
  call(scope: TenantScope, call: FunctionCall): Promise<void>;
  /**
   * Copies batches into staging and from there into their tables, in one durable transaction, as the role
   * `faultline_ingest`, which can insert and nothing else. Resolves after the commit; gives the number of rows inserted.
   */
  ingest(signal: AbortSignal, batches: readonly IngestBatch[]): Promise<number>;
  /**
   * A transaction as the role `faultline_system`, which sees across tenants only what explicit policies
   * grant it: tenants, key hashes, sizes and partitions. For start-up, key snapshots and retention.
   */
  system<T>(signal: AbortSignal, run: (writer: Writer) => Promise<T>): Promise<T>;
  /** Resolves when a trivial statement came back. Throws `database_unavailable`. */
  ping(signal: AbortSignal): Promise<void>;
  /** For metrics: the sessions of each role at this moment. */
  sessions(): readonly SessionUse[];
}
