/** The frozen evidence of a case, each piece a file from which every check can be replayed. */

import type { CaseSnapshot } from "@faultline/protocol";

import { Badge } from "../ui/badge.tsx";
import { Icon } from "../ui/icon.tsx";
import { Time } from "../ui/time.tsx";
import { formatBytes, formatCount, plural } from "../util/format.ts";
import { downloads } from "../util/paths.ts";

export function SnapshotList({
  caseId,
  snapshots,
}: {
  caseId: string;
  snapshots: readonly CaseSnapshot[];
}) {
  return (
    <ul className="flex flex-col gap-3">
      {snapshots.map((snapshot) => (
        <li key={`${snapshot.role}${snapshot.id}`} className="flex items-start gap-3 text-sm">
          <div className="min-w-0 flex-1">
            <p className="flex flex-wrap items-center gap-2">
              <Badge tone={snapshot.role === "before" ? "plain" : "accent"}>{snapshot.role}</Badge>
              <span className="text-ink-2">
                <Time at={snapshot.from} /> – <Time at={snapshot.to} />
              </span>
            </p>
            <p className="mt-1 text-xs text-ink-3 tabular">
              {formatCount(snapshot.traceCountKept)} of {plural(snapshot.traceCountSeen, "trace")}{" "}
              kept · {plural(snapshot.evidenceCount, "piece")} of evidence ·{" "}
              {formatBytes(snapshot.byteCount)}
            </p>
            <p className="font-mono text-2xs text-ink-3" title={snapshot.id}>
              {snapshot.id.slice(0, 23)}…
            </p>
          </div>
          <a
            href={downloads.snapshot(caseId, snapshot.id)}
            download
            aria-label={`Download the ${snapshot.role} snapshot`}
            title="Download; check it anywhere with `faultline check`"
            className="grid size-8 shrink-0 place-items-center rounded-md text-ink-2 ring-1 ring-line ring-inset hover:bg-sunken hover:text-ink"
          >
            <Icon name="download" />
          </a>
        </li>
      ))}
    </ul>
  );
}
