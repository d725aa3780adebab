/** `/traces`: the list, narrowed by what the URL says. */

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { servicesQuery, tracesQuery } from "../api/queries.ts";
import { LoadMore } from "../components/load-more.tsx";
import { SendTelemetry } from "../components/send-telemetry.tsx";
import { TraceTable } from "../components/trace-table.tsx";
import { TraceFilterForm } from "../forms/trace-filter-form.tsx";
import { buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { formatCount } from "../util/format.ts";
import { paths } from "../util/paths.ts";
import { type TraceFilters, countFilters } from "../util/search.ts";

export function TracesPage({ filters }: { filters: TraceFilters }) {
  const services = useQuery(servicesQuery);
  const list = useInfiniteQuery(tracesQuery(filters));
  const traces = list.data?.pages.flatMap((page) => page.traces) ?? [];
  return (
    <Page title="Traces" lead="What happened, request by request, newest first.">
      <div className="rounded-xl border border-line bg-surface p-4 shadow-panel">
        <TraceFilterForm filters={filters} services={services.data?.services ?? []} />
      </div>
      <Panel
        title="Traces"
        note={
          list.data === undefined
            ? undefined
            : `${formatCount(traces.length)}${list.hasNextPage ? " so far" : ""}`
        }
        flush
      >
        <QueryView query={list} loadingLabel="Loading traces" skeletonRows={8}>
          {() =>
            traces.length === 0 ? (
              <NoTraces filtered={countFilters(filters) > 0} />
            ) : (
              <>
                <TraceTable traces={traces} />
                <LoadMore label="Show older traces" list={list} />
              </>
            )
          }
        </QueryView>
      </Panel>
    </Page>
  );
}

function NoTraces({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <EmptyState icon="question" title="No trace fits these filters">
        <p>Widen the time, lower the duration, or begin again.</p>
        <p>
          <Link {...paths.traces()} className={buttonClass()}>
            Clear all filters
          </Link>
        </p>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon="service" title="No trace has arrived yet">
      <p>Send one of these, and it stands here a moment later.</p>
      <SendTelemetry />
    </EmptyState>
  );
}
