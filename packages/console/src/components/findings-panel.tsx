/** What the contracts say: what is wrong first, the rest folded away. */

import type { Finding, Verdict } from "@faultline/contracts";

import { Panel } from "../ui/panel.tsx";
import { citedSpanIds } from "../util/span-findings.ts";
import { FindingCard } from "./finding-card.tsx";

const order: readonly Verdict[] = ["violated", "inconclusive", "holds"];

interface FindingsProps {
  findings: readonly Finding[];
  /** Brings a span into sight, where spans are. */
  onShow?: (spanId: string) => void;
}

export function FindingsPanel({
  findings,
  onShow,
  shownMax = Infinity,
  absent,
}: FindingsProps & {
  /** How many are shown before the rest is folded away; what holds is folded in any case. */
  shownMax?: number;
  /** What is said when there is none; without it the panel is absent too. */
  absent?: string;
}) {
  if (findings.length === 0) {
    if (absent === undefined) return null;
    return (
      <Panel title="Findings">
        <p className="text-sm text-ink-2">{absent}</p>
      </Panel>
    );
  }
  const sorted = findings.toSorted(
    (one, other) => order.indexOf(one.verdict) - order.indexOf(other.verdict),
  );
  const shown = sorted.filter((finding) => finding.verdict !== "holds").slice(0, shownMax);
  const rest = sorted.slice(shown.length);
  const show = onShow === undefined ? {} : { onShow };
  return (
    <Panel title="Findings" note={summarise(findings)} flush>
      <div className="divide-y divide-line">
        <Cards findings={shown} {...show} />
        {rest.length > 0 && (
          <details>
            <summary className="px-4 py-2 text-xs font-medium text-ink-2 hover:text-ink">
              {shown.length === 0 ? "Show what holds" : `${rest.length} more`}
            </summary>
            <div className="divide-y divide-line border-t border-line">
              <Cards findings={rest} {...show} />
            </div>
          </details>
        )}
      </div>
    </Panel>
  );
}

function Cards({ findings, onShow }: FindingsProps) {
  return findings.map((finding) => {
    const [cited] = citedSpanIds(finding);
    return (
      <FindingCard
        key={`${finding.contract}\u0000${finding.subject.name}`}
        finding={finding}
        actions={
          cited !== undefined &&
          onShow !== undefined && (
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
