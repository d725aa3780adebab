/** The hypotheses of a case, each with what speaks for it, what against it, and the check that would decide. */

import type { EvidenceReference } from "@faultline/contracts";
import type { Hypothesis } from "@faultline/protocol";

import { Badge } from "../ui/badge.tsx";
import { HypothesisStatusBadge } from "../ui/verdict.tsx";

/** Evidence shown before the rest is folded away. */
const evidenceShownMax = 3;

export function HypothesisTable({ hypotheses }: { hypotheses: readonly Hypothesis[] }) {
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Hypotheses, a table">
      <table className="w-full min-w-[46rem] border-collapse text-sm">
        <caption className="sr-only">Hypotheses</caption>
        <thead>
          <tr className="border-b border-line text-left text-xs text-ink-3">
            {["Hypothesis", "Evidence for", "Evidence against", "Next check"].map((header) => (
              <th key={header} scope="col" className="px-4 py-2 font-medium">
                {header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {hypotheses.map((hypothesis) => (
            <tr key={hypothesis.id} className="border-b border-line/60 align-top last:border-0">
              <th scope="row" className="w-[38%] px-4 py-3 text-left font-normal">
                <p className="mb-1.5 flex flex-wrap items-center gap-1.5">
                  <span className="text-xs font-semibold text-ink-3 tabular">
                    #{hypothesis.rank}
                  </span>
                  <HypothesisStatusBadge status={hypothesis.status} />
                  <Badge tone="plain">{hypothesis.causeKind}</Badge>
                </p>
                <p className="font-medium wrap-anywhere">{hypothesis.statement}</p>
                <p className="mt-1 font-mono text-xs text-ink-3 wrap-anywhere">
                  {hypothesis.contract}
                </p>
              </th>
              <td className="w-[22%] px-4 py-3">
                <EvidenceList references={hypothesis.evidenceFor} absent="None yet." />
              </td>
              <td className="w-[18%] px-4 py-3">
                <EvidenceList references={hypothesis.evidenceAgainst} absent="None found." />
                {hypothesis.missing.map((item) => (
                  <p key={item} className="mt-1 text-xs text-warn wrap-anywhere">
                    Missing: {item}
                  </p>
                ))}
              </td>
              <td className="px-4 py-3 wrap-anywhere text-ink-2">{hypothesis.nextCheck}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
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
  const rest = references.slice(evidenceShownMax);
  return (
    <div className="flex flex-col gap-1.5">
      <Evidence references={references.slice(0, evidenceShownMax)} />
      {rest.length > 0 && (
        <details className="text-xs">
          <summary className="text-accent hover:underline">{rest.length} more</summary>
          <div className="mt-1.5">
            <Evidence references={rest} />
          </div>
        </details>
      )}
    </div>
  );
}

function Evidence({ references }: { references: readonly EvidenceReference[] }) {
  return (
    <ul className="flex flex-col gap-1.5 text-xs">
      {references.map((reference, index) => (
        <li key={index} className="border-l-2 border-line-strong pl-2">
          {reference.quote !== undefined && <p className="wrap-anywhere">{reference.quote}</p>}
          <p
            className="font-mono text-2xs text-ink-3 wrap-anywhere"
            title={`${reference.evidenceId}${reference.locator === undefined ? "" : ` at ${reference.locator}`}`}
          >
            {reference.evidenceId.slice(7, 19)}
            {reference.locator !== undefined && ` · ${reference.locator}`}
          </p>
        </li>
      ))}
    </ul>
  );
}
