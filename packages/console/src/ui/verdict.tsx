/** The closed vocabularies of cases, each with its colour, icon and word. */

import type { Verdict } from "@faultline/contracts";
import type { CaseStatus, HypothesisStatus, TraceStatus, Verification } from "@faultline/protocol";

import { Badge, type Tone } from "./badge.tsx";
import type { IconName } from "./icon.tsx";

interface Look {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly word: string;
}

const verdicts: Readonly<Record<Verdict, Look>> = {
  violated: { tone: "bad", icon: "cross", word: "violated" },
  holds: { tone: "good", icon: "check", word: "holds" },
  inconclusive: { tone: "warn", icon: "question", word: "inconclusive" },
};

const caseStatuses: Readonly<Record<CaseStatus, Look>> = {
  open: { tone: "bad", icon: "pin", word: "open" },
  proved: { tone: "good", icon: "check", word: "proved" },
  closed: { tone: "plain", icon: "cross", word: "closed" },
};

const hypothesisStatuses: Readonly<Record<HypothesisStatus, Look>> = {
  proposed: { tone: "plain", icon: "question", word: "proposed" },
  supported: { tone: "accent", icon: "plus", word: "supported" },
  proved: { tone: "good", icon: "check", word: "proved" },
  refuted: { tone: "plain", icon: "cross", word: "refuted" },
};

const outcomes: Readonly<Record<Verification["outcome"], Look>> = {
  proved: { tone: "good", icon: "check", word: "proved" },
  "not-repaired": { tone: "bad", icon: "cross", word: "not repaired" },
  inconclusive: { tone: "warn", icon: "question", word: "inconclusive" },
};

const traceStatuses: Readonly<Record<TraceStatus, Look>> = {
  ok: { tone: "good", icon: "check", word: "ok" },
  error: { tone: "bad", icon: "cross", word: "error" },
};

function LookBadge({ look }: { look: Look }) {
  return (
    <Badge tone={look.tone} icon={look.icon}>
      {look.word}
    </Badge>
  );
}

export function VerdictBadge({ verdict }: { verdict: Verdict }) {
  return <LookBadge look={verdicts[verdict]} />;
}
export function CaseStatusBadge({ status }: { status: CaseStatus }) {
  return <LookBadge look={caseStatuses[status]} />;
}
export function HypothesisStatusBadge({ status }: { status: HypothesisStatus }) {
  return <LookBadge look={hypothesisStatuses[status]} />;
}
export function OutcomeBadge({ outcome }: { outcome: Verification["outcome"] }) {
  return <LookBadge look={outcomes[outcome]} />;
}
export function TraceStatusBadge({ status }: { status: TraceStatus }) {
  return <LookBadge look={traceStatuses[status]} />;
}
