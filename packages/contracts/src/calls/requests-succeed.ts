/**
 * The control of the fan-out contracts: a repair that makes requests fail, or stops asking the database at all,
 * has repaired nothing.
 */

import { resolverPathOf } from "../traces/resolver-path.ts";
import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { Span } from "../model/span.ts";
import {
  hasFailed,
  httpStatusOf,
  operationName,
  type OutgoingCall,
  requestsOf,
  type ServedRequest,
} from "./requests.ts";

/** Requests that one finding quotes. */
const requestsQuotedMax = 32;

export const requestsSucceed: Contract = defineContract({
  id: "calls/requests-succeed",
  version: 1,
  boundary: "service-service",
  promise: "Requests end without an error, and the databases and services that they call answer.",
  reads: ["trace"],
  options: {},
  check(snapshot) {
    return [...requestsByOperation(snapshot)]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .flatMap(([name, requests]) => judgeOperation(name, requests));
  },
});

function requestsByOperation(snapshot: Snapshot): ReadonlyMap<string, readonly ServedRequest[]> {
  const groups = new Map<string, ServedRequest[]>();
  for (const trace of evidenceOfKind(snapshot, "trace")) {
    for (const request of requestsOf(trace)) {
      if (!isRequest(request)) continue;
      const name = operationName(request);
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [request]);
      else group.push(request);
    }
  }
  return groups;
}

/** A span without a parent that serves nobody and calls nobody is start-up work or a fragment. */
function isRequest(request: ServedRequest): boolean {
  const { kind } = request.entry;
  return kind === "server" || kind === "consumer" || request.calls.length > 0;
}

function judgeOperation(name: string, requests: readonly ServedRequest[]): Finding[] {
  const crossed = new Set(
    requests.flatMap((request) => request.calls.map((call) => call.boundary)),
  );
  if (crossed.size === 0) return [judgeWithoutCalls(name, requests)];
  return [...crossed].sort().map((boundary) => judgeBoundary(name, boundary, requests));
}

function judgeBoundary(
  name: string,
  boundary: OutgoingCall["boundary"],
  requests: readonly ServedRequest[],
): Finding {
  const callsOf = (request: ServedRequest): readonly OutgoingCall[] =>
    request.calls.filter((call) => call.boundary === boundary);
  const failures = requests.flatMap((request) => failuresOf(request, callsOf(request)).slice(0, 1));
  const calls = requests.flatMap(callsOf);
  const failedCallCount = calls.filter((call) => hasFailed(call.span)).length;
  const party = boundary === "resolver-database" ? "database" : "other services";
  const verb = boundary === "resolver-database" ? "answers" : "answer";
  const base = baseOf(name, boundary, requests);
  const measures = {
    requestCount: requests.length,
    failedRequestCount: failures.length,
    callCount: calls.length,
    failedCallCount,
  };
  if (failures.length > 0) {
    return {
      ...base,
      verdict: "violated",
      title: `${failures.length} of ${requests.length} requests of ${name} failed`,
      actual: `${failures.length} of ${requests.length} requests failed; ${failedCallCount} of ${calls.length} calls to the ${party} failed.`,
      measures,
      evidence: failures.slice(0, requestsQuotedMax),
      nextChecks: [
        "Read the error of the first failing span: it is a symptom, and its cause is still open.",
      ],
    };
  }
  return {
    ...base,
    verdict: "holds",
    title: `All ${requests.length} requests of ${name} succeeded, and the ${party} ${verb}`,
    actual: `${requests.length} requests ended without an error; all ${calls.length} calls to the ${party} were answered.`,
    measures,
    evidence: requests
      .filter((request) => callsOf(request).length > 0)
      .slice(0, requestsQuotedMax)
      .map((request) => referenceTo(request, request.entry)),
  };
}

/** Requests under which no call is recorded: a failure counts, a success shows nothing about any callee. */
function judgeWithoutCalls(name: string, requests: readonly ServedRequest[]): Finding {
  const base = baseOf(name, "service-service", requests);
  const failures = requests.flatMap((request) => failuresOf(request, []).slice(0, 1));
  const measures = {
    requestCount: requests.length,
    failedRequestCount: failures.length,
    callCount: 0,
    failedCallCount: 0,
  };
  if (failures.length > 0) {
    return {
      ...base,
      verdict: "violated",
      title: `${failures.length} of ${requests.length} requests of ${name} failed`,
      actual: `${failures.length} of ${requests.length} requests failed, and no call to a database or service is recorded under them.`,
      measures,
      evidence: failures.slice(0, requestsQuotedMax),
    };
  }
  return {
    ...base,
    verdict: "inconclusive",
    title: `Requests of ${name} succeeded, but no call is recorded under them`,
    actual: `${requests.length} requests ended without an error; 0 calls to databases or services are recorded under them.`,
    measures,
    evidence: requests
      .slice(0, requestsQuotedMax)
      .map((request) => referenceTo(request, request.entry)),
    missing: ["Spans of the database or HTTP clients below these requests."],
    nextChecks: [
      "Instrument the database and HTTP clients of the service, and take the snapshot again.",
    ],
  };
}

/** The failing spans of a request that concern its outcome: its entry, its resolvers, its calls. */
function failuresOf(request: ServedRequest, calls: readonly OutgoingCall[]): EvidenceReference[] {
  const callSpans = new Set(calls.map((call) => call.span));
  return request.spans
    .filter((span) => span === request.entry || callSpans.has(span) || isResolver(request, span))
    .filter(hasFailed)
    .map((span) => referenceTo(request, span));
}

/** GraphQL answers a failed field with HTTP 200, so the field's span is where the failure shows. */
function isResolver(request: ServedRequest, span: Span): boolean {
  return span !== request.entry && resolverPathOf(span) !== undefined;
}

function referenceTo(request: ServedRequest, span: Span): EvidenceReference {
  const quote = hasFailed(span) ? `${span.name}: ${failureOf(span)}` : span.name;
  return { evidenceId: request.evidenceId, locator: span.spanId, quote: quote.slice(0, 2_048) };
}

function failureOf(span: Span): string {
  const status = httpStatusOf(span);
  return span.status.message ?? (status === undefined ? "error" : `HTTP ${status}`);
}

function baseOf(
  name: string,
  boundary: OutgoingCall["boundary"],
  requests: readonly ServedRequest[],
): Omit<Finding, "verdict" | "title" | "actual" | "measures" | "evidence"> {
  return {
    contract: requestsSucceed.id,
    contractVersion: requestsSucceed.version,
    boundary,
    subject: { kind: "operation", name: name.slice(0, 1_024) },
    expected: `All ${requests.length} requests end without an error, and every call made for them is answered.`,
    causeKind: "none",
    missing: [],
    fixes: [],
    nextChecks: [],
  };
}
