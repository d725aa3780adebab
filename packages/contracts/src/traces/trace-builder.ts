/** Builds traces for tests: a tree in, spans with ids and times out. */

import type { TraceContent } from "../model/evidence.ts";
import type { Attributes, Span, SpanKind } from "../model/span.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";

/** One span of a tree. Times are relative to the parent's start. */
export interface SpanTree {
  readonly name: string;
  readonly kind?: SpanKind;
  readonly service?: string;
  readonly attributes?: Attributes;
  /** Microseconds after the parent's start; children without one follow one another. */
  readonly at?: number;
  readonly durationMicros?: number;
  readonly status?: Span["status"]["code"];
  readonly children?: readonly SpanTree[];
}

/** The spans of a tree, the root first. `seed` makes the ids of one trace differ from those of another. */
export function spansOf(tree: SpanTree, seed = 1): Span[] {
  const traceId = seed.toString(16).padStart(32, "0");
  const spans: Span[] = [];
  const add = (node: SpanTree, parent: Span | undefined, startMicros: number): Span => {
    const service = node.service ?? parent?.service ?? "orders";
    const span: Span = {
      traceId,
      spanId: (seed * 1_000_000 + spans.length + 1).toString(16).padStart(16, "0"),
      ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
      name: node.name,
      kind: node.kind ?? "internal",
      service,
      startMicros,
      durationNanos: (node.durationMicros ?? durationOf(node)) * 1_000,
      status: { code: node.status ?? "unset" },
      attributes: node.attributes ?? {},
      resource: { "service.name": service },
      scope: { name: "test" },
      events: [],
      links: [],
    };
    spans.push(span);
    let next = startMicros + 10;
    for (const child of node.children ?? []) {
      const made = add(child, span, child.at === undefined ? next : startMicros + child.at);
      next = Math.max(next, made.startMicros + made.durationNanos / 1_000 + 10);
    }
    return span;
  };
  add(tree, undefined, 1_700_000_000_000_000 + seed * 60_000_000);
  return spans;
}

function durationOf(node: SpanTree): number {
  const children = node.children ?? [];
  let next = 10;
  for (const child of children) {
    next = Math.max(next, (child.at ?? next) + (child.durationMicros ?? durationOf(child)) + 10);
  }
  return children.length === 0 ? 1_000 : next;
}

/** A snapshot of the traces in these lists of spans. */
export function snapshotOfSpans(...traces: readonly (readonly Span[])[]): Snapshot {
  return createSnapshot(
    traces.flatMap((spans) => {
      const first = spans[0];
      if (first === undefined) return [];
      const content: TraceContent = { kind: "trace", traceId: first.traceId, spans: [...spans] };
      return [{ source: { name: "test", format: "test", notes: [] }, content }];
    }),
  );
}

/** A request that a service takes in. */
export function request(
  route: string,
  children: readonly SpanTree[],
  service = "orders",
): SpanTree {
  return {
    name: `GET ${route}`,
    kind: "server",
    service,
    attributes: { "http.request.method": "GET", "http.route": route },
    children,
  };
}

/** A statement that runs on PostgreSQL. */
export function sql(statement: string, more: Partial<SpanTree> = {}): SpanTree {
  return {
    name: "pg.query:SELECT shop",
    kind: "client",
    ...more,
    attributes: {
      "db.system.name": "postgresql",
      "db.query.text": statement,
      ...more.attributes,
    },
  };
}

/** A request to another service. */
export function get(url: string, more: Partial<SpanTree> = {}): SpanTree {
  return {
    name: "GET",
    kind: "client",
    ...more,
    attributes: { "http.request.method": "GET", "url.full": url, ...more.attributes },
  };
}

/** A GraphQL field's resolver. */
export function resolver(path: string, children: readonly SpanTree[] = []): SpanTree {
  return { name: `graphql.resolve ${path}`, attributes: { "graphql.field.path": path }, children };
}

/** `count` things made by a function of their index. */
export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** The GraphQL request of an order list whose customers are loaded one by one, or by one batch. */
export function graphqlOrders(length: number, how: "one-by-one" | "batched"): SpanTree {
  const customer = (index: number): SpanTree[] => {
    if (how === "one-by-one") return [sql("SELECT * FROM customers WHERE id = $1")];
    const keys = times(length, (item) => `$${item + 1}`).join(", ");
    return index === 0 ? [sql(`SELECT * FROM customers WHERE id IN (${keys})`)] : [];
  };
  return request("/graphql", [
    {
      name: "query Orders",
      attributes: { "graphql.operation.type": "query", "graphql.operation.name": "Orders" },
      children: [
        resolver("orders", [
          sql("SELECT * FROM orders LIMIT 100"),
          ...times(length, (index) => resolver(`orders.${index}.customer`, customer(index))),
        ]),
      ],
    },
  ]);
}
