/** Turns findings into hypotheses: specific causes with evidence for and against. A symptom is never one. Pure. */

import {
  checkSnapshot,
  type Contract,
  controls,
  type EvidenceReference,
  evidenceOfKind,
  type Finding,
  requestsSucceed,
  type Snapshot,
  snapshotOf,
  type Span,
} from "@faultline/contracts";
import type { Hypothesis } from "@faultline/protocol";

import { caseLimits } from "./limits.ts";

/** Contracts whose violation is a symptom: they control a proof, and name no cause. */
const symptomContracts: ReadonlySet<string> = new Set(controls.map(({ id }) => id));

/** What is missing to a cause of kind `change` as long as no change event is in the evidence. */
export const changeUnknown =
  "Which change brought it: no change event is in the evidence, so when and by whom is unknown.";

/** A hypothesis before it has an id. */
export type DraftHypothesis = Omit<Hypothesis, "id">;

/**
 * One hypothesis for each group of violated findings, the one that explains most time first; then one for each
 * inconclusive finding, as a question. Without either, one that says that nothing is violated and what is missing.
 */
export function writeHypotheses(
  snapshot: Snapshot,
  findings: readonly Finding[],
  contracts: readonly Contract[],
): DraftHypothesis[] {
  const causal = findings.filter((finding) => !symptomContracts.has(finding.contract));
  const supported = groupBySubject(causal.filter(({ verdict }) => verdict === "violated"))
    .map((group) => ({ group, explainedMillis: explainedMillis(group) }))
    .sort((left, right) => right.explainedMillis - left.explainedMillis)
    .map(({ group }) => supportedBy(group, snapshot, contracts));
  const violatedSubjects = new Set(supported.map(subjectKey));
  const open = groupBySubject(causal.filter(({ verdict }) => verdict === "inconclusive"))
    .filter(([first]) => !violatedSubjects.has(subjectKey(first)))
    .map(([first]) => proposedBy(first));
  const drafts = [...supported, ...open].slice(0, caseLimits.hypothesisCountMax);
  const all = supported.length === 0 ? [nothingViolated(snapshot, findings), ...drafts] : drafts;
  return all
    .slice(0, caseLimits.hypothesisCountMax)
    .map((draft, index) => ({ ...draft, rank: index + 1 }));
}

type Group = readonly [Finding, ...Finding[]];
type Ranked = Omit<DraftHypothesis, "rank">;

