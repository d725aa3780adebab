/** The routes that show the ledger over time, and give it away as files. */

import { OperationParams } from "./api/ledger.ts";
import {
  BalanceSeries,
  BalanceSeriesQuery,
  BudgetForecastList,
  EntriesExportQuery,
  LedgerExportQuery,
  OperationTrace,
  RefusedCalls,
  RefusedCallsQuery,
  SpendSeries,
  SpendSeriesQuery,
  UsageExportQuery,
} from "./api/ledger-series.ts";
import { type ApiRoute, json } from "./route.ts";

/** Part of the table of all routes. */
export const ledgerSeriesRoutes = {
  readBalanceSeries: {
    method: "GET",
    path: "/api/ledger/series/balance",
    access: "ledger:read",
    summary: "Credit, what is held and debt of a currency over time.",
    query: BalanceSeriesQuery,
    reply: json(200, BalanceSeries),
  },
  readSpendSeries: {
    method: "GET",
    path: "/api/ledger/series/spend",
    access: "ledger:read",
    summary: "What was charged over time, by model, provider, key, user, tag or bundle.",
    query: SpendSeriesQuery,
    reply: json(200, SpendSeries),
  },
  forecastBudgets: {
    method: "GET",
    path: "/api/ledger/forecasts",
    access: "ledger:read",
    summary: "When each budget will be used up if spend goes on as it went lately.",
    reply: json(200, BudgetForecastList),
  },
  listRefusedCalls: {
    method: "GET",
    path: "/api/ledger/refusals",
    access: "telemetry:read",
    summary: "Model calls that were refused for want of credit or of a price, newest first.",
    query: RefusedCallsQuery,
    reply: json(200, RefusedCalls),
  },
  findOperationTrace: {
    method: "GET",
    path: "/api/ledger/operations/:id/trace",
    access: "telemetry:read",
    summary: "The trace in which the gateway made an operation.",
    params: OperationParams,
    reply: json(200, OperationTrace),
  },
  exportLedger: {
    method: "GET",
    path: "/api/ledger/export",
    access: "ledger:read",
    summary:
      "The ledger at this moment as lines of JSON, which `faultline check` reads: balances, entries, holds, leases and uses.",
    query: LedgerExportQuery,
    reply: { kind: "stream", status: 200, mediaTypes: ["application/x-ndjson"] },
  },
  exportEntries: {
    method: "GET",
    path: "/api/ledger/export/entries",
    access: "ledger:read",
    summary: "The entries of a window as CSV, oldest first.",
    query: EntriesExportQuery,
    reply: { kind: "stream", status: 200, mediaTypes: ["text/csv"] },
  },
  exportUsage: {
    method: "GET",
    path: "/api/ledger/export/usage",
    access: "ledger:read",
    summary: "Every use that was charged in a window as CSV, oldest first.",
    query: UsageExportQuery,
    reply: { kind: "stream", status: 200, mediaTypes: ["text/csv"] },
  },
} as const satisfies Record<string, ApiRoute>;
