/** The state machine of a case: which facts may follow, and what they make of it. Pure. */

import type { Finding } from "@faultline/contracts";
import {
  type CaseDetail,
  type CaseSnapshot,
  type CaseStatus,
  type CaseSubject,
  type CaseSummary,
  type Hypothesis,
  PlatformError,
  type Verification,
} from "@faultline/protocol";

import { assert, unreachable } from "#kernel/index.ts";

import { type CaseFact, type RecordedFact, toCaseEvent } from "./fact.ts";
import { caseLimits } from "./limits.ts";

/** A case as its facts make it. */
export interface CaseState {
  readonly id: string;
  readonly number: number;
  readonly status: CaseStatus;
  readonly symptom: string;
  readonly subject: CaseSubject;
  readonly openedAt: string;
  readonly from: string;
  readonly to: string;
  readonly expected?: string;
  readonly actual?: string;
  readonly mitigations: readonly string[];
  readonly hypotheses: readonly Hypothesis[];
  readonly findings: readonly Finding[];
  readonly snapshots: readonly CaseSnapshot[];
  readonly verifications: readonly Verification[];
  /** Sequence of the last fact that is contained. */
  readonly sequence: number;
}

/** The state after one more fact. A fact that may not follow is a fault of ours, and throws. */
export function applyFact(state: CaseState | undefined, recorded: RecordedFact): CaseState {
  const { fact, sequence } = recorded;
  if (fact.kind === "case-opened") {
    assert(state === undefined && sequence === 1, "a case is opened once, by its first fact");
    return openedState(fact, recorded.at);
  }
  assert(state !== undefined, "a case is opened before anything else happens to it");
  assert(sequence === state.sequence + 1, "facts of a case follow one another without a gap");
  assert(state.status !== "closed", "a closed case accepts nothing");
  return { ...applyToOpened(state, fact), sequence };
}

/** The state that a whole history leads to. */
export function replay(history: readonly RecordedFact[]): CaseState {
  let state: CaseState | undefined;
  for (const recorded of history) state = applyFact(state, recorded);
  assert(state !== undefined, "a history has at least the opening of its case");
  return state;
}

/** The hypothesis that a verification is about: the first in rank. */
export function leadingHypothesis(state: CaseState): Hypothesis | undefined {
  return state.hypotheses.find((hypothesis) => hypothesis.rank === 1);
}

/** Refuses with `conflict` when the case is closed. */
export function requireNotClosed(state: CaseState): void {
  if (state.status !== "closed") return;
  throw new PlatformError("conflict", `Case ${state.number} is closed and accepts nothing more.`, {
    hint: "Open a new case about what is seen now.",
  });
}

/** The facts of a mitigation. */
export function noteMitigation(state: CaseState, text: string): CaseFact[] {
  requireNotClosed(state);
  requireBelow(state.mitigations.length, caseLimits.mitigationCountMax, "mitigations");
  return [{ kind: "mitigation-noted", text }];
}

/** The facts of a close. */
export function closeCase(state: CaseState, reason: string): CaseFact[] {
  requireNotClosed(state);
  return [{ kind: "case-closed", reason }];
}

/** The hypothesis to verify, or a refusal with `conflict` that says why there is none. */
export function requireVerifiable(state: CaseState): Hypothesis {
  requireNotClosed(state);
  requireBelow(state.verifications.length, caseLimits.verificationCountMax, "verifications");
  const leading = leadingHypothesis(state);
  if (leading !== undefined && leading.status !== "proposed") return leading;
  throw new PlatformError(
    "conflict",
    `Case ${state.number} has no supported hypothesis, so a repair has nothing to be compared with.`,
    { hint: "Open a case over a window in which the fault shows and its spans are recorded." },
  );
}

/** The facts of a verification. A cause is proved once; later verifications are recorded beside it. */
export function recordVerification(
  state: CaseState,
  after: CaseSnapshot,
  verification: Verification,
): CaseFact[] {
  requireVerifiable(state);
  const isKnown = state.snapshots.some(({ role, id }) => role === "after" && id === after.id);
  const facts: CaseFact[] = [
    // The same window over the same traces gives the same snapshot, which is frozen already.
    ...(isKnown ? [] : [{ kind: "snapshot-frozen", snapshot: after } as const]),
    { kind: "repair-verified", verification },
  ];
  if (verification.outcome === "proved" && state.status === "open") {
    const { hypothesisId, id: verificationId } = verification;
    facts.push({ kind: "cause-proved", hypothesisId, verificationId });
  }
  return facts;
}