function groupBySubject(findings: readonly Finding[]): Group[] {
  const groups = new Map<string, [Finding, ...Finding[]]>();
  for (const finding of findings) {
    const key = subjectKey(finding);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return [...groups.values()].map(
    // The finding that explains most speaks for its group.
    (group) => group.sort((left, right) => millisOf(right) - millisOf(left)),
  );
}

function subjectKey(item: Pick<Finding, "contract" | "subject">): string {
  return `${item.contract}\n${item.subject.kind}\n${item.subject.name}`;
}

function explainedMillis(group: Group): number {
  return group.reduce((total, finding) => total + millisOf(finding), 0);
}

/** Time that a finding accounts for: in its widest request, times the requests in which it was seen. */
function millisOf(finding: Finding): number {
  const { unionMillis, requestCountRepeated } = finding.measures;
  if (typeof unionMillis !== "number") return 0;
  return unionMillis * (typeof requestCountRepeated === "number" ? requestCountRepeated : 1);
}

function supportedBy(group: Group, snapshot: Snapshot, contracts: readonly Contract[]): Ranked {
  const [first] = group;
  const contract = contracts.find((item) => item.id === first.contract);
  return {
    status: "supported",
    statement: first.title,
    causeKind: first.causeKind,
    boundary: first.boundary,
    contract: first.contract,
    subject: first.subject,
    evidenceFor: group
      .flatMap((finding) => finding.evidence)
      .slice(0, caseLimits.hypothesisReferenceCountMax),
    evidenceAgainst: contract === undefined ? [] : evidenceAgainst(first, snapshot, contract),
    missing: [...first.missing, ...(first.causeKind === "change" ? [changeUnknown] : [])],
    fixes: group.flatMap((finding) => finding.fixes).slice(0, 8),
    nextCheck:
      first.nextChecks[0] ??
      "Repair it, let the same load run again, and verify the case over that window.",
  };
}

function proposedBy(finding: Finding): Ranked {
  return {
    status: "proposed",
    statement: finding.title,
    causeKind: finding.causeKind,
    boundary: finding.boundary,
    contract: finding.contract,
    subject: finding.subject,
    evidenceFor: finding.evidence.slice(0, caseLimits.hypothesisReferenceCountMax),
    evidenceAgainst: [],
    missing: finding.missing,
    fixes: finding.fixes,
    nextCheck: finding.nextChecks[0] ?? "Collect what is missing and open the case again.",
  };
}

/**
 * What a cause does not explain: chosen traces that failed, or took as long as those that show the fault, in which
 * the contract, run on that trace alone, does not find it. A reader weighs them against the evidence for it.
 */
function evidenceAgainst(
  finding: Finding,
  snapshot: Snapshot,
  contract: Contract,
): EvidenceReference[] {
  const slowIds = new Set(
    evidenceOfKind(snapshot, "trace-population").flatMap((item) => item.content.slowTraceIds),
  );
  const slow = evidenceOfKind(snapshot, "trace")
    .filter((trace) => slowIds.has(trace.content.traceId))
    .map((trace) => ({
      trace,
      millis: durationMillis(trace.content.spans),
      hasFailed: trace.content.spans.some((span) => span.status.code === "error"),
      showsFault: checkSnapshot(snapshotOf([trace]), [contract]).some(
        (other) => other.verdict === "violated" && subjectKey(other) === subjectKey(finding),
      ),
    }));
  const explained = slow.filter(({ showsFault }) => showsFault).map(({ millis }) => millis);
  const shortestExplained = Math.min(Number.POSITIVE_INFINITY, ...explained);
  return slow
    .filter(({ showsFault }) => !showsFault)
    .filter(({ millis, hasFailed }) => hasFailed || millis >= shortestExplained)
    .slice(0, caseLimits.hypothesisReferenceCountMax)
    .map(({ trace, millis, hasFailed }) => ({
      evidenceId: trace.id,
      quote: `Trace ${trace.content.traceId} ${hasFailed ? "failed" : `took ${millis.toFixed(1)} ms`} without this fault.`,
    }));
}

function durationMillis(spans: readonly Span[]): number {
  let start = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const span of spans) {
    start = Math.min(start, span.startMicros);
    end = Math.max(end, span.startMicros + span.durationNanos / 1_000);
  }
  return Math.max(0, end - start) / 1_000;
}

function nothingViolated(snapshot: Snapshot, findings: readonly Finding[]): Ranked {
  const traceCount = evidenceOfKind(snapshot, "trace").length;
  const failing = findings.filter(
    ({ contract, verdict }) => symptomContracts.has(contract) && verdict === "violated",
  );
  const ofLedger = findings.find(() => evidenceOfKind(snapshot, "ledger").length > 0);
  const hasTraces = traceCount > 0 || ofLedger !== undefined;
  const missing = [
    ...(!hasTraces ? ["Traces of the subject in the window: none are stored."] : []),
    ...findings
      .filter(({ verdict }) => verdict === "inconclusive")
      .flatMap(({ missing }) => missing),
    ofLedger === undefined
      ? "Evidence of the boundaries that traces do not show, such as Kubernetes objects, tool transcripts and change events."
      : "A provider's invoice, journals of workers, and what the ledger was before the window.",
  ];
  return {
    status: "proposed",
    statement: !hasTraces
      ? "No contract could be checked: the window holds no trace of the subject"
      : `No contract is violated by the evidence at hand, so no cause is known${failing.length === 0 ? "" : "; that requests fail is the symptom"}`,
    causeKind: "none",
    boundary: ofLedger?.boundary ?? requestsSucceed.boundary,
    contract: ofLedger?.contract ?? requestsSucceed.id,
    subject: findings[0]?.subject ?? { kind: "snapshot", name: "evidence of the case" },
    evidenceFor: failing
      .flatMap((finding) => finding.evidence)
      .slice(0, caseLimits.hypothesisReferenceCountMax),
    evidenceAgainst: [],
    missing: [...new Set(missing)].slice(0, 32),
    fixes: [],
    nextCheck: !hasTraces
      ? "Check that the service sends its spans here, then open a case over a window in which it had traffic."
      : "Add the evidence that is missing, or widen the window to a time in which the symptom shows.",
  };
}
