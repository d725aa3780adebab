/** The facts that a case is made of. Each is written once and never changed; together they are the case. */

import type { Finding } from "@faultline/contracts";
import type {
  CaseEvent,
  CaseSnapshot,
  CaseSubject,
  Hypothesis,
  Verification,
} from "@faultline/protocol";

import { unreachable } from "#kernel/index.ts";

export type CaseFact =
  | {
      readonly kind: "case-opened";
      readonly id: string;
      readonly number: number;
      readonly symptom: string;
      readonly subject: CaseSubject;
      readonly from: string;
      readonly to: string;
      readonly expected?: string;
      readonly actual?: string;
    }
  | { readonly kind: "snapshot-frozen"; readonly snapshot: CaseSnapshot }
  | {
      readonly kind: "contracts-checked";
      /** At most `caseLimits.findingCountMax`, the violated ones first to stay. */
      readonly findings: readonly Finding[];
      readonly findingCount: number;
    }
  | { readonly kind: "hypotheses-written"; readonly hypotheses: readonly Hypothesis[] }
  | { readonly kind: "mitigation-noted"; readonly text: string }
  | { readonly kind: "repair-verified"; readonly verification: Verification }
  | {
      readonly kind: "cause-proved";
      readonly hypothesisId: string;
      readonly verificationId: string;
    }
  | { readonly kind: "case-closed"; readonly reason: string };

/** A fact with its place in the case's history. */
export interface RecordedFact {
  /** Counts up from 1 within the case. */
  readonly sequence: number;
  /** ISO 8601. */
  readonly at: string;
  /** Who did it: the name of a key, or the platform. */
  readonly actor: string;
  readonly fact: CaseFact;
}

/** The event as the API and the report show it. */
export function toCaseEvent(recorded: RecordedFact): CaseEvent {
  const { sequence, at, actor, fact } = recorded;
  return { sequence, kind: fact.kind, at, actor, summary: summaryOf(fact) };
}

function summaryOf(fact: CaseFact): string {
  switch (fact.kind) {
    case "case-opened":
      return `Case ${fact.number} opened: ${fact.symptom}`;
    case "snapshot-frozen": {
      const { role, traceCountKept, traceCountSeen, id } = fact.snapshot;
      return `Snapshot ${role} the repair frozen: ${traceCountKept} of ${traceCountSeen} traces, ${id.slice(0, 19)}…`;
    }
    case "contracts-checked": {
      const count = (verdict: Finding["verdict"]): number =>
        fact.findings.filter((finding) => finding.verdict === verdict).length;
      return `Contracts checked: ${count("violated")} violated, ${count("holds")} held, ${count("inconclusive")} inconclusive`;
    }
    case "hypotheses-written": {
      const supported = fact.hypotheses.filter((item) => item.status === "supported").length;
      return `Hypotheses written: ${supported} supported of ${fact.hypotheses.length}`;
    }
    case "mitigation-noted":
      return `Mitigation noted: ${fact.text}`;
    case "repair-verified":
      return `Repair verified: ${fact.verification.outcome}`;
    case "cause-proved":
      return "The leading hypothesis is proved";
    case "case-closed":
      return `Case closed: ${fact.reason}`;
    default:
      return unreachable(fact);
  }
}
