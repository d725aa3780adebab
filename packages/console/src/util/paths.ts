/** Every link of the console. A page never spells a path; it asks for one here. */

import { linkOptions } from "@tanstack/react-router";

import type { BudgetsSearch, EntriesSearch, LedgerSearch, SpendSearch } from "./ledger-search.ts";
import type { CasesSearch, OverviewSearch, TraceFilters, TraceSearch } from "./search.ts";

export const paths = {
  signIn: (redirect?: string) =>
    linkOptions({ to: "/sign-in", search: redirect === undefined ? {} : { redirect } }),
  overview: (search: OverviewSearch = {}) => linkOptions({ to: "/", search }),
  traces: (search: TraceFilters = {}) => linkOptions({ to: "/traces", search }),
  trace: (traceId: string, search: TraceSearch = {}) =>
    linkOptions({ to: "/traces/$traceId", params: { traceId }, search }),
  cases: (search: CasesSearch = {}) => linkOptions({ to: "/cases", search }),
  case: (number: number) =>
    linkOptions({ to: "/cases/$caseNumber", params: { caseNumber: String(number) } }),
  openCase: (search: { service?: string; operation?: string } = {}) =>
    linkOptions({ to: "/cases/new", search }),
  ledger: (search: LedgerSearch = {}) => linkOptions({ to: "/ledger", search }),
  spend: (search: SpendSearch = {}) => linkOptions({ to: "/ledger/spend", search }),
  lots: () => linkOptions({ to: "/ledger/lots" }),
  holds: () => linkOptions({ to: "/ledger/holds" }),
  budgets: (search: BudgetsSearch = {}) => linkOptions({ to: "/ledger/budgets", search }),
  entries: (search: EntriesSearch = {}) => linkOptions({ to: "/ledger/entries", search }),
  reconciliation: () => linkOptions({ to: "/ledger/reconciliation" }),
  reconciliationRun: (runId: string) =>
    linkOptions({ to: "/ledger/reconciliation/$runId", params: { runId } }),
  providerCosts: () => linkOptions({ to: "/ledger/provider-costs" }),
  regions: () => linkOptions({ to: "/ledger/regions" }),
  operation: (operationId: string) =>
    linkOptions({ to: "/ledger/operations/$operationId", params: { operationId } }),
  check: () => linkOptions({ to: "/check" }),
  compute: () => linkOptions({ to: "/compute" }),
  reservation: (reservationId: string) =>
    linkOptions({ to: "/compute/$reservationId", params: { reservationId } }),
};

/** Files that the server gives as they are, outside the router. */
export const downloads = {
  report: (caseId: string, format: "html" | "markdown") =>
    `/api/cases/${encodeURIComponent(caseId)}/report?format=${format}`,
  snapshot: (caseId: string, snapshotId: string) =>
    `/api/cases/${encodeURIComponent(caseId)}/snapshots/${encodeURIComponent(snapshotId)}`,
  entries: (query: { account?: string; from?: string }) =>
    `/api/ledger/export/entries?${new URLSearchParams(query).toString()}`,
  usage: (query: { from?: string }) =>
    `/api/ledger/export/usage?${new URLSearchParams(query).toString()}`,
};
