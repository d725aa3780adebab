/** The contract `calls/cancellation`: when a caller leaves, the work for it stops. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { shorten } from "../text/cut-text.ts";
import { plural } from "../text/plural.ts";
import type { Trace } from "../traces/trace.ts";
import { largestOf } from "./extremes.ts";
import { tracesInOrder } from "./traces-in-order.ts";
import { ClockSkew } from "./clock-skew.ts";
import { departuresOf } from "./departures.ts";
import { boundaryOfEdge, type Edge, edgeOf, isCall, subjectOfEdge } from "./edge.ts";
import { groupBy } from "./group-by.ts";
import { operationOf } from "../traces/name-operation.ts";
import { millis } from "./waits.ts";
import { type WorkAfter, workAfter } from "./work-after.ts";
import { WorkBudget } from "./work-budget.ts";

interface Options {
  readonly graceMillis: number;
}

/** Requests and spans that one finding quotes. */
const workQuotedMax = 8;
const spansQuotedMax = 24;

interface Seen extends WorkAfter {
  readonly trace: Trace;
  readonly edge: Pick<Edge, "name" | "isDatabase">;
}

export const cancellation: Contract = defineContract<Options>({
  id: "calls/cancellation",
  version: 1,
  boundary: "service-service",
  promise: "When a caller times out, cancels or leaves, the work that was done for it stops.",
  reads: ["trace"],
  options: {
    graceMillis: {
      default: 100,
      description: "Milliseconds that work may go on after its caller has left.",
    },
  },
  check(snapshot, { graceMillis }, found) {
    const seen = tracesInOrder(snapshot).flatMap((trace) => workOf(trace, graceMillis * 1_000));
    return groupBy(seen, ({ edge }) => edge.name).flatMap((group) => {
      const parts = judge(group, graceMillis);
      return parts === undefined ? [] : [found(parts)];
    });
  },
});

function workOf(trace: Trace, graceMicros: number): Seen[] {
  const departures = departuresOf(trace);
  if (departures.length === 0) return [];
  const skew = new ClockSkew(trace);
  const budget = new WorkBudget();
  const leftAt = new Map(
    departures.filter(({ isServer }) => !isServer).map(({ index, atMicros }) => [index, atMicros]),
  );
  return departures.map((departure) => ({
    trace,
    edge: edgeOfDeparture(trace, departure.index),
    ...workAfter(trace, departure, { skew, graceMicros, leftAt, budget }),
  }));
}

/** The edge of a call; of a request whose client is not in the trace, the request itself. */
function edgeOfDeparture(trace: Trace, index: number): Pick<Edge, "name" | "isDatabase"> {
  if (isCall(trace, index)) return edgeOf(trace, index);
  const parent = trace.parents[index] ?? -1;
  if (parent >= 0 && isCall(trace, parent)) return edgeOf(trace, parent);
  const span = trace.span(index);
  return { name: `client → ${span.service} ${operationOf(span)}`, isDatabase: false };
}

function judge(group: readonly Seen[], graceMillis: number): FindingParts | undefined {
  const [first] = group;
  if (first === undefined) return undefined;
  const label = shorten(first.edge.name, 300);
  const wentOn = group
    .filter(({ lasting, writes }) => lasting.length > 0 || writes.length > 0)
    // Writes that nobody waits for weigh more than time that is wasted.
    .sort(
      (left, right) =>
        right.writes.length - left.writes.length || right.overrunMicros - left.overrunMicros,
    );
  const frame = {
    subject: subjectOfEdge(first.edge),
    boundary: boundaryOfEdge(first.edge),
    expected: `the callee and everything below it stop within ${graceMillis} ms after the caller left`,
    measures: {
      departureCount: group.length,
      departureCountIgnored: wentOn.length,
      overrunMillisMax: millis(largestOf(group.map(({ overrunMicros }) => overrunMicros))),
      writeCountAfter: wentOn.reduce((sum, { writes }) => sum + writes.length, 0),
    },
  };
  const [worst] = wentOn;
  if (worst !== undefined) {
    return { ...frame, verdict: "violated", ...violation(label, worst, wentOn) };
  }
  const unended = group.filter((item) => item.unended.length > 0);
  if (unended.length > 0) {
    return {
      ...frame,
      verdict: "inconclusive",
      title: `${label}: the caller left, and spans below were never closed`,
      actual: `${plural(unended.length, "request")} with spans that have no end below the call.`,
      evidence: referencesOf(unended, ({ unended: spans }) => spans),
      missing: ["The end of the callee's spans: whether the work stopped with its caller."],
    };
  }
  const stopped = group.filter(({ served }) => served.length > 0);
  if (stopped.length === 0) return undefined;
  return {
    ...frame,
    verdict: "holds",
    title: `${label} stopped when its caller left`,
    actual: `${plural(stopped.length, "time")} the caller left, and the callee's work ended within ${graceMillis} ms.`,
    evidence: referencesOf(stopped, ({ served }) => served),
  };
}

function violation(
  label: string,
  worst: Seen,
  wentOn: readonly Seen[],
): Pick<FindingParts, "title" | "actual" | "evidence" | "causeKind" | "fixes" | "nextChecks"> {
  const { trace, departure, lasting, writes, overrunMicros } = worst;
  const [longest] = lasting;
  const who =
    longest === undefined ? "" : `${trace.span(longest).service} ${trace.span(longest).name}`;
  const wrote =
    writes.length === 0
      ? ""
      : `, and ${plural(writes.length, "write")} began that nobody waited for`;
  return {
    causeKind: "configuration",
    title: `${label}: the work went on for ${millis(overrunMicros)} ms after its caller left (${departure.words})${wrote}`,
    actual: `The caller left with ${departure.words}; ${who} ended at least ${millis(overrunMicros)} ms later${wrote}. Seen ${plural(wentOn.length, "time")}.`,
    evidence: referencesOf(wentOn, ({ lasting: spans, writes: written }) => [...written, ...spans]),
    fixes: [
      {
        description:
          "Watch for the end of the request in the callee, and hand its cancellation to every call and statement below: the context of gRPC and Go, an `AbortSignal`, a cancellation token.",
        cost: 1,
      },
      {
        description:
          "Give the callee's own calls and statements a timeout that ends no later than the caller's deadline.",
        cost: 2,
      },
      ...(writes.length === 0
        ? []
        : [
            {
              description:
                "Check before each write whether the caller is still there, or make the write safe to be repeated.",
              cost: 3,
            },
          ]),
    ],
    nextChecks: [
      "Let a caller time out after the repair, and check that the callee's span ends with it and no write follows.",
    ],
  };
}

function referencesOf(seen: readonly Seen[], spansIn: (item: Seen) => readonly number[]) {
  return seen.slice(0, workQuotedMax).flatMap((item) => {
    const { trace, departure } = item;
    const spans = [...new Set(spansIn(item))].filter((index) => index !== departure.index);
    return [
      ...spans
        .slice(0, spansQuotedMax)
        .map((index) =>
          trace.reference(index, `${trace.span(index).service} ${trace.span(index).name}`),
        ),
      trace.reference(departure.index, `${trace.span(departure.index).name}: ${departure.words}`),
    ];
  });
}
