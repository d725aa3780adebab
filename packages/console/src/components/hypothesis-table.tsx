/** The hypotheses of a case, each with what speaks for it, what against it, and the check that would decide. */

import type { EvidenceReference } from "@faultline/contracts";
import type { Hypothesis } from "@faultline/protocol";

import { Badge } from "../ui/badge.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Prose } from "../ui/prose.tsx";
import { HypothesisStatusBadge } from "../ui/verdict.tsx";

/** Evidence shown before the rest is folded away. */
const evidenceShownMax = 3;

const columns: readonly Column<Hypothesis>[] = [
  {
    header: "Hypothesis",
    rowHeader: true,
    width: "sm:w-[36%] sm:min-w-56",
    cell: (hypothesis) => (
      <>
        <p className="mb-1.5 flex flex-wrap items-center gap-1.5">
          <span className="text-xs font-semibold text-ink-3 tabular">#{hypothesis.rank}</span>
          <HypothesisStatusBadge status={hypothesis.status} />
          <Badge tone="plain">{hypothesis.causeKind}</Badge>
        </p>
        <p className="font-medium wrap-anywhere">{hypothesis.statement}</p>
        <p className="mt-1 font-mono text-xs text-ink-3 wrap-anywhere">{hypothesis.contract}</p>
      </>
    ),
  },
  {
    header: "Evidence for",
    width: "sm:w-[24%] sm:min-w-40",
    onCard: "broad",
    cell: (hypothesis) => <EvidenceList references={hypothesis.evidenceFor} absent="None yet." />,
  },
  {
    header: "Evidence against",
    width: "sm:w-[18%] sm:min-w-36",
    onCard: "broad",
    cell: (hypothesis) => (
      <>
        <EvidenceList references={hypothesis.evidenceAgainst} absent="None found." />
        {hypothesis.missing.map((item) => (
          <p key={item} className="mt-1 text-xs text-warn wrap-anywhere">
            Missing: {item}
          </p>
        ))}
      </>
    ),
  },
  {
    header: "Next check",
    width: "sm:min-w-40",
    onCard: "broad",
    cell: (hypothesis) => (
      <p className="wrap-anywhere text-ink-2">
        <Prose text={hypothesis.nextCheck} />
      </p>
    ),
  },
];

export function HypothesisTable({ hypotheses }: { hypotheses: readonly Hypothesis[] }) {
  return (
    <DataTable
      caption="Hypotheses"
      columns={columns}
      rows={hypotheses}
      rowKey={(hypothesis) => hypothesis.id}
    />
  );
}

function EvidenceList({
  references,
  absent,
}: {
  references: readonly EvidenceReference[];
  absent: string;
}) {
  if (references.length === 0) return <p className="text-xs text-ink-3">{absent}</p>;
  // Many places in one piece of evidence say one thing: its first quote stands for them.
  const pieces = [...Map.groupBy(references, (reference) => reference.evidenceId)];
  const rest = pieces.slice(evidenceShownMax);
  return (
    <div className="flex flex-col gap-1.5">
      <Pieces pieces={pieces.slice(0, evidenceShownMax)} />
      {rest.length > 0 && (
        <details className="text-xs">
          <summary className="text-accent hover:underline">{rest.length} more</summary>
          <div className="mt-1.5">
            <Pieces pieces={rest} />
          </div>
        </details>
      )}
    </div>
  );
}

function Pieces({ pieces }: { pieces: readonly (readonly [string, EvidenceReference[]])[] }) {
  return (
    <ul className="flex flex-col gap-2 text-xs">
      {pieces.map(([evidenceId, references]) => {
        const [first] = references;
        return (
          <li key={evidenceId} className="border-l-2 border-line-strong pl-2">
            {first?.quote !== undefined && <p className="wrap-anywhere">{first.quote}</p>}
            <p className="text-2xs text-ink-3 wrap-anywhere" title={evidenceId}>
              <span className="font-mono">{evidenceId.slice(7, 19)}</span>
              {references.length > 1
                ? `, ${references.length} places`
                : first?.locator !== undefined && `, at ${first.locator}`}
            </p>
          </li>
        );
      })}
    </ul>
  );
}
