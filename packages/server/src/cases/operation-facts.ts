/** What a snapshot shows of one operation: how many requests, over lists how long, with which kinds of spans. Pure. */

import {
  evidenceOfKind,
  type EvidenceReference,
  operationName,
  type OutgoingCall,
  requestsOf,
  resolverPathOf,
  type ServedRequest,
  type Snapshot,
} from "@faultline/contracts";

import { unreachable } from "#kernel/index.ts";

/** Kinds of spans that a verdict can rest on. */
export const spanKinds = ["resolver", "database call", "service call"] as const;
export type SpanKindName = (typeof spanKinds)[number];

export interface OperationFacts {
  readonly requestCount: number;
  /** For each list, by its path with `*` for the index, or `of rows`, its length in each request, longest first. */
  readonly listLengths: ReadonlyMap<string, readonly number[]>;
  /** The share of requests that have spans of a kind. */
  readonly kindShares: ReadonlyMap<SpanKindName, number>;
  /** Start of the first and of the last request, in microseconds; 0 without requests. */
  readonly firstStartMicros: number;
  readonly lastStartMicros: number;
}

/** The operations that spans quoted by a finding belong to, and the boundaries that these spans cross. */
export interface QuotedOperations {
  readonly names: readonly string[];
  readonly boundaries: readonly OutgoingCall["boundary"][];
}

/** Two snapshots with the requests that they hold. */
export interface ComparedSnapshots {
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly requestsBefore: readonly ServedRequest[];
  readonly requestsAfter: readonly ServedRequest[];
}

/** Every request of the snapshot. */
export function requestsIn(snapshot: Snapshot): ServedRequest[] {
  return evidenceOfKind(snapshot, "trace").flatMap(requestsOf);
}

/** Finds the requests in which a finding's evidence lies. */
export function operationsQuoted(
  requests: readonly ServedRequest[],
  references: readonly EvidenceReference[],
): QuotedOperations {
  const quoted = new Set(references.map((item) => `${item.evidenceId} ${item.locator ?? ""}`));
  const names = new Set<string>();
  const boundaries = new Set<OutgoingCall["boundary"]>();
  for (const request of requests) {
    const isQuoted = (spanId: string): boolean => quoted.has(`${request.evidenceId} ${spanId}`);
    if (!request.spans.some((span) => isQuoted(span.spanId))) continue;
    names.add(operationName(request));
    for (const call of request.calls) if (isQuoted(call.span.spanId)) boundaries.add(call.boundary);
  }
  return { names: [...names].sort(), boundaries: [...boundaries].sort() };
}

/** The facts of the requests of one operation. */
export function factsOf(requests: readonly ServedRequest[], operation: string): OperationFacts {
  const own = requests.filter((request) => operationName(request) === operation);
  const starts = own.map((request) => request.entry.startMicros).sort((a, b) => a - b);
  return {
    requestCount: own.length,
    listLengths: listLengthsOf(own),
    kindShares: new Map(
      spanKinds.map((kind) => [
        kind,
        own.length === 0 ? 0 : own.filter((request) => has(request, kind)).length / own.length,
      ]),
    ),
    firstStartMicros: starts[0] ?? 0,
    lastStartMicros: starts.at(-1) ?? 0,
  };
}

function listLengthsOf(requests: readonly ServedRequest[]): ReadonlyMap<string, readonly number[]> {
  const lengths = new Map<string, number[]>();
  for (const request of requests) {
    for (const [list, length] of lengthsOf(request)) {
      const known = lengths.get(list);
      if (known === undefined) lengths.set(list, [length]);
      else known.push(length);
    }
  }
  for (const known of lengths.values()) known.sort((a, b) => b - a);
  return lengths;
}

/** Lists by their resolver spans; where there are none, the most rows that one statement brought. */
function lengthsOf(request: ServedRequest): ReadonlyMap<string, number> {
  const lists = new Map([...itemsByList(request)].map(([list, items]) => [list, items.size]));
  if (lists.size > 0) return lists;
  const rows = request.calls.flatMap(({ span }) =>
    rowAttributes.map((name) => span.attributes[name]).filter((value) => typeof value === "number"),
  );
  return rows.length === 0 ? lists : new Map([["of rows", Math.max(...rows)]]);
}

/** Where instrumentations write how many rows a statement returned. */
const rowAttributes = ["db.response.returned_rows", "db.rows_returned", "db.row_count"] as const;

/** The items of each list that the resolver spans of a request name: `orders.*` has `orders.0`, `orders.1`, … */
function itemsByList(request: ServedRequest): ReadonlyMap<string, ReadonlySet<string>> {
  const lists = new Map<string, Set<string>>();
  for (const span of request.spans) {
    const resolver = resolverPathOf(span);
    if (resolver === undefined || resolver.indexCount === 0) continue;
    const segments = resolver.path.split(".");
    const pattern = resolver.pattern.split(".");
    for (const [index, segment] of segments.entries()) {
      if (!/^\d+$/.test(segment)) continue;
      const list = pattern.slice(0, index + 1).join(".");
      const items = lists.get(list) ?? new Set<string>();
      items.add(segments.slice(0, index + 1).join("."));
      lists.set(list, items);
    }
  }
  return lists;
}

function has(request: ServedRequest, kind: SpanKindName): boolean {
  switch (kind) {
    case "resolver":
      return request.spans.some((span) => resolverPathOf(span) !== undefined);
    case "database call":
      return request.calls.some((call) => call.boundary === "resolver-database");
    case "service call":
      return request.calls.some((call) => call.boundary === "service-service");
    default:
      return unreachable(kind);
  }
}
