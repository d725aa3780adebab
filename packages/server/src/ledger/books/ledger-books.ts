/** Reads the ledger of a tenant as it is committed, without its writer. */

import {
  type BalanceSeries,
  type BalanceSeriesQuery,
  type BudgetForecast,
  type EntriesExportQuery,
  type LedgerBalance,
  type LedgerBudget,
  type LedgerDifference,
  type LedgerEntriesQuery,
  type LedgerEntry,
  type LedgerExportQuery,
  type LedgerHold,
  type LedgerUsage,
  type LedgerUsageQuery,
  type OperationCost,
  PlatformError,
  type SpendSeries,
  type SpendSeriesQuery,
  type UsageExportQuery,
} from "@faultline/protocol";

import type { Clock } from "#kernel/index.ts";
import type { Reader, Store, TenantScope } from "#storage/index.ts";

import { budgetStanding } from "../rules/set-budget.ts";
import { type InvoiceCharges, readInvoiceCharges } from "../reconcile/compare-invoice.ts";
import type { Invoice } from "../reconcile/invoice.ts";
import { findDifferences, type ReconcileRequest } from "../reconcile/reconcile.ts";
import { readCurrency } from "../service/read-amount.ts";
import { readMoment } from "../service/read-moment.ts";
import { readBudgets } from "../store/load-ledger.ts";
import { readBalance } from "./balance.ts";
import { readBalanceSeries } from "./balance-series.ts";
import { readDoneCommands } from "./done-commands.ts";
import { explainOperation } from "./explain.ts";
import { exportEntries } from "./export-entries.ts";
import { readLedgerExport } from "./export-ledger.ts";
import { exportUsage } from "./export-usage.ts";
import { forecastBudget } from "./forecast.ts";
import { bookLimits } from "./limits.ts";
import { readRecentSpend } from "./recent-spend.ts";
import { type AskedWork, readReservedWork, type ReservedWork } from "./reserved-work.ts";
import { entryColumns, showEntry, showHold } from "./shown.ts";
import { readSpendSeries } from "./spend-series.ts";
import { stepWindow } from "./summaries.ts";
import { readUsage } from "./usage.ts";
import { readWindow } from "./window.ts";

const currencyPlace = "query /currency";

