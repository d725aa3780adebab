/** `/traces/:traceId`: the waterfall, what the contracts say about it, and one span in full. */

import type { Span } from "@faultline/contracts";
import type { TraceDetail } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo, useRef } from "react";

import { traceDetailQuery } from "../api/queries.ts";
import { FindingsPanel } from "../components/findings-panel.tsx";
import { SpanDetails } from "../components/span-details.tsx";
import { Waterfall } from "../components/waterfall.tsx";
import { buttonClass } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Time } from "../ui/time.tsx";
import { TraceStatusBadge } from "../ui/verdict.tsx";
import { formatDuration, plural } from "../util/format.ts";
import { paths } from "../util/paths.ts";
import { seriesColor } from "../util/series-color.ts";
import { findingsOf, indexFindings } from "../util/span-findings.ts";
import { type TraceRow, buildTraceTree } from "../util/trace-tree.ts";
import { useWaterfallRows } from "../util/waterfall-rows.ts";

export function TracePage({ traceId, span }: { traceId: string; span: string | undefined }) {
  const trace = useQuery(traceDetailQuery(traceId));
  const summary = trace.data?.summary;
  return (
    <Page
      eyebrow={
        <>
          <Link {...paths.traces()} className="hover:text-ink hover:underline">
            Traces
          </Link>
          <span aria-hidden="true">/</span>
          <span className="font-mono wrap-anywhere">{traceId}</span>
        </>
      }
      title={summary?.operation ?? "Trace"}
      lead={
        summary !== undefined && (
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1 tabular">
            <TraceStatusBadge status={summary.status} />
            <span>{summary.service}</span>
            <span>{formatDuration(summary.durationMs)}</span>
            <span>{plural(summary.spanCount, "span")}</span>
            {summary.errorCount > 0 && <span>{plural(summary.errorCount, "error")}</span>}
            <Time at={summary.startedAt} />
          </span>
        )
      }
      actions={
        summary !== undefined && (
          <Link
            {...paths.openCase({ service: summary.service, operation: summary.operation })}
            className={buttonClass()}
          >
            <Icon name="plus" className="size-3.5" />
            Open a case on this
          </Link>
        )
      }
    >
      <QueryView query={trace} loadingLabel="Loading the trace" skeletonRows={12}>
        {(detail) => <TracePanels key={traceId} detail={detail} span={span} />}
      </QueryView>
    </Page>
  );
}

/** From this width the details stand beside the waterfall: Tailwind's `xl`. */
const wideMin = 1_280;

function TracePanels({ detail, span }: { detail: TraceDetail; span: string | undefined }) {
  const navigate = useNavigate();
  const tree = useMemo(() => buildTraceTree(detail.spans), [detail.spans]);
  const findings = useMemo(() => indexFindings(detail.findings), [detail.findings]);
  const view = useWaterfallRows(tree, span);
  const selected = selectedSpans(view.rows, detail.spans, span);
  const { traceId } = detail.summary;
  const details = useRef<HTMLDivElement>(null);
  const select = (key: string): void => {
    void navigate({ ...paths.trace(traceId, { span: key }), replace: true, resetScroll: false });
    // Where the details stand below the waterfall, they come into sight.
    if (window.innerWidth < wideMin) details.current?.scrollIntoView({ block: "start" });
  };
  return (
    <>
      <FindingsPanel
        findings={detail.findings}
        shownMax={2}
        onShow={(spanId) => {
          view.jumpTo(spanId);
          select(spanId);
        }}
      />
      <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <Panel title="Waterfall" note={<ServiceLegend services={tree.services} />} flush>
          {detail.truncated && (
            <p
              role="note"
              className="border-b border-line bg-warn-soft px-4 py-2 text-sm text-warn"
            >
              The trace is larger than one answer carries: its first{" "}
              {plural(detail.spans.length, "span")} are shown.
            </p>
          )}
          <Waterfall
            key={view.jumpCount}
            tree={tree}
            view={view}
            findings={findings}
            selectedKey={span}
            label={`Spans of ${detail.summary.operation}`}
            onSelect={select}
          />
        </Panel>
        <div
          ref={details}
          className="min-w-0 scroll-mt-16 xl:sticky xl:top-16 xl:max-h-[calc(100dvh-5rem)] xl:overflow-y-auto"
        >
          <Panel title={selected !== undefined && selected.length > 1 ? "Folded spans" : "Span"}>
            {selected === undefined ? (
              <p className="text-sm text-ink-2">
                Choose a row to see its attributes. On the keyboard: arrow keys move, right and left
                open and close, Enter shows.
              </p>
            ) : (
              <SpanDetails spans={selected} tree={tree} findings={findingsOf(selected, findings)} />
            )}
          </Panel>
        </div>
      </div>
    </>
  );
}

/** The spans of the chosen row; of a fold that is out of sight, its first. */
function selectedSpans(
  rows: readonly TraceRow[],
  spans: readonly Span[],
  key: string | undefined,
): TraceRow["spans"] | undefined {
  const row = rows.find((candidate) => candidate.key === key);
  if (row !== undefined) return row.spans;
  const span = spans.find((candidate) => candidate.spanId === key?.replace(/^x-/, ""));
  return span === undefined ? undefined : [span];
}

function ServiceLegend({ services }: { services: readonly string[] }) {
  return (
    <ul aria-label="Services" className="flex flex-wrap gap-x-3 gap-y-0.5">
      {services.slice(0, 8).map((service) => (
        <li key={service} className="inline-flex items-center gap-1.5 text-ink-2">
          <span
            aria-hidden="true"
            className="size-2 rounded-full"
            style={{ background: seriesColor(services, service) }}
          />
          {service}
        </li>
      ))}
      {services.length > 8 && <li>and {services.length - 8} more</li>}
    </ul>
  );
}
