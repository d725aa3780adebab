/** Cases in a list: number, state, symptom, subject, leading hypothesis. */

import type { CaseSummary } from "@faultline/protocol";
import { Link } from "@tanstack/react-router";

import { type Column, DataTable } from "../ui/data-table.tsx";
import { Time } from "../ui/time.tsx";
import { CaseStatusBadge, HypothesisStatusBadge } from "../ui/verdict.tsx";
import { paths } from "../util/paths.ts";

const columns: readonly Column<CaseSummary>[] = [
  {
    header: "Case",
    numeric: true,
    cell: (item) => <span className="text-ink-3">{item.number}</span>,
  },
  { header: "Status", cell: (item) => <CaseStatusBadge status={item.status} /> },
  {
    header: "Symptom",
    rowHeader: true,
    width: "w-full sm:min-w-52",
    cell: (item) => (
      <Link
        {...paths.case(item.number)}
        className="font-medium text-ink hover:text-accent hover:underline"
      >
        {item.symptom}
      </Link>
    ),
  },
  {
    header: "Subject",
    cell: (item) => (
      <>
        <span className="block">{item.subject.name}</span>
        {item.subject.operation !== undefined && (
          <span
            className="block max-w-60 truncate text-xs text-ink-3"
            title={item.subject.operation}
          >
            {item.subject.operation}
          </span>
        )}
      </>
    ),
  },
  {
    header: "Leading hypothesis",
    onCard: "broad",
    cell: (item) =>
      item.leadingHypothesis === undefined ? (
        <span className="text-ink-3">none</span>
      ) : (
        <span className="flex items-center gap-2 max-sm:flex-wrap">
          <HypothesisStatusBadge status={item.leadingHypothesis.status} />
          <span
            className="text-ink-2 sm:max-w-72 sm:truncate"
            title={item.leadingHypothesis.statement}
          >
            {item.leadingHypothesis.statement}
          </span>
        </span>
      ),
  },
  {
    header: "Opened",
    cell: (item) => (
      <span className="text-ink-2">
        <Time at={item.openedAt} />
      </span>
    ),
  },
];

export function CaseTable({ cases }: { cases: readonly CaseSummary[] }) {
  return <DataTable caption="Cases" columns={columns} rows={cases} rowKey={(item) => item.id} />;
}
