/** `/check`: the contracts on files of one's own, in the browser alone. */

import { type CheckReport, evidenceLimits } from "@faultline/contracts";

import { type BrowserCheck, useBrowserCheck } from "../check/use-browser-check.ts";
import { CheckProgress } from "../components/check-progress.tsx";
import { CheckReportView } from "../components/check-report-view.tsx";
import { FileDrop } from "../components/file-drop.tsx";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { Figure } from "../ui/figure.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { formatBytes, formatCount, plural } from "../util/format.ts";

const limits = `Up to ${formatCount(evidenceLimits.fileCountMax)} files, ${mebibytes(evidenceLimits.fileBytesMax)} each and ${mebibytes(evidenceLimits.totalBytesMax)} together; traces may be larger. Hidden names and node_modules are passed over.`;

export function CheckPage() {
  const check = useBrowserCheck();
  const { state } = check;
  return (
    <Page
      title="Check files"
      lead={
        <>
          The contracts of <code className="font-mono">faultline check</code>, run in this browser.{" "}
          <strong className="font-semibold text-ink">Nothing leaves it</strong>: no file, no name
          and no finding is sent anywhere.
        </>
      }
    >
      {state.kind !== "running" && (
        <FileDrop
          onGiven={(given) => check.start(given)}
          hint={`Traces, metrics, logs, Kubernetes dumps, transcripts, profiles, snapshots. ${limits}`}
        />
      )}
      <div aria-live="polite" className="sr-only">
        {announcement(state)}
      </div>
      <Outcome check={check} />
    </Page>
  );
}

function Outcome({ check }: { check: BrowserCheck }) {
  const { state } = check;
  switch (state.kind) {
    case "idle":
      return (
        <div className="flex flex-col gap-4">
          {state.wasCancelled && (
            <p className="text-sm text-ink-2">
              The check was cancelled; what it had read is forgotten.
            </p>
          )}
          <CommandLine
            label="The same in a terminal, also for more than a browser holds"
            lines={["npx faultline check PATH…"]}
          />
        </div>
      );
    case "running":
      return <CheckProgress state={state} onCancel={() => check.cancel()} />;
    case "failed":
      return <ErrorState error={new Error(state.message)} />;
    case "checked":
      return (
        <>
          <Panel
            title="Verdict"
            note={`${plural(state.fileCount, "file")}, ${formatBytes(state.totalBytes)}`}
            actions={
              <>
                <Button icon="download" onClick={() => check.download("report")}>
                  JSON report
                </Button>
                <Button icon="download" onClick={() => check.download("snapshot")}>
                  .faultline snapshot
                </Button>
              </>
            }
          >
            <Summary report={state.report} evidenceWords={state.evidenceWords} />
          </Panel>
          <CheckReportView report={state.report} />
        </>
      );
  }
}

function Summary({ report, evidenceWords }: { report: CheckReport; evidenceWords: string }) {
  const { violated, holds, inconclusive, unreadable } = report.summary;
  return (
    <div className="flex flex-col gap-3">
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 sm:flex sm:gap-x-12">
        <Figure label="violated">{formatCount(violated)}</Figure>
        <Figure label="hold">{formatCount(holds)}</Figure>
        <Figure label="inconclusive">{formatCount(inconclusive)}</Figure>
        <Figure label="unreadable">{formatCount(unreadable)}</Figure>
      </dl>
      <p className="text-sm text-ink-2">{verdictWords(report, evidenceWords)}</p>
    </div>
  );
}

/** Without a finding nothing is known to hold, and the page must not look as if it did. */
function verdictWords(report: CheckReport, evidenceWords: string): string {
  const { findings, evidenceCount, unreadable, contracts } = report;
  if (findings.length > 0 || (evidenceCount === 0 && unreadable.length > 0)) {
    return `${plural(contracts.length, "contract")} on ${evidenceWords}.`;
  }
  const read = evidenceCount === 0 ? "Nothing was read" : evidenceWords;
  return `${read}: no contract had anything to judge. That does not show that they hold.`;
}

function announcement(state: BrowserCheck["state"]): string {
  switch (state.kind) {
    case "idle":
      return state.wasCancelled ? "Cancelled." : "";
    case "running":
      return "Checking.";
    case "failed":
      return "The check failed.";
    case "checked": {
      const { violated, holds, inconclusive, unreadable } = state.report.summary;
      return `${violated} violated, ${holds} hold, ${inconclusive} inconclusive, ${unreadable} unreadable.`;
    }
  }
}

function mebibytes(bytes: number): string {
  return bytes >= 1024 ** 3 ? `${bytes / 1024 ** 3} GiB` : `${bytes / 1024 ** 2} MiB`;
}
