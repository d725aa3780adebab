/** The report of a check: by boundary, evidence quoted, what to do and what could not be read last. */

import type { Boundary, CheckReport, Finding, Verdict } from "@faultline/contracts";

import { Badge } from "../ui/badge.tsx";
import { Panel } from "../ui/panel.tsx";
import { Prose } from "../ui/prose.tsx";
import { plural } from "../util/format.ts";
import { EvidenceQuotes } from "./evidence-quotes.tsx";
import { FindingCard } from "./finding-card.tsx";

const verdictOrder: readonly Verdict[] = ["violated", "inconclusive", "holds"];
/** Findings of one boundary that a page shows; the downloaded report has all. */
const findingsShownMax = 100;
const passedOverShownMax = 5;

export function CheckReportView({ report }: { report: CheckReport }) {
  const boundaries = [...new Set(report.findings.map(({ boundary }) => boundary))];
  return (
    <>
      {boundaries.map((boundary) => (
        <BoundaryPanel key={boundary} boundary={boundary} report={report} />
      ))}
      <Remedies findings={report.findings} />
      <Unreadable files={report.unreadable} />
      <PassedOver names={report.passedOver ?? []} />
    </>
  );
}

function BoundaryPanel({ boundary, report }: { boundary: Boundary; report: CheckReport }) {
  const here = verdictOrder.flatMap((verdict) =>
    report.findings.filter(
      (finding) => finding.boundary === boundary && finding.verdict === verdict,
    ),
  );
  const open = here.filter(({ verdict }) => verdict !== "holds");
  const holding = here.slice(open.length);
  return (
    <Panel title={boundary} note={countWords(here)} flush>
      <div className="divide-y divide-line">
        <Cards findings={open} report={report} />
        {holding.length > 0 && (
          <details>
            <summary className="px-4 py-2 text-xs font-medium text-ink-2 hover:text-ink">
              {`Show what holds (${holding.length})`}
            </summary>
            <div className="divide-y divide-line border-t border-line">
              <Cards findings={holding} report={report} />
            </div>
          </details>
        )}
      </div>
    </Panel>
  );
}

function Cards({ findings, report }: { findings: readonly Finding[]; report: CheckReport }) {
  const hiddenCount = findings.length - findingsShownMax;
  return (
    <>
      {findings.slice(0, findingsShownMax).map((finding) => (
        <FindingCard
          key={`${finding.contract}\u0000${finding.subject.kind}\u0000${finding.subject.name}\u0000${finding.title}`}
          finding={finding}
          fixes="elsewhere"
        >
          <EvidenceQuotes references={finding.evidence} evidence={report.evidence} />
        </FindingCard>
      ))}
      {hiddenCount > 0 && (
        <p className="px-4 py-2 text-sm text-ink-2">
          {plural(hiddenCount, "more finding")} in the JSON report.
        </p>
      )}
    </>
  );
}

function countWords(findings: readonly Finding[]): string {
  return verdictOrder
    .map((verdict) => [findings.filter((one) => one.verdict === verdict).length, verdict] as const)
    .filter(([count]) => count > 0)
    .map(([count, verdict]) => `${count} ${verdict}`)
    .join(", ");
}

function Remedies({ findings }: { findings: readonly Finding[] }) {
  const remedies = findings.filter(
    ({ fixes, nextChecks }) => fixes.length > 0 || nextChecks.length > 0,
  );
  if (remedies.length === 0) return null;
  return (
    <Panel title="What to do" note={plural(remedies.length, "finding")} flush>
      <ul className="divide-y divide-line">
        {remedies.slice(0, findingsShownMax).map((finding) => (
          <li
            key={`${finding.contract}\u0000${finding.subject.kind}\u0000${finding.subject.name}\u0000${finding.title}`}
            className="flex flex-col gap-2 px-4 py-3"
          >
            <p className="font-semibold wrap-anywhere">
              {finding.subject.name}{" "}
              <span className="font-mono text-xs font-normal text-ink-3">{finding.contract}</span>
            </p>
            {finding.fixes.map(({ description, verified }) => (
              <Remedy
                key={description}
                tone={verified ? "good" : "plain"}
                word={verified ? "fix, verified" : "candidate fix"}
                text={description}
              />
            ))}
            {finding.nextChecks.map((text) => (
              <Remedy key={text} tone="accent" word="next check" text={text} />
            ))}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Remedy({
  tone,
  word,
  text,
}: {
  tone: "good" | "plain" | "accent";
  word: string;
  text: string;
}) {
  return (
    <p className="flex flex-wrap items-baseline gap-2 text-sm">
      <Badge tone={tone}>{word}</Badge>
      <span className="min-w-0 flex-1 basis-60 wrap-anywhere">
        <Prose text={text} />
      </span>
    </p>
  );
}

/** Files with one and the same fault stand together, so that the expectation is read once. */
function Unreadable({ files }: { files: CheckReport["unreadable"] }) {
  if (files.length === 0) return null;
  const groups = Map.groupBy(files, ({ message, expected }) => `${message}\n${expected}`);
  return (
    <Panel title="Could not be read" note={plural(files.length, "file")} flush>
      <ul className="divide-y divide-line">
        {[...groups].map(([key, group]) => (
          <li key={key} className="flex flex-col gap-1 px-4 py-3 text-sm">
            {group.slice(0, findingsShownMax).map(({ name, where }) => (
              <p key={`${name}\u0000${where ?? ""}`} className="font-mono text-xs wrap-anywhere">
                {name} {where !== undefined && <span className="text-ink-3">{where}</span>}
              </p>
            ))}
            <p className="wrap-anywhere">{group[0]?.message}</p>
            <p className="wrap-anywhere text-ink-2">Expected: {group[0]?.expected}.</p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function PassedOver({ names }: { names: readonly string[] }) {
  if (names.length === 0) return null;
  const hiddenCount = names.length - passedOverShownMax;
  return (
    <p className="text-sm wrap-anywhere text-ink-2">
      {plural(names.length, "file")} in no known form passed over:{" "}
      {names.slice(0, passedOverShownMax).join(", ")}
      {hiddenCount > 0 && ` and ${hiddenCount} more`}
    </p>
  );
}
