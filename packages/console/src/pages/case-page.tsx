/** `/cases/:caseNumber`: symptom, evidence, hypotheses, proof, and the steps that are left. */

import type { CaseDetail } from "@faultline/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { caseQuery } from "../api/queries.ts";
import { CaseProgress } from "../components/case-progress.tsx";
import { CaseSteps } from "../components/case-steps.tsx";
import { CaseTimeline } from "../components/case-timeline.tsx";
import { FindingsPanel } from "../components/findings-panel.tsx";
import { HypothesisTable } from "../components/hypothesis-table.tsx";
import { Proof } from "../components/proof.tsx";
import { SnapshotList } from "../components/snapshot-list.tsx";
import { SymptomPanel } from "../components/symptom-panel.tsx";
import { buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Time } from "../ui/time.tsx";
import { CaseStatusBadge } from "../ui/verdict.tsx";
import { plural } from "../util/format.ts";
import { downloads, paths } from "../util/paths.ts";

export function CasePage({ caseNumber }: { caseNumber: string }) {
  const query = useQuery(caseQuery(caseNumber));
  const summary = query.data?.summary;
  return (
    <Page
      eyebrow={
        <>
          <Link {...paths.cases()} className="hover:text-ink hover:underline">
            Cases
          </Link>
          <span aria-hidden="true">/</span>
          <span className="tabular">{caseNumber}</span>
        </>
      }
      title={summary?.symptom ?? `Case ${caseNumber}`}
      lead={
        summary !== undefined && (
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <CaseStatusBadge status={summary.status} />
            <span>
              opened <Time at={summary.openedAt} />
            </span>
          </span>
        )
      }
      actions={
        summary !== undefined && (
          <>
            <a
              href={downloads.report(summary.id, "html")}
              target="_blank"
              rel="noreferrer"
              className={buttonClass()}
            >
              <Icon name="document" className="size-3.5" />
              Report
            </a>
            <a
              href={downloads.report(summary.id, "markdown")}
              download={`case-${summary.number}.md`}
              className={buttonClass("quiet")}
            >
              <Icon name="download" className="size-3.5" />
              Markdown
            </a>
          </>
        )
      }
    >
      <QueryView query={query} loadingLabel="Loading the case" skeletonRows={12}>
        {(detail) => <CasePanels detail={detail} />}
      </QueryView>
    </Page>
  );
}

function CasePanels({ detail }: { detail: CaseDetail }) {
  const latest = detail.verifications.toSorted((one, other) =>
    other.verifiedAt.localeCompare(one.verifiedAt),
  );
  return (
    <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_24rem]">
      <div className="xl:col-span-2">
        <CaseProgress detail={detail} />
      </div>
      <div className="flex min-w-0 flex-col gap-4">
        <SymptomPanel detail={detail} />
        <Panel
          title="Hypotheses"
          note={plural(detail.hypotheses.length, "hypothesis").replace("hypothesiss", "hypotheses")}
          flush
        >
          {detail.hypotheses.length === 0 ? (
            <EmptyState icon="question" title="No contract explains the symptom yet">
              <p>
                The frozen evidence violates no contract. Widen the window, or name the operation
                that is slow, in a new case.
              </p>
            </EmptyState>
          ) : (
            <HypothesisTable hypotheses={detail.hypotheses} />
          )}
        </Panel>
        <Panel
          title="Proof"
          note={latest.length > 1 ? `latest of ${latest.length} verifications` : undefined}
          flush
        >
          {latest[0] === undefined ? (
            <EmptyState icon="check" title="Nothing is proved yet">
              <p>
                A proof needs the same contract to fail before and to hold after, while a control
                does not change.
              </p>
            </EmptyState>
          ) : (
            <>
              <Proof verification={latest[0]} />
              {latest.length > 1 && (
                <details className="border-t border-line">
                  <summary className="px-4 py-2 text-xs font-medium text-ink-2 hover:text-ink">
                    Earlier verifications ({latest.length - 1})
                  </summary>
                  <div className="divide-y divide-line border-t border-line">
                    {latest.slice(1).map((verification) => (
                      <Proof key={verification.id} verification={verification} />
                    ))}
                  </div>
                </details>
              )}
            </>
          )}
        </Panel>
        <FindingsPanel
          findings={detail.findings}
          absent="No contract found anything to judge in the evidence."
        />
      </div>
      <div className="flex min-w-0 flex-col gap-4">
        <CaseSteps detail={detail} />
        <Panel title="Evidence" note={plural(detail.snapshots.length, "snapshot")}>
          <SnapshotList caseId={detail.summary.id} snapshots={detail.snapshots} />
        </Panel>
        <Panel title="Events" note={plural(detail.events.length, "event")}>
          <CaseTimeline events={detail.events} />
        </Panel>
      </div>
    </div>
  );
}
