/**
 * The proof: the same contract fails on the snapshot before a repair and holds on the one after, on the same
 * subject, while the control holds on both and *after* covers what *before* had. Pure; no model has a say.
 */

import {
  checkSnapshot,
  type Contract,
  evidenceOfKind,
  type Finding,
  operationName,
  type ServedRequest,
  type Snapshot,
  type Verdict,
} from "@faultline/contracts";
import type {
  ContractComparison,
  CoverageCondition,
  Hypothesis,
  Verification,
} from "@faultline/protocol";

import { coverageOf } from "./coverage.ts";
import { caseLimits } from "./limits.ts";
import {
  type ComparedSnapshots,
  operationsQuoted,
  type QuotedOperations,
  requestsIn,
} from "./operation-facts.ts";

export type RepairJudgement = Pick<
  Verification,
  "outcome" | "reasons" | "contract" | "control" | "coverage"
>;

/** What is compared for one hypothesis. */
export interface RepairQuestion {
  readonly hypothesis: Pick<Hypothesis, "contract" | "subject" | "boundary">;
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly contract: Contract;
  readonly control: Contract;
}

/** Judges a repair. */
export function judgeRepair(question: RepairQuestion): RepairJudgement {
  const { before, after, contract, hypothesis } = question;
  const verdicts = {
    before: checkSnapshot(before, [contract]),
    after: checkSnapshot(after, [contract]),
  };
  const own = {
    before: verdicts.before.filter((finding) => isAbout(finding, hypothesis)),
    after: verdicts.after.filter((finding) => isAbout(finding, hypothesis)),
  };
  const compared: ComparedSnapshots = {
    before,
    after,
    requestsBefore: requestsIn(before),
    requestsAfter: requestsIn(after),
  };
  const quoted = quotedOperations(compared.requestsBefore, own.before);
  const comparison = compare(contract.id, own.before, own.after);
  const control = compareControl(question, quoted);
  const coverage = coverageOf(compared, quoted.names, verdicts);
  return {
    ...conclude({ comparison, control, coverage, after, own: own.after }),
    contract: comparison,
    control,
    coverage: keepConditions(coverage),
  };
}

/** What is recorded of the conditions; the conclusion rests on all of them. */
function keepConditions(conditions: readonly CoverageCondition[]): CoverageCondition[] {
  const countMax = caseLimits.coverageConditionCountMax;
  if (conditions.length <= countMax) return [...conditions];
  const unmetFirst = [...conditions].sort((left, right) => Number(left.met) - Number(right.met));
  return unmetFirst.slice(0, countMax);
}

/** Names of the spans by which the requests that showed a fault entered the service. */
export function faultyEntries(
  question: Pick<RepairQuestion, "hypothesis" | "before" | "contract">,
): ReadonlySet<string> {
  const { hypothesis, before, contract } = question;
  const requests = requestsIn(before);
  const own = checkSnapshot(before, [contract]).filter((item) => isAbout(item, hypothesis));
  const { names } = quotedOperations(requests, own);
  const faulty = requests.filter((request) => names.includes(operationName(request)));
  return new Set(faulty.map((request) => request.entry.name));
}

function quotedOperations(
  requests: readonly ServedRequest[],
  findings: readonly Finding[],
): QuotedOperations {
  const violated = findings.filter(({ verdict }) => verdict === "violated");
  return operationsQuoted(
    requests,
    violated.flatMap((finding) => finding.evidence),
  );
}

function isAbout(finding: Finding, hypothesis: RepairQuestion["hypothesis"]): boolean {
  const { kind, name } = hypothesis.subject;
  return finding.subject.kind === kind && finding.subject.name === name;
}

function compare(
  contract: string,
  before: readonly Finding[],
  after: readonly Finding[],
): ContractComparison {
  return {
    contract,
    before: verdictOf(before),
    after: verdictOf(after),
    summary: `Before: ${summaryOf(before)} After: ${summaryOf(after)}`,
  };
}

