/** How far a case has come: from the frozen evidence to the proof. */

import type { CaseDetail } from "@faultline/protocol";

import { Icon } from "../ui/icon.tsx";
import { plural } from "../util/format.ts";

type Progress = "done" | "next" | "ahead";
interface Step {
  readonly name: string;
  readonly note: string;
  readonly progress: Progress;
}

const marks: Readonly<Record<Progress, string>> = {
  done: "bg-good text-surface",
  next: "bg-surface text-accent ring-2 ring-inset ring-accent",
  ahead: "bg-sunken text-ink-3 ring-1 ring-inset ring-line-strong",
};
const words: Readonly<Record<Progress, string>> = {
  done: "done",
  next: "next step",
  ahead: "still ahead",
};

export function CaseProgress({ detail }: { detail: CaseDetail }) {
  return (
    <ol
      aria-label="Progress of the case"
      className="grid gap-x-6 gap-y-3 rounded-xl border border-line bg-surface px-4 py-3 shadow-panel sm:grid-cols-2 lg:grid-cols-4"
    >
      {stepsOf(detail).map((step, index) => (
        <li key={step.name} className="flex min-w-0 items-start gap-2.5">
          <span
            className={`mt-0.5 grid size-5 shrink-0 place-items-center rounded-full text-2xs font-semibold ${marks[step.progress]}`}
          >
            {step.progress === "done" ? <Icon name="check" className="size-3" /> : index + 1}
          </span>
          <span className="min-w-0">
            <span
              className={`block text-sm font-semibold ${step.progress === "ahead" ? "text-ink-3" : ""}`}
            >
              {step.name}
              <span className="sr-only">, {words[step.progress]}</span>
            </span>
            <span className="block text-xs text-ink-3 tabular">{step.note}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}

function stepsOf(detail: CaseDetail): Step[] {
  const before = detail.snapshots.find((snapshot) => snapshot.role === "before");
  const leading = detail.hypotheses.find((hypothesis) => hypothesis.rank === 1);
  const isSupported = leading?.status === "supported" || leading?.status === "proved";
  const isProved = detail.summary.status === "proved" || leading?.status === "proved";
  const tries = detail.verifications.length;
  const steps = [
    {
      name: "Evidence frozen",
      isDone: before !== undefined,
      note:
        before === undefined
          ? "no traces of the subject yet"
          : detail.summary.subject.kind === "ledger"
            ? "the ledger at that moment"
            : `${before.traceCountKept} of ${plural(before.traceCountSeen, "trace")}`,
    },
    {
      name: "Cause supported",
      isDone: isSupported,
      note: leading === undefined ? "no contract is violated" : leading.contract,
    },
    {
      name: "Repair verified",
      isDone: isProved,
      note: tries === 0 ? "repair it, then take the after snapshot" : plural(tries, "attempt"),
    },
    {
      name: "Cause proved",
      isDone: isProved,
      note: isProved ? "failed before, holds after" : "only a verification can prove it",
    },
  ];
  const next = steps.findIndex((step) => !step.isDone);
  return steps.map(({ name, note, isDone }, index) => ({
    name,
    note,
    progress: isDone
      ? "done"
      : index === next && detail.summary.status === "open"
        ? "next"
        : "ahead",
  }));
}
