/** Every link of the console. A page never spells a path; it asks for one here. */

import { linkOptions } from "@tanstack/react-router";

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
};

/** Files that the server gives as they are, outside the router. */
export const downloads = {
  report: (caseId: string, format: "html" | "markdown") =>
    `/api/cases/${encodeURIComponent(caseId)}/report?format=${format}`,
  snapshot: (caseId: string, snapshotId: string) =>
    `/api/cases/${encodeURIComponent(caseId)}/snapshots/${encodeURIComponent(snapshotId)}`,
};
