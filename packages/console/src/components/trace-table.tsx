/** Traces in a list, each with its length drawn beside its figure. */

import type { TraceSummary } from "@faultline/protocol";
import { Link } from "@tanstack/react-router";

import { type Column, DataTable } from "../ui/data-table.tsx";
import { Time } from "../ui/time.tsx";
import { TraceStatusBadge } from "../ui/verdict.tsx";
import { formatCount, formatDuration } from "../util/format.ts";
import { paths } from "../util/paths.ts";

/** Services named before the rest is counted. */
const servicesShownMax = 2;

export function TraceTable({ traces }: { traces: readonly TraceSummary[] }) {
  const longest = Math.max(...traces.map((trace) => trace.durationMs), 0.001);
  const columns: readonly Column<TraceSummary>[] = [
    {
      header: "Started",
      cell: (trace) => (
        <span className="text-ink-2">
          <Time at={trace.startedAt} />
        </span>
      ),
    },
    {
      header: "Operation",
      rowHeader: true,
      width: "w-full sm:min-w-52",
      cell: (trace) => (
        <Link {...paths.trace(trace.traceId)} className="group block wrap-anywhere">
          <span className="font-medium text-ink group-hover:text-accent group-hover:underline">
            {trace.operation}
          </span>
          <span className="block text-xs text-ink-3">{trace.service}</span>
        </Link>
      ),
    },
    {
      header: "Duration",
      numeric: true,
      cell: (trace) => (
        <span className="inline-flex flex-col gap-1 sm:items-end">
          {formatDuration(trace.durationMs)}
          <span
            aria-hidden="true"
            className="flex h-1 w-24 sm:justify-end overflow-hidden rounded-full bg-line"
          >
            <span
              className="rounded-full bg-accent"
              style={{ width: `${Math.max(2, (trace.durationMs / longest) * 100)}%` }}
            />
          </span>
        </span>
      ),
    },
    { header: "Status", cell: (trace) => <TraceStatusBadge status={trace.status} /> },
    { header: "Spans", numeric: true, cell: (trace) => formatCount(trace.spanCount) },
    {
      header: "Errors",
      onCard: "absent",
      numeric: true,
      cell: (trace) => (
        <span className={trace.errorCount > 0 ? "font-medium text-bad" : "text-ink-3"}>
          {formatCount(trace.errorCount)}
        </span>
      ),
    },
    {
      header: "Services",
      onCard: "absent",
      cell: (trace) => (
        <span className="text-ink-2" title={trace.services.join(", ")}>
          {trace.services.slice(0, servicesShownMax).join(", ")}
          {trace.services.length > servicesShownMax &&
            ` +${trace.services.length - servicesShownMax}`}
        </span>
      ),
    },
  ];
  return (
    <DataTable caption="Traces" columns={columns} rows={traces} rowKey={(trace) => trace.traceId} />
  );
}
