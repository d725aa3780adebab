/** A finding: the verdict of one contract, what was expected and what was seen. */

import type { Finding } from "@faultline/contracts";
import type { ReactNode } from "react";

import { Badge } from "../ui/badge.tsx";
import { Prose } from "../ui/prose.tsx";
import { VerdictBadge } from "../ui/verdict.tsx";
import { Measures } from "./measures.tsx";

export function FindingCard({
  finding,
  actions,
  fixes = "here",
  children,
}: {
  finding: Finding;
  actions?: ReactNode;
  /** Whether the fixes stand on the card, or where the page gathers those of all findings. */
  fixes?: "here" | "elsewhere";
  /** What stands below the facts, such as quotes. */
  children?: ReactNode;
}) {
  return (
    <article className="flex flex-col gap-2 px-4 py-3">
      <div className="flex flex-wrap items-center gap-2 text-xs text-ink-3">
        <VerdictBadge verdict={finding.verdict} />
        <span className="font-mono text-ink-2">
          {finding.contract} v{finding.contractVersion}
        </span>
        <span>{finding.boundary}</span>
        {actions !== undefined && <span className="ml-auto">{actions}</span>}
      </div>
      <h3 className="text-base font-semibold wrap-anywhere">{finding.title}</h3>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-1 text-sm">
        <dt className="text-ink-3">Subject</dt>
        <dd className="wrap-anywhere">
          <span className="text-ink-3">{finding.subject.kind}</span> {finding.subject.name}
        </dd>
        <dt className="text-ink-3">Expected</dt>
        <dd className="wrap-anywhere">{finding.expected}</dd>
        <dt className="text-ink-3">Actual</dt>
        <dd className="wrap-anywhere">{finding.actual}</dd>
        {finding.missing.length > 0 && (
          <>
            <dt className="text-ink-3">Missing</dt>
            <dd className="wrap-anywhere">{finding.missing.join(" ")}</dd>
          </>
        )}
      </dl>
      {children}
      <Measures measures={finding.measures} />
      {(fixes === "here" ? finding.fixes : []).map((fix) => (
        <p key={fix.description} className="flex flex-wrap items-baseline gap-2 text-sm">
          <Badge tone={fix.verified ? "good" : "plain"}>
            {fix.verified ? "fix, verified" : "candidate fix"}
          </Badge>
          <span className="min-w-0 flex-1 basis-60 wrap-anywhere">
            <Prose text={fix.description} />
          </span>
        </p>
      ))}
    </article>
  );
}
