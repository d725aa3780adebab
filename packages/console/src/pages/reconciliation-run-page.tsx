/** `/ledger/reconciliation/:runId`: what one comparison found, as it stood then, and the entries that it made. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { reconciliationQuery } from "../api/ledger-queries.ts";
import { DifferenceList } from "../components/difference-list.tsx";
import { LedgerFrame } from "../components/ledger-frame.tsx";
import { buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Time } from "../ui/time.tsx";
import { formatCount, plural } from "../util/format.ts";
import { paths } from "../util/paths.ts";

export function ReconciliationRunPage({ runId }: { runId: string }) {
  const query = useQuery(reconciliationQuery(runId));
  return (
    <LedgerFrame
      title="A comparison"
      lead="What was found then. Compare again to see what still differs."
      actions={
        <Link {...paths.reconciliation()} className={buttonClass()}>
          All comparisons
        </Link>
      }
    >
      <QueryView query={query} loadingLabel="Loading the comparison" skeletonRows={8}>
        {({ at, cause, actor, differences, differenceCount, applied }) => (
          <Panel
            title="Findings"
            note={
              <>
                {plural(differenceCount, "difference")} at <Time at={at} />, by{" "}
                {actor ?? (cause === "schedule" ? "the hourly run" : "somebody")}
              </>
            }
            flush
          >
            {differences.length === 0 ? (
              <EmptyState icon="check" title="Everything agreed">
                <p>Nothing differed when this comparison was made.</p>
              </EmptyState>
            ) : (
              <DifferenceList differences={differences} applied={applied} />
            )}
            {differences.length < differenceCount && (
              <p className="border-t border-line px-4 py-2 text-xs text-ink-2">
                {formatCount(differenceCount - differences.length)} more were counted and not kept.
              </p>
            )}
          </Panel>
        )}
      </QueryView>
    </LedgerFrame>
  );
}
