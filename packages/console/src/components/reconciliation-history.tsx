/** The comparisons that were made, by the platform each hour and by people. */

import type { ReconciliationRun } from "@faultline/protocol";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { reconciliationsQuery } from "../api/ledger-queries.ts";
import { Badge } from "../ui/badge.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Time } from "../ui/time.tsx";
import { differenceMeaning, differenceName } from "../util/difference-words.ts";
import { formatCount, plural } from "../util/format.ts";
import { paths } from "../util/paths.ts";
import { LoadMore } from "./load-more.tsx";

export function ReconciliationHistory() {
  const list = useInfiniteQuery(reconciliationsQuery);
  const runs = list.data?.pages.flatMap((page) => page.runs) ?? [];
  return (
    <Panel
      title="History"
      note={
        list.data && `${formatCount(runs.length)} shown${list.hasNextPage ? ", more below" : ""}`
      }
      flush
    >
      <QueryView query={list} loadingLabel="Loading the history" skeletonRows={4}>
        {() =>
          runs.length === 0 ? (
            <EmptyState icon="document" title="Nothing was compared yet">
              <p>The platform compares the ledgers that are in use each hour.</p>
            </EmptyState>
          ) : (
            <>
              <ul aria-label="Comparisons" className="divide-y divide-line">
                {runs.map((run) => (
                  <li key={run.id} className="px-4 py-2.5 text-sm">
                    <Run run={run} />
                  </li>
                ))}
              </ul>
              <LoadMore label="Show older comparisons" list={list} />
            </>
          )
        }
      </QueryView>
    </Panel>
  );
}

function Run({ run }: { run: ReconciliationRun }) {
  const { id, at, cause, actor, differenceCount, kinds, applied } = run;
  return (
    <div className="flex flex-col gap-1">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Link
          {...paths.reconciliationRun(id)}
          className="font-medium hover:text-accent hover:underline"
        >
          <Time at={at} />
        </Link>
        {differenceCount === 0 ? (
          <Badge tone="good" icon="check">
            everything agreed
          </Badge>
        ) : (
          <Badge tone="bad" icon="warning">
            {plural(differenceCount, "difference")}
          </Badge>
        )}
        <span className="text-xs text-ink-3">
          {actor ?? (cause === "schedule" ? "hourly" : "")}
        </span>
      </p>
      {kinds.length > 0 && (
        <ul className="flex flex-col gap-0.5 text-xs text-ink-2">
          {kinds.map(({ kind, count }) => (
            <li key={kind}>
              <span className="font-medium text-ink">{`${formatCount(count)} × ${differenceName(kind)}.`}</span>{" "}
              {differenceMeaning(kind)}
            </li>
          ))}
        </ul>
      )}
      {applied.length > 0 && (
        <p className="text-xs text-ink-2">
          {plural(applied.length, "entry").replace("entrys", "entries")} made:{" "}
          <code className="font-mono wrap-anywhere">{applied.join(", ")}</code>
        </p>
      )}
    </div>
  );
}
