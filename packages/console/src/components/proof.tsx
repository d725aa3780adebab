/** The proof: the contract and its control, before and after, and whether *after* covers *before*. */

import type { ContractComparison, CoverageCondition, Verification } from "@faultline/protocol";

import { Badge } from "../ui/badge.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Time } from "../ui/time.tsx";
import { OutcomeBadge, VerdictBadge } from "../ui/verdict.tsx";

interface Compared {
  readonly role: string;
  readonly comparison: ContractComparison;
}

const comparisonColumns: readonly Column<Compared>[] = [
  {
    header: "Contract",
    rowHeader: true,
    cell: ({ role, comparison }) => (
      <>
        <p className="text-xs text-ink-3">{role}</p>
        <p className="font-mono text-xs">{comparison.contract}</p>
      </>
    ),
  },
  { header: "Before", cell: ({ comparison }) => <VerdictBadge verdict={comparison.before} /> },
  { header: "After", cell: ({ comparison }) => <VerdictBadge verdict={comparison.after} /> },
  {
    header: "What was compared",
    width: "sm:w-1/2",
    onCard: "broad",
    cell: ({ comparison }) => (
      <span className="wrap-anywhere text-ink-2">{comparison.summary}</span>
    ),
  },
];

const coverageColumns: readonly Column<CoverageCondition>[] = [
  {
    header: "Does after cover before?",
    rowHeader: true,
    width: "sm:w-1/4",
    cell: (condition) => <span className="wrap-anywhere max-sm:font-medium">{condition.name}</span>,
  },
  {
    header: "Expected",
    width: "",
    cell: (condition) => <span className="wrap-anywhere text-ink-2">{condition.expected}</span>,
  },
  {
    header: "Actual",
    width: "",
    cell: (condition) => <span className="wrap-anywhere">{condition.actual}</span>,
  },
  {
    header: "Met",
    cell: (condition) => (
      <Badge tone={condition.met ? "good" : "warn"} icon={condition.met ? "check" : "cross"}>
        {condition.met ? "met" : "not met"}
      </Badge>
    ),
  },
];

export function Proof({ verification }: { verification: Verification }) {
  return (
    <div className="flex flex-col gap-4 p-4">
      <div className="flex flex-wrap items-center gap-2 text-xs text-ink-3">
        <OutcomeBadge outcome={verification.outcome} />
        <span>
          verified at <Time at={verification.verifiedAt} />
        </span>
      </div>
      <ul className="flex flex-col gap-1 text-sm">
        {verification.reasons.map((reason) => (
          <li key={reason} className="wrap-anywhere">
            {reason}
          </li>
        ))}
      </ul>
      <div className="overflow-hidden rounded-lg border border-line">
        <DataTable
          caption="Before and after"
          columns={comparisonColumns}
          rows={[
            { role: "Contract of the hypothesis", comparison: verification.contract },
            { role: "Control, must not change", comparison: verification.control },
          ]}
          rowKey={({ role }) => role}
        />
      </div>
      {verification.coverage.length > 0 && (
        <div className="overflow-hidden rounded-lg border border-line">
          <DataTable
            caption="Coverage of the after snapshot"
            columns={coverageColumns}
            rows={verification.coverage}
            rowKey={(condition) => condition.name}
          />
        </div>
      )}
    </div>
  );
}
