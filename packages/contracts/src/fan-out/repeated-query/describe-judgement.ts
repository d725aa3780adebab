/** Puts judgements about repeated calls into findings: sentences, measures, evidence, fixes. */

import type { EvidenceReference } from "../../model/evidence.ts";
import type { Finding } from "../../model/finding.ts";
import { shorten } from "../../text/cut-text.ts";
import { plural } from "../../text/plural.ts";
import { boundaryOf } from "./boundary-of.ts";
import type { Growth } from "./growth.ts";
import { coveredTime } from "../../traces/intervals.ts";
import { listFixes, listWords } from "./list-words.ts";
import { doubtWords, listDoubtWords } from "./describe-doubt.ts";
import type { Judgement } from "./judgement.ts";
import type { ClassifiedGroup, Observation } from "./observation.ts";
import type { ObservedSubject } from "./observe-calls.ts";
import { downstreamStatements } from "../downstream.ts";
import { fanOutLimits, type RepeatedQueryOptions } from "./options.ts";
import { hasSameValues, sameCallFixes, sameCallWords } from "../same-call.ts";
import type { UnitCall } from "../../traces/unit.ts";

/** The finding for one judgement. */
export function findingOf(
  observed: ObservedSubject,
  judgement: Judgement,
  options: RepeatedQueryOptions,
): Finding {
  return { ...frameOf(observed, judgement), ...partsOf(observed, judgement, options) };
}

type Frame = Pick<Finding, "contract" | "contractVersion" | "boundary" | "subject">;

function frameOf(observed: ObservedSubject, judgement: Judgement): Frame {
  return {
    contract: "fan-out/repeated-query",
    contractVersion: 1,
    boundary: boundaryOf(judgement),
    subject: observed.subject,
  };
}

function partsOf(
  observed: ObservedSubject,
  judgement: Judgement,
  options: RepeatedQueryOptions,
): Omit<Finding, keyof Frame> {
  switch (judgement.kind) {
    case "repeated":
      return repeatedParts(observed, judgement, options);
    case "doubtful":
      return doubtfulParts(observed, judgement, options);
    case "batched":
      return batchedParts(observed, judgement);
    case "unclear-list":
      return unclearListParts(observed, judgement, options);
  }
}

type Of<Kind extends Judgement["kind"]> = Extract<Judgement, { kind: Kind }>;

function repeatedParts(
  observed: ObservedSubject,
  judgement: Of<"repeated">,
  options: RepeatedQueryOptions,
): Omit<Finding, keyof Frame> {
  const { worst, growth, groups, basis } = judgement;
  const downstreamCount = downstreamStatements(worst.calls);
  const below =
    downstreamCount === 0
      ? ""
      : `; they made the services that were called run ${plural(downstreamCount, "statement")}: the loop is in the caller`;
  const isSame = hasSameValues(worst);
  const showsList = !isSame || basis !== "repetition";
  const words = showsList
    ? listWords(worst, growth, options)
    : sameCallWords(worst, options.countMin);
  // Rows that happened to be read before are no list behind calls that all ask for the same.
  const shown = showsList ? worst : { ...worst, listLength: undefined };
  return {
    verdict: "violated",
    title: shorten(`${labelOf(observed)} ${words.title}: ${shapeOf(worst)}`, 1_024),
    expected: words.expected,
    actual: shorten(`${actualOf(shown, growth)}${below}`, 4_096),
    causeKind: "change",
    measures: {
      ...measuresOf(observed, groups, shown),
      basis,
      ...(isSame ? { hasSameValues: true } : {}),
      ...(downstreamCount === 0 ? {} : { downstreamStatementCount: downstreamCount }),
      ...growthMeasures(growth),
    },
    evidence: referencesOf(groups),
    missing: [],
    fixes: isSame ? sameCallFixes(worst) : listFixes(worst, observed),
    nextChecks: words.nextChecks,
  };
}

function doubtfulParts(
  observed: ObservedSubject,
  judgement: Of<"doubtful">,
  options: RepeatedQueryOptions,
): Omit<Finding, keyof Frame> {
  const { worst, groups, doubt } = judgement;
  const words = doubtWords(doubt, worst);
  return {
    verdict: "inconclusive",
    title: shorten(
      `${labelOf(observed)} made ${worst.count} calls of one shape, but ${words.title}: ${shapeOf(worst)}`,
      1_024,
    ),
    expected: `fewer than ${options.countMin} calls of one shape for a list, however long it is`,
    actual: shorten(actualOf(worst, undefined), 4_096),
    causeKind: "none",
    measures: measuresOf(observed, groups, worst),
    evidence: referencesOf(groups),
    missing: [words.missing],
    fixes: [],
    nextChecks: [words.nextCheck],
  };
}

function batchedParts(
  observed: ObservedSubject,
  judgement: Of<"batched">,
): Omit<Finding, keyof Frame> {
  const { listLengthMax, countMax, growth } = judgement;
  return {
    verdict: "holds",
    title: shorten(
      `${labelOf(observed)} loads a list of ${listLengthMax} with at most ${plural(countMax, "call")} of one shape`,
      1_024,
    ),
    expected: "a number of calls that does not grow with the list",
    actual: `at most ${plural(countMax, "call")} of one shape for ${listLengthMax} items`,
    causeKind: "none",
    measures: {
      countMax,
      listLengthMax,
      requestCount: observed.observations.length,
      traceCount: tracesOf(observed.observations),
      ...growthMeasures(growth),
    },
    evidence: referencesOfObservation(judgement.widest),
    missing: [],
    fixes: [],
    nextChecks: [],
  };
}

