/** How far a check has come, and the way to end it. */

import type { BrowserCheckState } from "../check/use-browser-check.ts";
import { Button } from "../ui/button.tsx";
import { Panel } from "../ui/panel.tsx";
import { formatBytes, formatCount, plural } from "../util/format.ts";

type Running = Extract<BrowserCheckState, { kind: "running" }>;

export function CheckProgress({ state, onCancel }: { state: Running; onCancel: () => void }) {
  const { step, fileCount, totalBytes } = state;
  const isReading = step?.kind === "reading";
  const share = isReading && totalBytes > 0 ? Math.min(1, step.bytesRead / totalBytes) : undefined;
  return (
    <Panel
      title={step?.kind === "judging" ? "Judging" : "Reading"}
      note={
        fileCount === 0 ? undefined : `${plural(fileCount, "file")}, ${formatBytes(totalBytes)}`
      }
      actions={<Button onClick={onCancel}>Cancel</Button>}
    >
      <div className="flex flex-col gap-2">
        <progress
          aria-label="Progress of the check"
          className="h-2 w-full accent-accent"
          {...(share === undefined ? {} : { value: share })}
        />
        <p className="text-sm wrap-anywhere text-ink-2 tabular">{words(state)}</p>
      </div>
    </Panel>
  );
}

function words({ step, fileCount, totalBytes }: Running): string {
  if (step === undefined) return fileCount === 0 ? "Looking for files…" : "Beginning to read…";
  if (step.kind === "judging") {
    return `${plural(step.contractCount, "contract")} on ${step.evidenceWords}…`;
  }
  const spans = step.spanCount === 0 ? "" : `, ${formatCount(step.spanCount)} spans`;
  return `${formatBytes(step.bytesRead)} of ${formatBytes(totalBytes)}${spans}: file ${formatCount(step.fileNumber)}, ${step.fileName}`;
}
