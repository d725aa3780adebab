/** `/ledger/reconciliation`: what does not agree, with evidence and the entry that would settle it. */

import type { Reconciliation } from "@faultline/protocol";

import { useReconcile } from "../api/ledger-mutations.ts";
import { useRefusal } from "../api/permission.ts";
import { DifferenceList } from "../components/difference-list.tsx";
import { ReconciliationHistory } from "../components/reconciliation-history.tsx";
import { LedgerFrame } from "../components/ledger-frame.tsx";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { Panel } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import { differenceName } from "../util/difference-words.ts";
import { plural } from "../util/format.ts";

export function ReconciliationPage() {
  const refusal = useRefusal("ledger:write");
  const compare = useReconcile();
  const apply = useReconcile();
  const shown = apply.data ?? compare.data;
  const run = (change: typeof compare, isApplied: boolean): void => {
    // The newest answer is the one that is shown.
    compare.reset();
    apply.reset();
    change.mutate(isApplied);
  };
  const proposals = (shown?.differences ?? []).filter((one) => one.proposal !== undefined);
  return (
    <LedgerFrame
      title="Reconciliation"
      lead="Compares balances with their entries, holds with work, uses with charges, leases with journals on disk, and jobs with what they paid. The platform does so by itself each hour; here you see it now."
      actions={
        <Button
          variant="primary"
          busy={compare.isPending}
          busyLabel="Comparing…"
          disabledReason={refusal}
          onClick={() => run(compare, false)}
        >
          Compare now
        </Button>
      }
    >
      {[compare.error, apply.error].map(
        (error, index) => error !== null && <ErrorState key={index} error={error} />,
      )}
      <Panel
        title="Findings"
        note={
          shown && (
            <>
              {plural(shown.differences.length, "difference")} at <Time at={shown.at} />
            </>
          )
        }
        actions={
          proposals.length > 0 &&
          apply.data === undefined && (
            <Button
              busy={apply.isPending}
              busyLabel="Making the entries…"
              onClick={() => run(apply, true)}
            >
              {`Make ${plural(proposals.length, "proposed entry").replace("entrys", "entries")}`}
            </Button>
          )
        }
        flush
      >
        {shown === undefined ? <NotComparedYet /> : <Findings reconciliation={shown} />}
      </Panel>
      <ReconciliationHistory />
    </LedgerFrame>
  );
}

function NotComparedYet() {
  return (
    <EmptyState icon="question" title="Not compared on this page yet">
      <p>
        “Compare now” changes nothing. Each finding comes with its evidence and, where an entry
        would settle it, with that entry; nothing is made before you say so.
      </p>
      <CommandLine
        label="With a provider's invoice, from a terminal"
        lines={["npx faultline ledger reconcile --invoice invoice.csv --from 2026-11-01"]}
      />
    </EmptyState>
  );
}

function Findings({ reconciliation }: { reconciliation: Reconciliation }) {
  const { differences, applied, cut } = reconciliation;
  if (differences.length === 0) {
    return (
      <EmptyState icon="check" title="Everything agrees">
        <p>
          The entries of every account sum to its balance, every hold has its work, and every use
          was charged once.
        </p>
      </EmptyState>
    );
  }
  return (
    <>
      {applied.length > 0 && (
        <p role="status" className="border-b border-line bg-good-soft px-4 py-2 text-sm text-good">
          {plural(applied.length, "entry").replace("entrys", "entries")} made. Compare again to see
          what is left.
        </p>
      )}
      {cut.length > 0 && (
        <p className="border-b border-line px-4 py-2 text-sm text-ink-2">
          Of {cut.map((kind) => differenceName(kind)).join(", ")} only the first are shown. Compare
          again once they are settled.
        </p>
      )}
      <DifferenceList differences={differences} applied={applied} />
    </>
  );
}
