/** What reconciliations found and did: kept for long, within a bound, and shown in pages. */

import {
  type LedgerDifference,
  PlatformError,
  type ReconciliationRun,
  type ReconciliationRunDetail,
  type ReconciliationsQuery,
} from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader, Store, TenantScope, Writer } from "#storage/index.ts";

import { readMoment } from "../service/read-moment.ts";
import { reconcileLimits } from "./limits.ts";

/** A run that has ended. */
export interface FinishedRun {
  readonly id: string;
  readonly atMs: number;
  readonly cause: ReconciliationRun["cause"];
  /** Who asked; nobody on schedule. */
  readonly actor: string | undefined;
  readonly differences: readonly LedgerDifference[];
  /** Ids of the commands that made proposed entries. */
  readonly applied: readonly string[];
}

export interface ReconciliationHistoryParts {
  readonly store: Store;
  /** Of all runs of a tenant, as they are stored. Default: that of the limits. */
  readonly bytesMax?: number;
}

const runColumns = ["id", "at", "cause", "actor", "difference_count", "kinds", "applied"] as const;

export class ReconciliationHistory {
  readonly #store: Store;
  readonly #bytesMax: number;

  constructor({ store, bytesMax = reconcileLimits.historyBytesMax }: ReconciliationHistoryParts) {
    this.#store = store;
    this.#bytesMax = bytesMax;
  }

  /** Newest first. Throws `request_invalid`, and `not_found` for a run to begin behind that there is not. */
  async list(scope: TenantScope, query: ReconciliationsQuery): Promise<ReconciliationRun[]> {
    const { before, beforeId, limit = reconcileLimits.listedCount } = query;
    const beforeMs = before === undefined ? undefined : readMoment(before, "query /before");
    return this.#store.read(scope, async (reader) => {
      let runs = reader.selectFrom("ledger_reconciliation").select([...runColumns]);
      if (beforeMs !== undefined) runs = runs.where("at", "<", new Date(beforeMs));
      if (beforeId !== undefined) {
        const at = await readTime(reader, beforeId);
        runs = runs.where(sql<boolean>`(at, id) < (${at}::timestamptz, ${beforeId})`);
      }
      const rows = await runs.orderBy("at", "desc").orderBy("id", "desc").limit(limit).execute();
      return rows.map(showRun);
    });
  }

  /** Throws `not_found`. */
  async read(scope: TenantScope, id: string): Promise<ReconciliationRunDetail> {
    return this.#store.read(scope, async (reader) => {
      const row = await reader
        .selectFrom("ledger_reconciliation")
        .select([...runColumns, "differences"])
        .where("id", "=", id)
        .executeTakeFirst();
      if (row === undefined) throw unknownRun(id);
      // Written by `keep` alone.
      return { ...showRun(row), differences: row.differences as LedgerDifference[] };
    });
  }

  /** Keeps a run, and drops what is too old or too much. The newest one always stays. */
  async keep(scope: TenantScope, run: FinishedRun): Promise<void> {
    const { id, atMs, cause, actor, differences, applied } = run;
    const counts = Map.groupBy(differences, ({ kind }) => kind);
    const kinds = [...counts].map(([kind, { length }]) => ({ kind, count: length }));
    await this.#store.transact(scope, async (writer) => {
      await writer
        .insertInto("ledger_reconciliation")
        .values({
          tenant_id: scope.tenantId,
          id,
          at: new Date(atMs).toISOString(),
          cause,
          actor: actor ?? null,
          difference_count: differences.length,
          kinds: JSON.stringify(kinds),
          differences: textWithin(differences),
          applied: [...applied],
        })
        .execute();
      await writer
        .deleteFrom("ledger_reconciliation")
        .where("at", "<", new Date(atMs - reconcileLimits.keptMs))
        .execute();
      await this.#dropBeyondBytes(writer, id);
    });
  }

  /** What a row takes is read from its place on disk: nothing that is stored apart is opened for it. */
  async #dropBeyondBytes(writer: Writer, newestId: string): Promise<void> {
    await sql`
      with stored as (
        select id, sum(pg_column_size(differences) + pg_column_size(applied) + pg_column_size(kinds))
          over (order by at desc, id desc) as bytes
        from ledger_reconciliation
      )
      delete from ledger_reconciliation using stored
      where ledger_reconciliation.id = stored.id and stored.id <> ${newestId}
        and stored.bytes > ${this.#bytesMax}`.execute(writer);
  }
}

/** To the microsecond, as the database compares it. */
async function readTime(reader: Reader, id: string): Promise<string> {
  const row = await reader
    .selectFrom("ledger_reconciliation")
    .select(sql<string>`at::text`.as("at"))
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw unknownRun(id);
  return row.at;
}

function unknownRun(id: string): PlatformError {
  return new PlatformError("not_found", `There is no reconciliation '${id}'.`, {
    hint: "`faultline ledger reconcile --history` lists them.",
  });
}

function showRun(row: {
  readonly id: string;
  readonly at: Date;
  readonly cause: ReconciliationRun["cause"];
  readonly actor: string | null;
  readonly difference_count: number;
  readonly kinds: unknown;
  readonly applied: string[];
}): ReconciliationRun {
  const { id, at, cause, actor, difference_count: differenceCount, kinds, applied } = row;
  return {
    id,
    at: at.toISOString(),
    cause,
    ...(actor === null ? {} : { actor }),
    differenceCount,
    // Written by `keep` alone.
    kinds: kinds as ReconciliationRun["kinds"],
    applied,
  };
}

/** As many of the first differences as there is room for. */
function textWithin(differences: readonly LedgerDifference[]): string {
  const texts: string[] = [];
  let bytes = 0;
  for (const difference of differences.slice(0, reconcileLimits.keptDifferenceCountMax)) {
    const text = JSON.stringify(difference);
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > reconcileLimits.keptBytesMax) break;
    texts.push(text);
  }
  return `[${texts.join(",")}]`;
}
