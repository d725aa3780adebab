/** Runs reconciliations: finds what does not agree, makes the entries that were agreed to, and keeps what each run found. */

import {
  type LedgerDifference,
  PlatformError,
  type Reconciliation,
  type ReconciliationRun,
  type ReconciliationRunDetail,
  type ReconciliationsQuery,
} from "@faultline/protocol";

import type { Clock, Ids } from "#kernel/index.ts";
import type { Store, TenantScope } from "#storage/index.ts";

import type { LedgerBooks } from "../books/ledger-books.ts";
import type { Ledger } from "../service/ledger.ts";
import { type LedgerRequest, refuseUnstorableText } from "../service/ledger-request.ts";
import { readMoment } from "../service/read-moment.ts";
import { refusalError } from "../service/refusal-error.ts";
import { type Invoice, invoiceCosts } from "./invoice.ts";

/** Differences of a run that are kept one by one; all are counted. */
const keptCountMax = 500;
const keptBytesMax = 4_000_000;
const keptMs = 400 * 86_400_000;
const listedCount = 50;

/** What a run is to do. */
export interface RunRequest {
  readonly cause: ReconciliationRun["cause"];
  /** Who asked. */
  readonly actor?: string;
  readonly invoice?: Invoice;
  /** Whether the proposed entries are made. */
  readonly applies: boolean;
  /** Whether what the invoice says is entered as cost of its providers. */
  readonly books: boolean;
}

/** A journal that was lost may still be found and charged: only a person gives back what it may have spent. */
function mayApply(kind: LedgerDifference["kind"], { cause }: RunRequest): boolean {
  return kind !== "lease-unread" || cause !== "schedule";
}

export interface ReconciliationsParts {
  readonly store: Store;
  readonly ledger: Pick<Ledger, "submit">;
  readonly books: Pick<LedgerBooks, "differences">;
  readonly clock: Clock;
  readonly ids: Ids;
}

export class Reconciliations {
  readonly #parts: ReconciliationsParts;

  constructor(parts: ReconciliationsParts) {
    this.#parts = parts;
  }

  /** Compares, and makes what the request says. Throws what the ledger refuses. */
  async run(scope: TenantScope, request: RunRequest): Promise<Reconciliation> {
    const { books, clock, ids } = this.#parts;
    const { invoice, applies } = request;
    // What a run found could not be kept after its entries were made.
    refuseUnstorableText(invoice);
    const atMs = clock.nowMs();
    const costs = invoice !== undefined && request.books ? invoiceCosts(invoice) : [];
    const differences = await books.differences(scope, invoice);
    const applicable = applies ? differences.filter(({ kind }) => mayApply(kind, request)) : [];
    const entries = applicable.flatMap(({ proposal }) => proposal ?? []);
    const applied: string[] = [];
    const runId = ids.next();
    try {
      for (const { commandId: id, currency, direction, amountMicros } of entries) {
        const entry = { id, currency, direction, amountMicros: BigInt(amountMicros) };
        await this.#submit(scope, { kind: "adjust", ...entry });
        applied.push(id);
      }
      for (const cost of costs) await this.#submit(scope, cost);
    } finally {
      // Entries were made, whether or not a later one was refused.
      await this.#keep(scope, { id: runId, atMs, request, differences, applied });
    }
    const booked = costs.map(({ id }) => id);
    return { at: new Date(atMs).toISOString(), runId, differences, applied, booked };
  }

  /** Newest first. Throws `request_invalid`. */
  async list(scope: TenantScope, query: ReconciliationsQuery): Promise<ReconciliationRun[]> {
    const { before, limit = listedCount } = query;
    const beforeMs = before === undefined ? undefined : readMoment(before, "query /before");
    return this.#parts.store.read(scope, async (reader) => {
      let runs = reader.selectFrom("ledger_reconciliation").select([...runColumns]);
      if (beforeMs !== undefined) runs = runs.where("at", "<", new Date(beforeMs));
      const rows = await runs.orderBy("at", "desc").orderBy("id", "desc").limit(limit).execute();
      return rows.map(showRun);
    });
  }

  /** Throws `not_found`. */
  async read(scope: TenantScope, id: string): Promise<ReconciliationRunDetail> {
    return this.#parts.store.read(scope, async (reader) => {
      const row = await reader
        .selectFrom("ledger_reconciliation")
        .select([...runColumns, "differences"])
        .where("id", "=", id)
        .executeTakeFirst();
      // Written by `#keep` alone.
      if (row !== undefined)
        return { ...showRun(row), differences: row.differences as LedgerDifference[] };
      throw new PlatformError("not_found", `There is no reconciliation '${id}'.`, {
        hint: "`faultline ledger reconcile --history` lists them.",
      });
    });
  }

  async #submit(scope: TenantScope, request: LedgerRequest): Promise<void> {
    const answer = await this.#parts.ledger.submit(scope, request);
    if (answer.kind === "refused") throw refusalError(answer);
  }

  async #keep(scope: TenantScope, run: FinishedRun): Promise<void> {
    const { id, atMs, request, differences, applied } = run;
    const counts = Map.groupBy(differences, ({ kind }) => kind);
    const kinds = [...counts].map(([kind, { length }]) => ({ kind, count: length }));
    await this.#parts.store.transact(scope, async (writer) => {
      await writer
        .insertInto("ledger_reconciliation")
        .values({
          tenant_id: scope.tenantId,
          id,
          at: new Date(atMs).toISOString(),
          cause: request.cause,
          actor: request.actor ?? null,
          difference_count: differences.length,
          kinds: JSON.stringify(kinds),
          differences: textWithin(differences),
          applied,
        })
        .execute();
      await writer
        .deleteFrom("ledger_reconciliation")
        .where("at", "<", new Date(atMs - keptMs))
        .execute();
    });
  }
}

interface FinishedRun {
  readonly id: string;
  readonly atMs: number;
  readonly request: RunRequest;
  readonly differences: readonly LedgerDifference[];
  readonly applied: string[];
}

const runColumns = ["id", "at", "cause", "actor", "difference_count", "kinds", "applied"] as const;

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
    // Written by `#keep` alone.
    kinds: kinds as ReconciliationRun["kinds"],
    applied,
  };
}

/** As many of the first differences as there is room for. */
function textWithin(differences: readonly LedgerDifference[]): string {
  const texts: string[] = [];
  let bytes = 0;
  for (const difference of differences.slice(0, keptCountMax)) {
    const text = JSON.stringify(difference);
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > keptBytesMax) break;
    texts.push(text);
  }
  return `[${texts.join(",")}]`;
}
