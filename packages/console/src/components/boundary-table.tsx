/** The boundaries as a table: what the map shows, in figures. */

import type { BoundaryEdge } from "@faultline/protocol";
import { Link } from "@tanstack/react-router";

import { Badge } from "../ui/badge.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { type EdgeHealth, edgeHealth } from "../util/edge-health.ts";
import { formatCount, formatDuration, formatShare } from "../util/format.ts";
import { paths } from "../util/paths.ts";
import type { IconName } from "../ui/icon.tsx";

const icons: Readonly<Record<EdgeHealth["tone"], IconName>> = {
  bad: "cross",
  warn: "warning",
  good: "check",
  plain: "check",
};

const columns: readonly Column<BoundaryEdge>[] = [
  {
    header: "Calls",
    rowHeader: true,
    width: "w-full sm:min-w-52",
    cell: (edge) => (
      <span className="font-medium">
        {edge.from} <span className="text-ink-3">→</span> {edge.to}
      </span>
    ),
  },
  { header: "Boundary", cell: (edge) => <span className="text-ink-2">{edge.boundary}</span> },
  { header: "Count", numeric: true, cell: (edge) => formatCount(edge.count) },
  { header: "Errors", numeric: true, cell: (edge) => formatShare(edge.errorCount, edge.count) },
  { header: "p95", numeric: true, cell: (edge) => formatDuration(edge.durationMsP95) },
  {
    header: "Health",
    cell: (edge) => {
      const health = edgeHealth(edge);
      return (
        <Badge tone={health.tone} icon={icons[health.tone]}>
          {health.text}
        </Badge>
      );
    },
  },
  {
    header: "Cases",
    cell: (edge) =>
      edge.caseNumbers.length === 0 ? (
        <span className="text-ink-3">none</span>
      ) : (
        <span className="flex gap-2">
          {edge.caseNumbers.map((number) => (
            <Link key={number} {...paths.case(number)} className="text-accent hover:underline">
              Case {number}
            </Link>
          ))}
        </span>
      ),
  },
];

export function BoundaryTable({ edges }: { edges: readonly BoundaryEdge[] }) {
  return (
    <DataTable
      caption="Boundaries"
      columns={columns}
      rows={edges}
      rowKey={(edge) => `${edge.from}\u0000${edge.to}\u0000${edge.boundary}`}
    />
  );
}
