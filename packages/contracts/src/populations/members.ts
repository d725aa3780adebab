/** The members of two populations: requests that failed or were slow, and those that were not, with all their attributes. */

import type { TraceContent } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { Span } from "../model/span.ts";
import { middleAndSpread, sortedNumbers } from "../statistics/quantiles.ts";
import { ContrastTally } from "./contrast.ts";

/** How it was told which requests are bad. */
export type Division = "failed" | "slow" | "chosen" | "logged";

/** Where something is seen. The id of evidence is read when it is quoted, as it may have to be computed. */
export interface Example {
  readonly evidence: { readonly id: string };
  readonly locator: string;
}

export interface Populations {
  readonly division: Division;
  readonly tally: ContrastTally;
  /** Some of the bad, for the finding to point at. */
  readonly examples: readonly Example[];
}

/** Attributes that say that something failed or how long it took, which is what is to be explained. */
const symptomKey =
  /(?:^|[._])(?:error|errors|exception|status_?code|status|fault|duration|latency|elapsed|took|response_?time|outcome|severity|level|stacktrace)(?:[._]|$)|_ms$|_millis$|duration|time_ms|retry|attempt/i;
/** Attributes that differ for every request, or that say only who recorded it. */
const identityKey =
  /(?:^|[._])(?:trace_?id|span_?id|request_?id|correlation_?id|uuid|guid|thread\.(?:id|name)|sampler\.\w+|timestamp|span\.num\w*)$|^telemetry\.|^otel\.|^process\.(?:pid|parent_pid)$/i;

/** Whether an attribute may tell why, rather than that, something failed. */
function isExplaining(key: string): boolean {
  return !symptomKey.test(key) && !identityKey.test(key);
}

/** Each trace is one member with the attributes of all its spans, so that no request counts twice. */
export function traceMembers(snapshot: Snapshot, badCountMin: number): Populations | undefined {
  const traces = evidenceOfKind(snapshot, "trace");
  if (traces.length === 0) return undefined;
  const { division, isBad } = divisionOf(snapshot, traces, badCountMin);
  const tally = new ContrastTally();
  const examples: Example[] = [];
  traces.forEach((evidence, index) => {
    const { content } = evidence;
    const side = isBad[index];
    if (side === undefined) return;
    tally.begin(side);
    if (side && examples.length < 8) examples.push({ evidence, locator: content.traceId });
    let resource: Span["resource"] | undefined;
    for (const span of content.spans) {
      tally.add("service", span.service);
      tally.add("span.name", `${span.service} ${span.name}`);
      tally.addAll(span.attributes, isExplaining);
      if (span.resource !== resource) tally.addAll(span.resource, isExplaining);
      resource = span.resource;
    }
  });
  return { division, tally, examples };
}

type TraceItem = { readonly content: TraceContent };

function divisionOf(
  snapshot: Snapshot,
  traces: readonly TraceItem[],
  badCountMin: number,
): { division: Division; isBad: readonly (boolean | undefined)[] } {
  const chosen = evidenceOfKind(snapshot, "trace-population");
  const slow = new Set(chosen.flatMap(({ content }) => content.slowTraceIds));
  const baseline = new Set(chosen.flatMap(({ content }) => content.baselineTraceIds));
  if (slow.size > 0 && baseline.size > 0) {
    const isBad = traces.map(({ content: { traceId } }) =>
      slow.has(traceId) ? true : baseline.has(traceId) ? false : undefined,
    );
    return { division: "chosen", isBad };
  }
  const failed = traces.map(({ content }) =>
    content.spans.some((span) => span.status.code === "error"),
  );
  const failedCount = failed.filter(Boolean).length;
  const slowOnes = slowTraces(traces);
  const slowCount = slowOnes.filter(Boolean).length;
  return failedCount >= badCountMin || failedCount >= slowCount
    ? { division: "failed", isBad: failed }
    : { division: "slow", isBad: slowOnes };
}

/** So much beyond the median, in ranges between the quartiles and in medians, an entry took to count as slow. */
const slowRanges = 5;
const slowMedians = 2;

/** Traces whose first span took far longer than others of its kind. */
function slowTraces(traces: readonly TraceItem[]): boolean[] {
  const entries = traces.map(({ content }) => content.spans[0]);
  const byOperation = Map.groupBy(
    entries.filter((span) => span !== undefined),
    ({ service, name }) => `${service}\n${name}`,
  );
  const limits = new Map(
    [...byOperation].map(([operation, spans]) => {
      const { median, quartileRange } = middleAndSpread(
        sortedNumbers(spans.map(({ durationNanos }) => durationNanos)),
      );
      return [operation, Math.max(slowMedians * median, median + slowRanges * quartileRange)];
    }),
  );
  return entries.map((span) => {
    if (span === undefined) return false;
    return span.durationNanos > (limits.get(`${span.service}\n${span.name}`) ?? Infinity);
  });
}

/** The lines of each trace are one member, which is bad when one of them tells of an error. */
export function logMembers(snapshot: Snapshot): Populations | undefined {
  const tally = new ContrastTally("of different forms");
  const examples: Example[] = [];
  const ofTrace = new Map<
    string,
    { isBad: boolean; lines: { service?: string; attributes?: Span["attributes"] }[] }
  >();
  for (const evidence of evidenceOfKind(snapshot, "logs")) {
    const { content } = evidence;
    content.lines.forEach((line, index) => {
      // A line that belongs to no trace is no request, and is compared with nothing.
      if (line.severity === undefined || line.traceId === undefined) return;
      const isBad = line.severity === "error" || line.severity === "fatal";
      if (isBad && examples.length < 8) examples.push({ evidence, locator: `/lines/${index}` });
      const member = ofTrace.get(line.traceId) ?? { isBad: false, lines: [] };
      ofTrace.set(line.traceId, member);
      member.isBad ||= isBad;
      member.lines.push(line);
    });
  }
  if (ofTrace.size === 0) return undefined;
  for (const { isBad, lines } of ofTrace.values()) {
    tally.begin(isBad);
    for (const { service, attributes } of lines) {
      if (service !== undefined) tally.add("service", service);
      if (attributes !== undefined) tally.addAll(attributes, isExplaining);
    }
  }
  return { division: "logged", tally, examples };
}