export class LedgerBooks {
  readonly #store: Store;
  readonly #clock: Clock;
  #exportCount = 0;

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
      if (before !== undefined)
        entries = entries
          .where("sequence", "<", String(before))
          .where("batch_first", "<", String(before));
      if (account !== undefined) {
        entries = entries.where((where) =>
          where.or([where("from_account", "=", account), where("to_account", "=", account)]),
        );
      }
      const rows = await entries
        .orderBy("batch_first", "desc")
        .orderBy("sequence", "desc")
        .limit(limit)
        .execute();
      return rows.map((row) => showEntry(row));
    });
  }

  /** Open holds, those that end first before others. */
  async openHolds(scope: TenantScope): Promise<LedgerHold[]> {
    return this.#store.read(scope, async (reader) => {
      const rows = await reader
        .selectFrom("ledger_open_hold")
        .select("record")
        .where("kind", "=", "hold")
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

  /** What was used in a window. Throws `request_invalid`, `currency_mismatch`. */
  async usage(scope: TenantScope, query: LedgerUsageQuery): Promise<LedgerUsage> {
    const window = readWindow(query, this.#clock.nowMs());
    const currency =
      query.currency === undefined ? undefined : readCurrency(query.currency, currencyPlace);
    const by = query.by ?? "model";
    return this.#store.read(scope, (reader) => readUsage(reader, { ...window, by, currency }));
  }

  /** What stood in the books over time. Throws `request_invalid`, `currency_mismatch`. */
  async balanceSeries(scope: TenantScope, query: BalanceSeriesQuery): Promise<BalanceSeries> {
    const nowMs = this.#clock.nowMs();
    const window = readWindow(query, nowMs);
    const currency = readCurrency(query.currency ?? "USD", currencyPlace);
    const stepCount = query.stepCount ?? bookLimits.seriesStepCount;
    const steps = { ...window, stepCount, nowMs, sumsOf: "hours" } as const;
    const stepped = await stepWindow(this.#store, scope, steps);
    return this.#store.read(scope, (reader) =>
      readBalanceSeries(reader, { ...stepped, currency, nowMs }),
    );
  }

  /** What was charged over time. Throws `request_invalid`, `currency_mismatch`. */
  async spendSeries(scope: TenantScope, query: SpendSeriesQuery): Promise<SpendSeries> {
    const nowMs = this.#clock.nowMs();
    const window = readWindow(query, nowMs);
    const request = {
      by: query.by ?? "model",
      currency: readCurrency(query.currency ?? "USD", currencyPlace),
      groupCount: query.groupCount ?? bookLimits.spendGroupCount,
    };
    const stepCount = query.bucketCount ?? bookLimits.seriesStepCount;
    const sumsOf = request.by === "user" ? "days" : "hours";
    const steps = { ...window, stepCount, nowMs, sumsOf } as const;
    const stepped = await stepWindow(this.#store, scope, steps);
    return this.#store.read(scope, (reader) => readSpendSeries(reader, { ...stepped, ...request }));
  }

  /** How long each budget lasts, by their ids. */
  async forecasts(scope: TenantScope): Promise<BudgetForecast[]> {
    const nowMs = this.#clock.nowMs();
    return this.#store.read(scope, async (reader) => {
      const budgets = await readBudgets(reader);
      const recent = await readRecentSpend(
        reader,
        budgets.map(({ terms }) => terms),
        nowMs,
      );
      return budgets
        .toSorted((left, right) => (left.terms.budgetId < right.terms.budgetId ? -1 : 1))
        .map((budget) => {
          const none = { micros: 0n, firstMs: undefined };
          return forecastBudget(budget, recent.get(budget.terms.budgetId) ?? none, nowMs);
        });
    });
  }

  /** Entries as lines of CSV, read while they are taken. Throws `request_invalid` at once. */
  exportEntries(scope: TenantScope, query: EntriesExportQuery): AsyncGenerator<string> {
    const window = readWindow(query, this.#clock.nowMs());
    return exportEntries(this.#store, scope, { ...window, account: query.account });
  }

  /** Uses as lines of CSV, read while they are taken. Throws `request_invalid` at once. */
  exportUsage(scope: TenantScope, query: UsageExportQuery): AsyncGenerator<string> {
    return exportUsage(this.#store, scope, readWindow(query, this.#clock.nowMs()));
  }

  /**
   * The whole ledger at this moment, in lines of JSON that contracts read; `since` leaves out what was before, save its sums.
   * Throws `request_invalid`, and `limit_exceeded` where it is more than is given at once.
   */
  async exportLedger(scope: TenantScope, { since }: LedgerExportQuery): Promise<readonly string[]> {
    const { ledgerExportCountMax } = bookLimits;
    const nowMs = this.#clock.nowMs();
    const fromMs = since === undefined ? undefined : readMoment(since, "query /since");
    if (this.#exportCount >= ledgerExportCountMax) {
      throw new PlatformError(
        "limit_exceeded",
        `${ledgerExportCountMax} ledgers are being exported at this moment, which is the limit.`,
        { hint: "Ask again in a few seconds." },
      );
    }
    this.#exportCount += 1;
    try {
      const request = { name: scope.tenantId, nowMs, fromMs };
      return await this.#store.read(scope, (reader) => readLedgerExport(reader, request));
    } finally {
      this.#exportCount -= 1;
    }
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

  /** What was charged for the models of an invoice in its time. */
  async invoiceCharges(scope: TenantScope, invoice: Invoice): Promise<InvoiceCharges> {
    return this.#store.read(scope, (reader) => readInvoiceCharges(reader, invoice));
  }

  /** What is held and was charged for work that somebody else counts. */
  async reservedWork(
    scope: TenantScope,
    asked: { readonly holdPrefix: string; readonly works: readonly AskedWork[] },
  ): Promise<ReservedWork> {
    return this.#store.read(scope, (reader) => readReservedWork(reader, asked));
  }

  /** Which of these commands took effect. */
  async doneCommands(scope: TenantScope, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#store.read(scope, (reader) => readDoneCommands(reader, ids));
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
