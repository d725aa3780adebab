/** `/`: the boundary map first, then traffic, errors, time to first token, open cases. */

import type { Overview } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { overviewQuery } from "../api/queries.ts";
import { BoundaryMap } from "../components/boundary-map.tsx";
import { BoundaryTable } from "../components/boundary-table.tsx";
import { CaseTable } from "../components/case-table.tsx";
import { SendTelemetry } from "../components/send-telemetry.tsx";
import { TrafficCharts } from "../components/traffic-charts.tsx";
import { buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Segments, segmentClass } from "../ui/segments.tsx";
import { plural } from "../util/format.ts";
import { paths } from "../util/paths.ts";
import { type TraceWindow, traceWindows } from "../util/search.ts";

export function OverviewPage({ window }: { window: TraceWindow }) {
  const overview = useQuery(overviewQuery(window));
  return (
    <Page
      title="Overview"
      lead={overview.data === undefined ? "Reading the store…" : leadOf(overview.data)}
      actions={
        <Segments label="Time window">
          {traceWindows.map((choice) => (
            <Link
              key={choice}
              {...paths.overview({ window: choice })}
              aria-current={choice === window ? "page" : undefined}
              activeProps={{}}
              className={segmentClass}
            >
              {choice}
            </Link>
          ))}
        </Segments>
      }
    >
      <QueryView query={overview} loadingLabel="Loading the overview" skeletonRows={10}>
        {(data) => <OverviewPanels overview={data} />}
      </QueryView>
    </Page>
  );
}

function OverviewPanels({ overview }: { overview: Overview }) {
  return (
    <>
      <Panel title="Boundary map" note={overview.edges.length > 0 && <MapLegend />} flush>
        {overview.edges.length === 0 ? (
          <EmptyState
            icon="service"
            title={
              overview.spanCount === 0
                ? "No traffic in this window yet"
                : "Spans, but no calls between parties yet"
            }
          >
            <p>
              The map draws itself from the spans that arrive. Any of these brings the first ones.
            </p>
            <SendTelemetry />
          </EmptyState>
        ) : (
          <>
            <BoundaryMap edges={overview.edges} openCases={overview.openCases} />
            <details className="border-t border-line">
              <summary className="px-4 py-2 text-xs font-medium text-ink-2 hover:text-ink">
                The same in figures
              </summary>
              <div className="border-t border-line">
                <BoundaryTable edges={overview.edges} />
              </div>
            </details>
          </>
        )}
      </Panel>
      <TrafficCharts traffic={overview.traffic} />
      <Panel
        title="Open cases"
        note={plural(overview.openCases.length, "case")}
        flush
        actions={
          <Link {...paths.openCase()} className={buttonClass()}>
            <Icon name="plus" className="size-3.5" />
            Open a case
          </Link>
        }
      >
        {overview.openCases.length === 0 ? (
          <EmptyState icon="check" title="No open case">
            <p>
              When something is slow or wrong, open a case: it freezes the evidence and runs the
              contracts.
            </p>
          </EmptyState>
        ) : (
          <CaseTable cases={overview.openCases} />
        )}
      </Panel>
    </>
  );
}

function MapLegend() {
  return (
    <span className="hidden gap-3 sm:flex">
      <span>Width: calls of the newest traces.</span>
      <span>Label: health, calls × 95th percentile.</span>
    </span>
  );
}

function leadOf(overview: Overview): string {
  if (overview.spanCount === 0) return "Nothing has arrived in this window.";
  const violated = overview.edges.filter((edge) => edge.verdict === "violated").length;
  const health =
    violated === 0
      ? "no contract known to be violated"
      : violated === 1
        ? "1 boundary violated"
        : `${violated} boundaries violated`;
  return `${plural(overview.spanCount, "span")}, ${health}, ${plural(overview.openCases.length, "open case")}.`;
}