/** One violated finding outweighs all that hold; without any finding nothing is known. */
function verdictOf(findings: readonly Finding[]): Verdict {
  const verdicts = new Set(findings.map(({ verdict }) => verdict));
  if (verdicts.has("violated")) return "violated";
  return verdicts.has("holds") && !verdicts.has("inconclusive") ? "holds" : "inconclusive";
}

function summaryOf(findings: readonly Finding[]): string {
  const verdict = verdictOf(findings);
  const speaking = findings.find((finding) => finding.verdict === verdict);
  return speaking === undefined ? "nothing is said about this subject." : `${speaking.title}.`;
}

/** The control on the operations and boundaries of the hypothesis: evidence of its own, on both sides. */
function compareControl(question: RepairQuestion, quoted: QuotedOperations): ContractComparison {
  const { control, before, after, hypothesis } = question;
  const boundaries: readonly string[] =
    quoted.boundaries.length > 0 ? quoted.boundaries : [hypothesis.boundary];
  const concerns = (finding: Finding): boolean =>
    boundaries.includes(finding.boundary) &&
    quoted.names.includes(finding.subject.name) &&
    (finding.verdict !== "holds" || finding.evidence.length > 0);
  return compare(
    control.id,
    checkSnapshot(before, [control]).filter(concerns),
    checkSnapshot(after, [control]).filter(concerns),
  );
}

function conclude(parts: {
  readonly comparison: ContractComparison;
  readonly control: ContractComparison;
  readonly coverage: readonly CoverageCondition[];
  readonly after: Snapshot;
  readonly own: readonly Finding[];
}): Pick<RepairJudgement, "outcome" | "reasons"> {
  const { comparison, control, coverage } = parts;
  if (comparison.after === "violated") {
    return {
      outcome: "not-repaired",
      reasons: [
        `${comparison.contract} is still violated after the repair on the same subject.`,
        ...lastViolation(parts.after, parts.own),
      ],
    };
  }
  const doubts = [
    ...(comparison.before === "violated"
      ? []
      : [
          `${comparison.contract} was ${comparison.before} before the repair, so nothing failed that could hold now.`,
        ]),
    ...(comparison.after === "holds"
      ? []
      : [`${comparison.contract} gives no verdict on this subject after the repair.`]),
    ...(control.before === "holds"
      ? []
      : [`The control ${control.contract} is ${control.before} before the repair.`]),
    ...(control.after === "holds"
      ? []
      : [`The control ${control.contract} is ${control.after} after the repair.`]),
    ...coverage
      .filter(({ met }) => !met)
      .map(
        ({ name, expected, actual }) => `Not covered, ${name}: expected ${expected}; ${actual}.`,
      ),
  ];
  if (doubts.length > 0) {
    return {
      outcome: "inconclusive",
      reasons: doubts.slice(0, caseLimits.coverageConditionCountMax),
    };
  }
  return {
    outcome: "proved",
    reasons: [
      `${comparison.contract} failed before the repair and holds after it, on the same subject.`,
      `The control ${control.contract} holds on both.`,
      `The snapshot after the repair meets all ${coverage.length} conditions of coverage.`,
    ],
  };
}

/** When the fault was last seen: a window that begins too early still holds requests from before the repair. */
function lastViolation(after: Snapshot, violated: readonly Finding[]): string[] {
  const quoted = new Set(
    violated.flatMap((finding) => finding.evidence.map((item) => item.evidenceId)),
  );
  let last = 0;
  for (const trace of evidenceOfKind(after, "trace")) {
    if (!quoted.has(trace.id)) continue;
    for (const span of trace.content.spans) last = Math.max(last, span.startMicros);
  }
  if (last === 0) return [];
  return [
    `The last violation quoted was at ${new Date(last / 1_000).toISOString()}; if the repair came later, verify again over a window that starts after it.`,
  ];
}