function unclearListParts(
  observed: ObservedSubject,
  { reason, listLengthMax, widest }: Of<"unclear-list">,
  options: RepeatedQueryOptions,
): Omit<Finding, keyof Frame> {
  const words = listDoubtWords(reason, listLengthMax ?? 0, options.listLengthMin);
  return {
    verdict: "inconclusive",
    title: shorten(`${labelOf(observed)} ${words.title}`, 1_024),
    expected: `a number of calls that does not grow with the list, shown on a list of at least ${options.listLengthMin} items`,
    actual: words.actual,
    causeKind: "none",
    measures: {
      ...(listLengthMax === undefined ? {} : { listLengthMax }),
      requestCount: observed.observations.length,
      traceCount: tracesOf(observed.observations),
    },
    evidence: referencesOfObservation(widest),
    missing: [words.missing],
    fixes: [],
    nextChecks: [words.nextCheck],
  };
}

function labelOf(observed: ObservedSubject): string {
  return observed.subject.kind === "resolver"
    ? `Resolver ${observed.label} of ${observed.service}`
    : `${observed.service} ${observed.label}`;
}

function shapeOf(group: ClassifiedGroup): string {
  return shorten(group.calls[0]?.call.shape ?? "", 600);
}

function actualOf(group: ClassifiedGroup, growth: Growth | undefined): string {
  const time = coveredTime(group.calls.map((item) => item.span));
  const list =
    group.listLength === undefined ? "" : ` for a list of ${plural(group.listLength, "item")}`;
  const grown =
    growth === undefined
      ? ""
      : `; ${growth.countAtMin} calls at ${growth.lengthMin} items, ${growth.countAtMax} at ${growth.lengthMax}`;
  return `${group.count} calls${list}, ${millis(time.unionMicros)} ms in all (${millis(time.sumMicros)} ms summed, ${time.overlaps ? "partly in parallel" : "one after another"})${grown}: ${shapeOf(group)}`;
}

function measuresOf(
  observed: ObservedSubject,
  groups: readonly ClassifiedGroup[],
  worst: ClassifiedGroup,
): Finding["measures"] {
  const time = coveredTime(worst.calls.map((item) => item.span));
  const entry = worst.observation.unit.entry;
  const share =
    entry === undefined || entry.durationNanos === 0
      ? undefined
      : Math.round(Math.min(1, (time.unionMicros * 1_000) / entry.durationNanos) * 1_000) / 1_000;
  const first = worst.calls[0]?.call;
  return {
    callKind: first?.kind ?? "database",
    statement: shorten(first?.shape ?? "", 1_024),
    countMax: worst.count,
    ...(worst.listLength === undefined ? {} : { listLengthMax: worst.listLength }),
    unionMillis: millis(time.unionMicros),
    sumMillis: millis(time.sumMicros),
    isParallel: time.overlaps,
    ...(share === undefined ? {} : { shareOfOperation: share }),
    requestCount: observed.observations.length,
    requestCountRepeated: groups.length,
    traceCount: tracesOf(observed.observations),
  };
}

function growthMeasures(growth: Growth | undefined): Finding["measures"] {
  return growth === undefined
    ? {}
    : { callsPerItem: growth.slope, determination: growth.determination };
}

function tracesOf(observations: readonly Observation[]): number {
  return new Set(observations.map((item) => item.unit.trace.traceId)).size;
}

/** All calls where they fit; else the first of the largest groups, so that many requests show, then the worst one's. */
function referencesOf(groups: readonly ClassifiedGroup[]): EvidenceReference[] {
  const { requestsQuotedMax, spansQuotedMax, offendersQuotedMax } = fanOutLimits;
  const byCount = [...groups].sort((a, b) => b.count - a.count || startMicros(a) - startMicros(b));
  const callCount = byCount.reduce((sum, group) => sum + group.calls.length, 0);
  if (callCount <= offendersQuotedMax) {
    return byCount.flatMap((group) => group.calls).map(referenceOf);
  }
  const largest = byCount.slice(0, requestsQuotedMax);
  const offenders = largest[0]?.calls.slice(spansQuotedMax, offendersQuotedMax) ?? [];
  return [...largest.flatMap((group) => group.calls.slice(0, spansQuotedMax)), ...offenders].map(
    referenceOf,
  );
}

function referencesOfObservation(observation: Observation): EvidenceReference[] {
  const calls = observation.ownCalls.slice(0, fanOutLimits.spansQuotedMax);
  const { trace } = observation.unit;
  const list = observation.listSpanIndex;
  return [
    ...(list === undefined ? [] : [trace.reference(list, shorten(trace.span(list).name, 2_048))]),
    ...calls.map(referenceOf),
  ];
}

function referenceOf({ trace, index, span, call }: UnitCall): EvidenceReference {
  const quote = shorten(`${call.target} (${millis(span.durationNanos / 1_000)} ms)`, 2_048);
  return trace.reference(index, quote);
}

function startMicros(group: ClassifiedGroup): number {
  return group.calls[0]?.span.startMicros ?? 0;
}

function millis(micros: number): number {
  return Math.round(micros) / 1_000;
}
