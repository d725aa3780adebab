/** What a case is about: subject, window, what should be and what is. */

import type { CaseDetail } from "@faultline/protocol";
import { Link } from "@tanstack/react-router";

import { Panel } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import { paths } from "../util/paths.ts";

export function SymptomPanel({ detail }: { detail: CaseDetail }) {
  const { subject } = detail.summary;
  return (
    <Panel
      title="Symptom"
      actions={
        subject.kind === "ledger" ? (
          <Link {...paths.ledger()} className="text-xs text-accent hover:underline">
            The ledger
          </Link>
        ) : (
          <Link
            {...paths.traces({
              service: subject.name,
              ...(subject.operation === undefined ? {} : { operation: subject.operation }),
              from: detail.from,
              to: detail.to,
            })}
            className="text-xs text-accent hover:underline"
          >
            Traces of the window
          </Link>
        )
      }
    >
      <dl className="grid gap-4 sm:grid-cols-2">
        <div>
          <dt className="text-xs text-ink-3">Subject</dt>
          <dd className="wrap-anywhere">
            {subject.kind} <span className="font-medium">{subject.name}</span>
            {subject.operation !== undefined && (
              <span className="text-ink-2"> · {subject.operation}</span>
            )}
          </dd>
        </div>
        <div>
          <dt className="text-xs text-ink-3">Window</dt>
          <dd>
            <Time at={detail.from} /> – <Time at={detail.to} />
          </dd>
        </div>
        <div>
          <dt className="text-xs text-ink-3">Expected</dt>
          <dd className="wrap-anywhere">{detail.expected ?? <Unsaid />}</dd>
        </div>
        <div>
          <dt className="text-xs text-ink-3">Actual</dt>
          <dd className="wrap-anywhere">{detail.actual ?? <Unsaid />}</dd>
        </div>
      </dl>
    </Panel>
  );
}

function Unsaid() {
  return <span className="text-ink-3">not stated</span>;
}
