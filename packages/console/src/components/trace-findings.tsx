/** What the contracts say about a trace: what is wrong first, the rest folded away. */

import type { Finding, Verdict } from "@faultline/contracts";

import { Panel } from "../ui/panel.tsx";
import { citedSpanIds } from "../util/span-findings.ts";
import { FindingCard } from "./finding-card.tsx";

/** Findings shown before the rest is folded away. */
const shownMax = 2;
const order: readonly Verdict[] = ["violated", "inconclusive", "holds"];

export function TraceFindings({
  findings,
  onShow,
}: {
  findings: readonly Finding[];
  /** Brings a span into sight. */
  onShow: (spanId: string) => void;
}) {
  if (findings.length === 0) return null;
  const sorted = findings.toSorted(
    (one, other) => order.indexOf(one.verdict) - order.indexOf(other.verdict),
  );
  const shown = sorted.slice(0, shownMax).filter((finding) => finding.verdict !== "holds");
  const rest = sorted.slice(shown.length);
  return (
    <Panel title="Findings" note={summarise(findings)} flush>
      <div className="divide-y divide-line">
        <Cards findings={shown} onShow={onShow} />
        {rest.length > 0 && (
          <details>
            <summary className="px-4 py-2 text-xs font-medium text-ink-2 hover:text-ink">
              {shown.length === 0 ? "Show what holds" : `${rest.length} more`}
            </summary>
            <div className="divide-y divide-line border-t border-line">
              <Cards findings={rest} onShow={onShow} />
            </div>
          </details>
        )}
      </div>
    </Panel>
  );
}

function Cards({
  findings,
  onShow,
}: {
  findings: readonly Finding[];
  onShow: (spanId: string) => void;
}) {
  return findings.map((finding) => {
    const [cited] = citedSpanIds(finding);
    return (
      <FindingCard
        key={`${finding.contract}\u0000${finding.subject.name}`}
        finding={finding}
        actions={
          cited !== undefined && (
            <button
              type="button"
              className="text-accent hover:underline"
              onClick={() => onShow(cited)}
            >
              Show the first span it cites
            </button>
          )
        }
      />
    );
  });
}

function summarise(findings: readonly Finding[]): string {
  return order
    .map(
      (verdict) =>
        [verdict, findings.filter((finding) => finding.verdict === verdict).length] as const,
    )
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(", ");
}
