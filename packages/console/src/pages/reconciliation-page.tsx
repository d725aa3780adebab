/** `/ledger/reconciliation`: what does not agree, with evidence and the entry that would settle it. */

import type { LedgerDifference, Reconciliation } from "@faultline/protocol";

import { useReconcile } from "../api/ledger-mutations.ts";
import { useRefusal } from "../api/permission.ts";
import { ReconciliationHistory } from "../components/reconciliation-history.tsx";
import { LedgerFrame } from "../components/ledger-frame.tsx";
import { Amount } from "../ui/amount.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Panel } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import { plural } from "../util/format.ts";
import { formatMicros } from "../util/money.ts";

const kinds: Readonly<Record<LedgerDifference["kind"], string>> = {
  "balance-differs": "balance differs from its entries",
  "hold-differs": "hold differs from its entries",
  "debt-blocks": "debt beyond the credit line",
  "hold-without-work": "hold without work",
  "work-without-hold": "work without a hold",
  "use-differs": "use differs from its charge",
  "use-without-completion": "use without completion",
  "lease-differs": "lease differs from its uses",
  "journal-differs": "journal tells of other use",
  "lease-unread": "lease that no journal accounts for",
  "lease-found": "given back, and used after all",
  "work-differs": "work differs from its charge",
  "escrow-overdue": "recalled escrow did not come back",
  "edits-contradict": "set in two regions at once",
  "invoice-differs": "invoice differs",
};

const deeds = {
  give: "an adjustment that gives",
  take: "an adjustment that takes",
  release: "ending the hold, which frees",
} as const;

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
      lead="Compares balances with their entries, holds with work, uses with charges, and leases with journals. The platform does so by itself each hour; here you see it now."
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
  const { differences, applied } = reconciliation;
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
      <ul className="divide-y divide-line">
        {differences.map((difference) => (
          <li key={`${difference.kind}${difference.subject}`} className="px-4 py-3">
            <Difference difference={difference} isApplied={isApplied(difference, applied)} />
          </li>
        ))}
      </ul>
    </>
  );
}

function isApplied({ proposal }: LedgerDifference, applied: readonly string[]): boolean {
  return proposal !== undefined && applied.includes(proposal.commandId);
}

function Difference(props: { difference: LedgerDifference; isApplied: boolean }) {
  const { kind, message, subject, evidence, proposal, expectedMicros, actualMicros } =
    props.difference;
  // The subject of a balance names its currency; most others belong to the account in dollars.
  const currency = proposal?.currency ?? (subject.endsWith("/credits") ? "credits" : "USD");
  return (
    <article aria-label={`${kinds[kind]}: ${subject}`} className="flex flex-col gap-1.5 text-sm">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone="bad" icon="warning">
          {kinds[kind]}
        </Badge>
        <code className="font-mono text-xs wrap-anywhere text-ink-2">{subject}</code>
      </p>
      <p className="wrap-anywhere">{message}</p>
      <dl className="flex flex-wrap gap-x-6 gap-y-1 text-xs text-ink-2">
        <div>
          <dt className="inline text-ink-3">expected </dt>
          <dd className="inline">
            <Amount micros={expectedMicros} currency={currency} />
          </dd>
        </div>
        <div>
          <dt className="inline text-ink-3">found </dt>
          <dd className="inline">
            <Amount micros={actualMicros} currency={currency} />
          </dd>
        </div>
        <div className="min-w-0">
          <dt className="inline text-ink-3">evidence </dt>
          <dd className="inline font-mono wrap-anywhere">{evidence.join(", ")}</dd>
        </div>
      </dl>
      {proposal !== undefined && (
        <p className="flex items-start gap-2 rounded-lg bg-sunken px-3 py-2 text-xs">
          <Icon name={props.isApplied ? "check" : "arrow"} className="mt-0.5 size-3 text-accent" />
          <span>
            {props.isApplied ? "Settled by" : "Would be settled by"} {deeds[proposal.direction]}{" "}
            <span className="font-semibold">
              {formatMicros(proposal.amountMicros, proposal.currency)}
            </span>{" "}
            <code className="font-mono wrap-anywhere text-ink-3">{proposal.commandId}</code>
          </span>
        </p>
      )}
    </article>
  );
}
