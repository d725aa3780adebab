/** Reads the ledger of a tenant as it is committed, without its writer. */

import type {
  LedgerBalance,
  LedgerBudget,
  LedgerDifference,
  LedgerEntriesQuery,
  LedgerEntry,
  LedgerHold,
  LedgerUsage,
  LedgerUsageQuery,
  OperationCost,
} from "@faultline/protocol";

import type { Clock } from "#kernel/index.ts";
import type { Reader, Store, TenantScope } from "#storage/index.ts";

import { budgetStanding } from "../rules/set-budget.ts";
import { findDifferences, type ReconcileRequest } from "../reconcile/reconcile.ts";
import { readBudgets } from "../store/load-ledger.ts";
import { readBalance } from "./balance.ts";
import { explainOperation } from "./explain.ts";
import { bookLimits } from "./limits.ts";
import { entryColumns, showEntry, showHold } from "./shown.ts";
import { readUsage } from "./usage.ts";

export class LedgerBooks {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor({ store, clock }: { readonly store: Store; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  async balance(scope: TenantScope): Promise<LedgerBalance> {
    return this.#store.read(scope, (reader) => readBalance(reader, this.#clock.nowMs()));
  }

  /** Newest first. */
  async entries(scope: TenantScope, query: LedgerEntriesQuery): Promise<LedgerEntry[]> {
    const { account, before, limit = bookLimits.entryCount } = query;
    return this.#store.read(scope, async (reader) => {
      let entries = reader.selectFrom("ledger_transfer").select([...entryColumns]);
      if (before !== undefined) entries = entries.where("sequence", "<", String(before));
      if (account !== undefined) {
        entries = entries.where((where) =>
          where.or([where("from_account", "=", account), where("to_account", "=", account)]),
        );
      }
      const rows = await entries.orderBy("sequence", "desc").limit(limit).execute();
      return rows.map((row) => showEntry(row));
    });
  }

  /** Open holds, those that end first before others. */
  async openHolds(scope: TenantScope): Promise<LedgerHold[]> {
    return this.#store.read(scope, async (reader) => {
      const rows = await reader
        .selectFrom("ledger_hold")
        .select("record")
        .where("kind", "=", "hold")
        .where("state", "=", "open")
        .orderBy("ends_at_ms")
        .limit(bookLimits.holdCountMax)
        .execute();
      return rows.map(({ record }) => showHold(record));
    });
  }

  /** A hold, open or ended; `undefined` when there is none. */
  async hold(scope: TenantScope, id: string): Promise<LedgerHold | undefined> {
    return this.#store.read(scope, async (reader) => {
      const row = await reader
        .selectFrom("ledger_hold")
        .select("record")
        .where("kind", "=", "hold")
        .where("id", "=", id)
        .executeTakeFirst();
      return row === undefined ? undefined : showHold(row.record);
    });
  }

  /** Budgets by their ids, and how they stand now. */
  async budgets(scope: TenantScope): Promise<LedgerBudget[]> {
    return this.#store.read(scope, (reader) => this.#readBudgets(reader));
  }

  async usage(scope: TenantScope, query: LedgerUsageQuery): Promise<LedgerUsage> {
    const nowMs = this.#clock.nowMs();
    const untilMs = query.until === undefined ? nowMs : Date.parse(query.until);
    const fromMs =
      query.from === undefined ? untilMs - bookLimits.usageWindowMs : Date.parse(query.from);
    const by = query.by ?? "model";
    return this.#store.read(scope, (reader) => readUsage(reader, { by, fromMs, untilMs }));
  }

  /** What an operation cost. Throws `not_found`. */
  async explain(scope: TenantScope, operationId: string): Promise<OperationCost> {
    return this.#store.read(scope, (reader) => explainOperation(reader, operationId));
  }

  /** What does not agree; nothing is changed. */
  async differences(
    scope: TenantScope,
    invoice?: ReconcileRequest["invoice"],
  ): Promise<LedgerDifference[]> {
    const request = {
      nowMs: this.#clock.nowMs(),
      ...(invoice === undefined ? {} : { invoice }),
    };
    return this.#store.read(scope, (reader) => findDifferences(reader, request));
  }

  async #readBudgets(reader: Reader): Promise<LedgerBudget[]> {
    const budgets = await readBudgets(reader);
    return budgets
      .toSorted((left, right) => (left.terms.budgetId < right.terms.budgetId ? -1 : 1))
      .map((budget) => {
        const { budgetId, currency, scope, window, limitMicros } = budget.terms;
        const { isHard, thresholdPercents } = budget.terms;
        const { usedMicros, leftMicros } = budgetStanding(budget, this.#clock.nowMs());
        return {
          budgetId,
          currency,
          scope,
          window:
            window.kind === "rolling"
              ? { kind: "rolling" as const, durationSeconds: Math.ceil(window.durationMs / 1_000) }
              : window,
          isHard,
          thresholdPercents: [...thresholdPercents],
          limitMicros: String(limitMicros),
          usedMicros: String(usedMicros),
          leftMicros: String(leftMicros),
        };
      });
  }
}
