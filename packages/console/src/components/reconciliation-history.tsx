/** The comparisons that were made, by the platform each hour and by people. */

import type { ReconciliationRun } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";

import { reconciliationsQuery } from "../api/ledger-queries.ts";
import { Badge } from "../ui/badge.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Time } from "../ui/time.tsx";
import { plural } from "../util/format.ts";

export function ReconciliationHistory() {
  const list = useQuery(reconciliationsQuery);
  return (
    <Panel title="History" note="The newest 50 comparisons" flush>
      <QueryView query={list} loadingLabel="Loading the history" skeletonRows={4}>
        {({ runs }) =>
          runs.length === 0 ? (
            <EmptyState icon="document" title="Nothing was compared yet">
              <p>The platform compares the ledgers that are in use each hour.</p>
            </EmptyState>
          ) : (
            <ul aria-label="Comparisons" className="divide-y divide-line">
              {runs.map((run) => (
                <li key={run.id} className="px-4 py-2 text-sm">
                  <Run run={run} />
                </li>
              ))}
            </ul>
          )
        }
      </QueryView>
    </Panel>
  );
}

function Run({ run }: { run: ReconciliationRun }) {
  const { at, cause, actor, differenceCount, kinds, applied } = run;
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <Time at={at} />
      <span className="text-xs text-ink-3">{actor ?? (cause === "schedule" ? "hourly" : "")}</span>
      {differenceCount === 0 ? (
        <Badge tone="good" icon="check">
          everything agreed
        </Badge>
      ) : (
        <Badge tone="bad" icon="warning">
          {plural(differenceCount, "difference")}
        </Badge>
      )}
      <span className="text-xs text-ink-2">
        {kinds.map(({ kind, count }) => `${count} ${kind}`).join(", ")}
      </span>
      {applied.length > 0 && (
        <span className="text-xs text-ink-2">
          {plural(applied.length, "entry").replace("entrys", "entries")} made:{" "}
          <code className="font-mono wrap-anywhere">{applied.join(", ")}</code>
        </span>
      )}
    </p>
  );
}