/** The case as the API shows it. */
export function toCaseDetail(state: CaseState, history: readonly RecordedFact[]): CaseDetail {
  return {
    summary: toCaseSummary(state),
    ...(state.expected === undefined ? {} : { expected: state.expected }),
    ...(state.actual === undefined ? {} : { actual: state.actual }),
    from: state.from,
    to: state.to,
    mitigations: [...state.mitigations],
    hypotheses: [...state.hypotheses],
    findings: [...state.findings],
    snapshots: [...state.snapshots],
    verifications: [...state.verifications],
    events: history.map(toCaseEvent),
  };
}

/** The line of the case in a list. */
export function toCaseSummary(state: CaseState): CaseSummary {
  const leading = leadingHypothesis(state);
  return {
    id: state.id,
    number: state.number,
    status: state.status,
    symptom: state.symptom,
    subject: state.subject,
    openedAt: state.openedAt,
    ...(leading === undefined ? {} : { leadingHypothesis: leading }),
  };
}

function openedState(fact: CaseFact & { kind: "case-opened" }, at: string): CaseState {
  const { kind: _, ...opened } = fact;
  return {
    ...opened,
    status: "open",
    openedAt: at,
    mitigations: [],
    hypotheses: [],
    findings: [],
    snapshots: [],
    verifications: [],
    sequence: 1,
  };
}

function applyToOpened(
  state: CaseState,
  fact: Exclude<CaseFact, { kind: "case-opened" }>,
): CaseState {
  switch (fact.kind) {
    case "snapshot-frozen":
      return withSnapshot(state, fact.snapshot);
    case "contracts-checked":
      assert(hasSnapshot(state, "before"), "contracts are checked on a frozen snapshot");
      return { ...state, findings: fact.findings };
    case "hypotheses-written":
      assert(state.hypotheses.length === 0, "hypotheses of a case are written once");
      assert(
        fact.hypotheses.every(({ status }) => status === "proposed" || status === "supported"),
        "a new hypothesis is not proved or refuted yet",
      );
      return { ...state, hypotheses: fact.hypotheses };
    case "mitigation-noted":
      return { ...state, mitigations: [...state.mitigations, fact.text] };
    case "repair-verified":
      return withVerification(state, fact.verification);
    case "cause-proved":
      return withProof(state, fact);
    case "case-closed":
      return { ...state, status: "closed" };
    default:
      return unreachable(fact);
  }
}

function withSnapshot(state: CaseState, snapshot: CaseSnapshot): CaseState {
  if (snapshot.role === "before") {
    assert(!hasSnapshot(state, "before"), "what was before a repair is frozen once");
  } else {
    assert(hasSnapshot(state, "before"), "there is a before to every after");
  }
  return { ...state, snapshots: [...state.snapshots, snapshot] };
}

function withVerification(state: CaseState, verification: Verification): CaseState {
  const { beforeSnapshot, afterSnapshot, hypothesisId } = verification;
  assert(
    state.snapshots.some(({ role, id }) => role === "before" && id === beforeSnapshot) &&
      state.snapshots.some(({ role, id }) => role === "after" && id === afterSnapshot),
    "a verification compares snapshots that the case has frozen",
  );
  assert(
    state.hypotheses.some(({ id }) => id === hypothesisId),
    "a verification is about a hypothesis of the case",
  );
  return { ...state, verifications: [...state.verifications, verification] };
}

function withProof(state: CaseState, fact: CaseFact & { kind: "cause-proved" }): CaseState {
  const verification = state.verifications.find(({ id }) => id === fact.verificationId);
  assert(
    verification?.outcome === "proved" && verification.hypothesisId === fact.hypothesisId,
    "only a verification proves, and only the hypothesis that it is about",
  );
  assert(state.status === "open", "a case is proved once");
  const hypotheses = state.hypotheses.map((hypothesis) => {
    if (hypothesis.id !== fact.hypothesisId) return hypothesis;
    assert(hypothesis.status === "supported", "a hypothesis is supported before it is proved");
    return { ...hypothesis, status: "proved" as const };
  });
  return { ...state, status: "proved", hypotheses };
}

function hasSnapshot(state: CaseState, role: CaseSnapshot["role"]): boolean {
  return state.snapshots.some((snapshot) => snapshot.role === role);
}

function requireBelow(count: number, limit: number, what: string): void {
  if (count < limit) return;
  throw new PlatformError("limit_exceeded", `A case holds at most ${limit} ${what}.`, {
    hint: "Close this case and open a new one.",
  });
}
