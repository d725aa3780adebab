/** Whether a snapshot after a repair covers what the one before had: without that, silence would pass for health. Pure. */

import { evidenceOfKind, type Finding, roundPercent, type Snapshot } from "@faultline/contracts";
import type { CoverageCondition } from "@faultline/protocol";

import { rateCondition } from "./request-rate.ts";
import {
  type ComparedSnapshots,
  factsOf,
  type OperationFacts,
  spanKinds,
} from "./operation-facts.ts";

/** Spans of a kind may be missing in a few requests of *after*, whose last spans are still on their way. */
const kindShareKeptMin = 0.9;

/** The conditions under which a verdict on *after* counts for the operations of a hypothesis. */
export function coverageOf(
  compared: ComparedSnapshots,
  operations: readonly string[],
  verdicts: { readonly before: readonly Finding[]; readonly after: readonly Finding[] },
): CoverageCondition[] {
  if (operations.length === 0) {
    return [
      {
        name: "operation",
        expected: "the evidence before the repair lies in requests of an operation",
        actual: "no request in the snapshot before the repair holds the quoted evidence",
        met: false,
      },
    ];
  }
  return [
    ...operations.flatMap((operation) => conditionsOf(compared, operation)),
    samplingCondition(compared),
    noNewViolation(verdicts),
  ];
}

function conditionsOf(compared: ComparedSnapshots, operation: string): CoverageCondition[] {
  const before = factsOf(compared.requestsBefore, operation);
  const after = factsOf(compared.requestsAfter, operation);
  return [
    {
      name: "requests",
      expected: `at least ${before.requestCount} requests of ${operation}`,
      actual: `${after.requestCount} requests`,
      met: after.requestCount >= before.requestCount && before.requestCount > 0,
    },
    rateCondition(compared, operation),
    ...listConditions(before, after),
    ...kindConditions(before, after),
    {
      name: "order",
      expected: "every request after the repair starts later than the last one before it",
      actual: orderOf(before, after),
      met: after.requestCount > 0 && after.firstStartMicros > before.lastStartMicros,
    },
  ];
}

function orderOf(before: OperationFacts, after: OperationFacts): string {
  if (after.requestCount === 0) return "there is no request after the repair";
  const [first, last] = [isoOf(after.firstStartMicros), isoOf(before.lastStartMicros)];
  return `the first starts at ${first}, the last one before at ${last}`;
}

function listConditions(before: OperationFacts, after: OperationFacts): CoverageCondition[] {
  if (before.listLengths.size === 0) {
    return [
      {
        name: "list length",
        expected:
          "spans that show how long the lists are: resolver spans with list indices, or statements with the number of rows returned",
        actual: "the requests before the repair have none, so lists cannot be compared",
        met: false,
      },
    ];
  }
  return [...before.listLengths]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([list, lengths]) => {
      const later = after.listLengths.get(list) ?? [];
      // Longest against longest, second against second: each request before has one after that is at least as long.
      const covered = lengths.filter((length, index) => (later[index] ?? 0) >= length).length;
      return {
        name: "list length",
        expected: `for each of ${lengths.length} requests a list ${list} at least as long, the longest ${lengths[0] ?? 0}`,
        actual: `${covered} of ${lengths.length} are covered; the longest is ${later[0] ?? 0}`,
        met: covered === lengths.length,
      };
    });
}

function kindConditions(before: OperationFacts, after: OperationFacts): CoverageCondition[] {
  return spanKinds.flatMap((kind) => {
    const shareBefore = before.kindShares.get(kind) ?? 0;
    const shareAfter = after.kindShares.get(kind) ?? 0;
    if (shareBefore === 0) return [];
    return [
      {
        name: `${kind} spans`,
        expected: `${kind} spans in about ${roundPercent(shareBefore)} of the requests`,
        actual: `${kind} spans in ${roundPercent(shareAfter)} of the requests`,
        met: shareAfter >= shareBefore * kindShareKeptMin,
      },
    ];
  });
}

function samplingCondition(compared: ComparedSnapshots): CoverageCondition {
  const before = samplingRatio(compared.before);
  const after = samplingRatio(compared.after);
  const isKept = after === undefined ? before === undefined : after >= (before ?? 1);
  return {
    name: "sampling",
    expected:
      before === undefined
        ? "no sampler speaks up"
        : `at least ${roundPercent(before)} of the requests recorded`,
    actual:
      after === undefined
        ? "no sampler says what it records"
        : `${roundPercent(after)} of the requests recorded`,
    met: isKept,
  };
}

function samplingRatio(snapshot: Snapshot): number | undefined {
  return evidenceOfKind(snapshot, "trace-population")[0]?.content.samplingRatio;
}

/** A fan-out that moved to another resolver or statement is not repaired. */
function noNewViolation(verdicts: {
  readonly before: readonly Finding[];
  readonly after: readonly Finding[];
}): CoverageCondition {
  const known = new Set(violatedNames(verdicts.before));
  const fresh = violatedNames(verdicts.after).filter((name) => !known.has(name));
  return {
    name: "no new violation",
    expected: "the contract is violated nowhere that it was not violated before",
    actual: fresh.length === 0 ? "nowhere" : `newly violated: ${fresh.slice(0, 5).join("; ")}`,
    met: fresh.length === 0,
  };
}

function violatedNames(findings: readonly Finding[]): string[] {
  return [
    ...new Set(
      findings
        .filter(({ verdict }) => verdict === "violated")
        .map(({ subject }) => `${subject.kind} ${subject.name}`),
    ),
  ];
}

function isoOf(micros: number): string {
  return new Date(micros / 1_000).toISOString();
}
