/** The contract `calls/deadline-propagation`: nobody plans to work longer than their caller waits. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { shorten } from "../text/cut-text.ts";
import { plural } from "../text/plural.ts";
import { largestOf } from "./extremes.ts";
import { tracesInOrder } from "./traces-in-order.ts";
import { compareDeadlines, type DeadlineOptions, type Meeting } from "./compare-deadlines.ts";
import { boundaryOfEdge, subjectOfEdge } from "./edge.ts";
import { groupBy } from "./group-by.ts";
import { millis } from "./waits.ts";

/** Calls that one finding quotes. */
const meetingsQuotedMax = 60;

export const deadlinePropagation: Contract = defineContract<DeadlineOptions>({
  id: "calls/deadline-propagation",
  version: 1,
  boundary: "service-service",
  promise: "What a call may take fits into what remains of its caller's time.",
  reads: ["trace"],
  options: {
    toleranceMillis: {
      default: 20,
      description: "Milliseconds by which a deadline may be passed without meaning anything.",
    },
    toleranceShare: {
      default: 0.02,
      description: "The same as a share of the caller's timeout; the larger of both counts.",
    },
  },
  check(snapshot, options, found) {
    const meetings = tracesInOrder(snapshot).flatMap((trace) => compareDeadlines(trace, options));
    return groupBy(meetings, ({ edge }) => edge.name).map((group) => found(judge(group)));
  },
});

function judge(group: readonly Meeting[]): FindingParts {
  const [first] = group;
  if (first === undefined) throw new RangeError("A group has at least one member.");
  const of = (kind: Meeting["kind"]): Meeting[] => group.filter((item) => item.kind === kind);
  const [exceeding, late, planned] = [of("exceeds"), of("starts-late"), of("sum-exceeds")];
  const label = shorten(first.edge.name, 300);
  const frame = {
    subject: subjectOfEdge(first.edge),
    boundary: boundaryOfEdge(first.edge),
    measures: {
      callCount: group.length,
      callCountExceeding: exceeding.length,
      callCountLate: late.length,
      excessMillisMax: millis(largestOf(group.map(({ excessMicros }) => excessMicros))),
    },
  };
  const offenders = [...exceeding, ...late];
  const [worst] = offenders.sort((left, right) => right.excessMicros - left.excessMicros);
  if (worst !== undefined) {
    return { ...frame, verdict: "violated", ...violation(label, worst, offenders) };
  }
  const [plan] = planned;
  if (plan !== undefined) {
    return {
      ...frame,
      verdict: "inconclusive",
      title: `${label} and the calls beside it may take ${millis(plan.plannedMicros)} ms in all, of ${millis(plan.remainingMicros)} ms that their caller waits`,
      actual: `Timeouts one after another sum up to more than the caller's: ${plan.words}. Each of them fitted when it began.`,
      evidence: referencesOf(planned),
      missing: [
        "A request in which the first of these calls uses up its timeout: whether the next one gets only what remains.",
      ],
    };
  }
  return {
    ...frame,
    verdict: "holds",
    title: `${label} never had more time than its caller`,
    actual: `${plural(group.length, "call")} with a timeout that fits into what remained of the caller's: ${first.words}.`,
    evidence: referencesOf(group),
  };
}

function violation(
  label: string,
  worst: Meeting,
  offenders: readonly Meeting[],
): Pick<
  FindingParts,
  "title" | "actual" | "expected" | "evidence" | "causeKind" | "fixes" | "nextChecks"
> {
  const isLate = worst.kind === "starts-late";
  return {
    causeKind: "configuration",
    title: isLate
      ? `${label} began ${millis(worst.excessMicros)} ms after its caller's time was up`
      : `${label} may take ${millis(worst.plannedMicros)} ms when ${millis(worst.remainingMicros)} ms of its caller's time remain`,
    expected: isLate
      ? "no call begins after the deadline of the request that it serves"
      : `a timeout of at most ${millis(Math.max(0, worst.remainingMicros))} ms at this moment`,
    actual: `${worst.words}. Seen in ${plural(offenders.length, "call")}.`,
    evidence: referencesOf(offenders),
    fixes: [
      {
        description:
          "Hand the deadline on: give each call the smaller of its own timeout and what remains of the request's, as gRPC does with its context and HTTP with a header such as `x-envoy-expected-rq-timeout-ms`.",
        cost: 1,
      },
      {
        description: "Refuse a request at its start when its deadline has passed.",
        cost: 2,
      },
    ],
    nextChecks: [
      "Record a slow request after the repair, and compare each call's timeout with what remains of its caller's.",
    ],
  };
}

function referencesOf(meetings: readonly Meeting[]) {
  return meetings
    .slice(0, meetingsQuotedMax)
    .flatMap(({ trace, index, caller, deadline, own }) => [
      trace.reference(
        index,
        own === undefined ? trace.span(index).name : `${trace.span(index).name}: ${own.words}`,
      ),
      trace.reference(caller, `${trace.span(caller).name}: ${deadline.words}`),
    ]);
}
