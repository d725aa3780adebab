/** Takes traces apart into requests: what one service did to answer one call from outside of it. */

import { graphqlOperationOf } from "../traces/resolver-path.ts";
import type { Boundary } from "../model/finding.ts";
import type { EvidenceOf } from "../model/snapshot.ts";
import type { Span } from "../model/span.ts";

/** A call that a request made: to a database, or to another service. */
export interface OutgoingCall {
  readonly span: Span;
  readonly boundary: Extract<Boundary, "resolver-database" | "service-service">;
}

export interface ServedRequest {
  /** The trace that recorded it. */
  readonly evidenceId: string;
  /** The span with which the request entered the service. */
  readonly entry: Span;
  readonly service: string;
  /** Name of the entry span, and the GraphQL operation when one was executed. Stable across releases. */
  readonly operation: string;
  /** The entry span and everything below it, down to where another service's request begins. */
  readonly spans: readonly Span[];
  readonly calls: readonly OutgoingCall[];
}

/**
 * The requests of a trace, in the order of their start. A span that serves a call begins one wherever its caller
 * is; a fragment, whose parent is named but not there, begins none, because nobody can say what it is part of.
 */
export function requestsOf(trace: EvidenceOf<"trace">): ServedRequest[] {
  const { spans } = trace.content;
  const childrenOf = new Map<string, Span[]>();
  const entries: Span[] = [];
  for (const span of spans) {
    if (span.parentSpanId === undefined || isServing(span)) {
      entries.push(span);
      continue;
    }
    const siblings = childrenOf.get(span.parentSpanId);
    if (siblings === undefined) childrenOf.set(span.parentSpanId, [span]);
    else siblings.push(span);
  }
  return entries
    .sort((left, right) => left.startMicros - right.startMicros)
    .map((entry) => requestOf(trace.id, entry, childrenOf));
}

/** What to call the requests of an operation in a subject: the same text on every snapshot of the system. */
export function operationName(request: Pick<ServedRequest, "service" | "operation">): string {
  return `${request.service} ${request.operation}`;
}

/** Which boundary a span's call crosses, or `undefined` when the span is no finished call. */
export function callBoundaryOf(span: Span): OutgoingCall["boundary"] | undefined {
  const { attributes } = span;
  const isDatabase = "db.system.name" in attributes || "db.system" in attributes;
  if (isDatabase) {
    // A pool or connection span is the way to a call, not the call.
    const states = "db.query.text" in attributes || "db.statement" in attributes;
    const names = "db.operation.name" in attributes || "db.operation" in attributes;
    return states || names ? "resolver-database" : undefined;
  }
  if (span.kind !== "client") return undefined;
  const isRemote = [
    "http.request.method",
    "http.method",
    "rpc.system",
    "rpc.system.name",
    "url.full",
    "http.url",
  ].some((name) => name in attributes);
  return isRemote ? "service-service" : undefined;
}

/** Whether a span says that what it stands for failed, by status or by HTTP status code. */
export function hasFailed(span: Span): boolean {
  return span.status.code === "error" || (httpStatusOf(span) ?? 0) >= 500;
}

/** The HTTP status code that a span records, under either name of the attribute. */
export function httpStatusOf(span: Span): number | undefined {
  const status =
    span.attributes["http.response.status_code"] ?? span.attributes["http.status_code"];
  return typeof status === "number" || typeof status === "string" ? Number(status) : undefined;
}

function isServing(span: Span): boolean {
  return span.kind === "server" || span.kind === "consumer";
}

function requestOf(
  evidenceId: string,
  entry: Span,
  childrenOf: ReadonlyMap<string, readonly Span[]>,
): ServedRequest {
  const spans: Span[] = [];
  const seen = new Set<string>();
  const waiting = [entry];
  for (let span = waiting.pop(); span !== undefined; span = waiting.pop()) {
    if (seen.has(span.spanId)) continue;
    seen.add(span.spanId);
    spans.push(span);
    for (const child of childrenOf.get(span.spanId) ?? []) waiting.push(child);
  }
  spans.sort((left, right) => left.startMicros - right.startMicros);
  return {
    evidenceId,
    entry,
    service: entry.service,
    operation: operationOf(entry, spans),
    spans,
    calls: spans.flatMap((span) => {
      const boundary = span === entry ? undefined : callBoundaryOf(span);
      return boundary === undefined ? [] : [{ span, boundary }];
    }),
  };
}

function operationOf(entry: Span, spans: readonly Span[]): string {
  const executed = spans.map(graphqlOperationOf).filter((operation) => operation !== undefined);
  return [entry.name, ...[...new Set(executed)].sort()].join(" ");
}
