/**
 * How often an operation was seen. A sampler that writes nothing on its spans, or load that fell, shows in nothing
 * else: the requests that are left still make a full snapshot. Pure.
 */

import {
  evidenceOfKind,
  operationName,
  type OperationSeen,
  type ServedRequest,
  type Snapshot,
} from "@faultline/contracts";
import type { CoverageCondition, TraceSummary } from "@faultline/protocol";

import { caseLimits } from "./limits.ts";
import type { ComparedSnapshots } from "./operation-facts.ts";

/** The part of the rate before a repair that must be seen after it; ordinary load varies by less. */
const rateShareKeptMin = 0.25;
/** Requests within less than this count as a second of traffic. */
const spanMicrosMin = 1_000_000;
const microsPerMinute = 60_000_000;

/** How many traces of each operation were seen, and from when to when; `first` names come before the limit. */
export function operationsSeen(
  traces: readonly TraceSummary[],
  first: ReadonlySet<string>,
): OperationSeen[] {
  return [...Map.groupBy(traces, ({ operation }) => operation)]
    .map(([name, own]) => {
      const starts = own
        .map(({ startedAt }) => Date.parse(startedAt) * 1_000)
        .sort((a, b) => a - b);
      return {
        name,
        traceCountSeen: own.length,
        firstStartMicros: starts[0] ?? 0,
        lastStartMicros: starts.at(-1) ?? 0,
      };
    })
    .sort(
      (left, right) =>
        Number(first.has(right.name)) - Number(first.has(left.name)) ||
        right.traceCountSeen - left.traceCountSeen ||
        (left.name < right.name ? -1 : 1),
    )
    .slice(0, caseLimits.operationsSeenCountMax);
}

/**
 * Whether an operation is seen at least a quarter as often as before. The rate is taken between the first and the
 * last request, not over the window, because a window may begin long before the load and end long after it.
 */
export function rateCondition(compared: ComparedSnapshots, operation: string): CoverageCondition {
  const names = new Set([
    ...entryNames(compared.requestsBefore, operation),
    ...entryNames(compared.requestsAfter, operation),
  ]);
  const seen = { before: seenIn(compared.before), after: seenIn(compared.after) };
  const name = "request rate";
  if (seen.before === undefined || seen.after === undefined) {
    const which = seen.before === undefined ? "before" : "after";
    return {
      name,
      expected: `how often ${operation} was seen, before and after`,
      actual: `the snapshot ${which} the repair does not say it`,
      met: false,
    };
  }
  // The subject may have another name for what leads to the operation of a service behind it.
  const isNamed = seen.before.some((item) => names.has(item.name));
  const own = (items: readonly OperationSeen[]): OperationSeen[] =>
    items.filter((item) => !isNamed || names.has(item.name));
  const before = ratePerMinute(own(seen.before));
  const after = ratePerMinute(own(seen.after));
  const isKept = after >= before * rateShareKeptMin;
  return {
    name,
    expected: `at least ${rounded(before * rateShareKeptMin)} traces of ${operation} a minute, a quarter of the ${rounded(before)} before`,
    actual: `${rounded(after)} a minute${isKept ? "" : ": the load fell, or a sampler drops requests"}`,
    met: isKept,
  };
}

function seenIn(snapshot: Snapshot): readonly OperationSeen[] | undefined {
  return evidenceOfKind(snapshot, "trace-population")[0]?.content.operations;
}

/** The names by which the traces of an operation were entered, in any of their services. */
function entryNames(requests: readonly ServedRequest[], operation: string): string[] {
  const own = requests.filter((request) => operationName(request) === operation);
  const traces = new Set(own.map(({ evidenceId }) => evidenceId));
  return requests.filter(({ evidenceId }) => traces.has(evidenceId)).map(({ entry }) => entry.name);
}

/** A lone request has no rate. */
function ratePerMinute(seen: readonly OperationSeen[]): number {
  const count = seen.reduce((total, item) => total + item.traceCountSeen, 0);
  if (count < 2) return 0;
  const first = Math.min(...seen.map(({ firstStartMicros }) => firstStartMicros));
  const last = Math.max(...seen.map(({ lastStartMicros }) => lastStartMicros));
  return ((count - 1) * microsPerMinute) / Math.max(spanMicrosMin, last - first);
}

function rounded(rate: number): number {
  return Math.round(rate * 10) / 10;
}
