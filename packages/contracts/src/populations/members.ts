/** The members of two populations: requests that failed or were slow, and those that were not, with all their attributes. */

import type { Snapshot } from "../model/snapshot.ts";
import type { Attributes, Span } from "../model/span.ts";
import { textHash } from "../text/text-hash.ts";
import { type Trace, tracesOf } from "../traces/trace.ts";
import { ContrastTally } from "./contrast.ts";
import { type Division, divisionOf } from "./divide-traces.ts";
import type { Pace } from "./pace.ts";
import { sampleOf } from "./sample.ts";

/** Where something is seen. The id of evidence is read when it is quoted, as it may have to be computed. */
export interface Example {
  readonly evidence: { readonly id: string };
  readonly locator: string;
}

/** A request of which the trace is there. */
export interface TraceMember {
  readonly trace: Trace;
  readonly isBad: boolean;
}

export interface Populations {
  readonly division: Division | "logged";
  readonly badCount: number;
  readonly goodCount: number;
  /** Some of the bad, for the finding to point at. */
  readonly examples: readonly Example[];
  /** Counts the attributes, of at most some hundreds of members. */
  compare(): ContrastTally;
  /** Of requests that are bad because they took long: how long, and those of them that are compared. */
  readonly slowness: { readonly pace: Pace; readonly members: readonly TraceMember[] } | undefined;
}

/** Examples that a finding points at. */
export const exampleCountMax = 8;

/** Attributes that say that something failed or how long it took, which is what is to be explained. */
const symptomKey =
  /(?:^|[._])(?:error|errors|exception|status_?code|status|fault|duration|latency|elapsed|took|response_?time|outcome|severity|level|stacktrace)(?:[._]|$)|_ms$|_millis$|duration|time_ms|retry|attempt/i;
/** Attributes that differ for every request, or that say only who recorded it. */
const identityKey =
  /(?:^|[._])(?:trace_?id|span_?id|request_?id|correlation_?id|uuid|guid|thread\.(?:id|name)|sampler\.\w+|timestamp|span\.num\w*)$|^telemetry\.|^otel\.|^process\.(?:pid|parent_pid)$/i;

/** Whether an attribute may tell why, rather than that, something failed. */
export function isExplaining(key: string): boolean {
  return !symptomKey.test(key) && !identityKey.test(key);
}

/**
 * Each trace is one member with the attributes of all its spans, so that no request counts twice. Nothing is looked at but
 * the states of the requests until somebody compares.
 */
export function traceMembers(snapshot: Snapshot, badCountMin: number): Populations | undefined {
  const traces = tracesOf(snapshot);
  if (traces.length === 0) return undefined;
  const { division, isBad, pace } = divisionOf(snapshot, traces, badCountMin);
  const members = traces.flatMap((trace, at): TraceMember[] => {
    const side = isBad[at];
    return side === undefined ? [] : [{ trace, isBad: side }];
  });
  const badCount = members.filter((member) => member.isBad).length;
  const goodCount = members.length - badCount;
  const compared = badCount < badCountMin ? [] : chosenOf(members);
  return {
    division,
    badCount,
    goodCount,
    examples: members
      .filter((member) => member.isBad)
      .slice(0, exampleCountMax)
      .map(({ trace }) => ({ evidence: evidenceOf(trace), locator: trace.traceId })),
    compare: () => tallyOf(compared),
    slowness: pace === undefined ? undefined : { pace, members: compared },
  };
}

function evidenceOf(trace: Trace): Example["evidence"] {
  return {
    get id() {
      return trace.evidenceIdOf(0);
    },
  };
}

function chosenOf(members: readonly TraceMember[]): TraceMember[] {
  const hashes = Float64Array.from(members, ({ trace }) => textHash(trace.traceId));
  const bad = hashes.filter((_hash, at) => members[at]?.isBad === true);
  const sample = sampleOf(hashes.slice(), bad);
  return members.filter((_member, at) => sample.isBad.has(hashes[at] ?? 0));
}

function tallyOf(members: readonly TraceMember[]): ContrastTally {
  const tally = new ContrastTally();
  const names = new SpanNames();
  for (const { trace, isBad } of members) {
    tally.begin(isBad);
    let resource: Span["resource"] | undefined;
    for (const span of trace.spans) {
      tally.add("service", span.service);
      tally.add("span.name", names.of(span));
      tally.addAll(span.attributes, isExplaining);
      if (span.resource !== resource) tally.addAll(span.resource, isExplaining);
      resource = span.resource;
    }
  }
  return tally;
}

/** Names of spans with their service: one text for each, because a text that is put together is dear to look up. */
export class SpanNames {
  readonly #byService = new Map<string, Map<string, string>>();

  of({ service, name }: Span): string {
    let byName = this.#byService.get(service);
    if (byName === undefined) {
      byName = new Map();
      this.#byService.set(service, byName);
    }
    let words = byName.get(name);
    if (words === undefined) {
      words = `${service} ${name}`;
      byName.set(name, words);
    }
    return words;
  }
}

/** Attributes of a span that are its own, and those of what recorded it, as a contrast names them. */
export function attributeOf(span: Span, key: string, names: SpanNames): Attributes[string] {
  if (key === "service") return span.service;
  if (key === "span.name") return names.of(span);
  return span.attributes[key] ?? span.resource[key] ?? null;
}
