/** Traces for the benchmark of the contracts: an order list over GraphQL, its customers loaded well or badly. */

import type { Attributes, Span } from "@faultline/contracts";

/** The trace of one request; even numbers load one by one, odd ones at once, all lists differ in length. */
export function traceOfOrders(number: number): Span[] {
  const length = 10 + (number % 40);
  const spans = new TraceSpans(number);
  const root = spans.add(undefined, "GET /graphql", "server", {
    "http.request.method": "GET",
    "http.route": "/graphql",
  });
  const operation = number % 2 === 0 ? "Orders" : "OrdersRepaired";
  const execute = spans.add(root, `query ${operation}`, "internal", {
    "graphql.operation.type": "query",
    "graphql.operation.name": operation,
  });
  const orders = spans.add(execute, "graphql.resolve orders", "internal", {
    "graphql.field.path": "orders",
  });
  spans.addStatement(orders, "SELECT id, customer_id FROM orders ORDER BY created DESC LIMIT 100");
  for (let index = 0; index < length; index += 1) {
    const path = `orders.${index}.customer`;
    const resolver = spans.add(orders, `graphql.resolve ${path}`, "internal", {
      "graphql.field.path": path,
    });
    if (number % 2 === 0) {
      // Literals make every statement a text of its own.
      spans.addStatement(resolver, `SELECT * FROM customers WHERE id = ${number * 100 + index}`);
    } else if (index === 0) {
      spans.addStatement(resolver, "SELECT * FROM customers WHERE id = ANY($1)");
    }
  }
  return spans.spans;
}

class TraceSpans {
  readonly spans: Span[] = [];
  readonly #number: number;

  constructor(number: number) {
    this.#number = number;
  }

  add(parent: Span | undefined, name: string, kind: Span["kind"], attributes: Attributes): Span {
    const span: Span = {
      traceId: (this.#number + 1).toString(16).padStart(32, "0"),
      spanId: (this.#number * 1_000 + this.spans.length + 1).toString(16).padStart(16, "0"),
      ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
      name,
      kind,
      service: "shop",
      startMicros: 1_700_000_000_000_000 + this.#number * 100_000 + this.spans.length * 100,
      durationNanos: parent === undefined ? 10_000_000 : 90_000,
      status: { code: "unset" },
      attributes,
      resource: { "service.name": "shop", "service.version": "1.2.3", "host.name": "shop-0" },
      scope: { name: "bench", version: "1.0.0" },
      events: [],
      links: [],
    };
    this.spans.push(span);
    return span;
  }

  addStatement(parent: Span, statement: string): void {
    const pool = this.add(parent, "pg-pool.connect", "client", { "db.system.name": "postgresql" });
    this.add(pool, "pg.query:SELECT shop", "client", {
      "db.system.name": "postgresql",
      "db.namespace": "shop",
      "server.address": "db",
      "db.query.text": statement,
    });
  }
}

/** The spans as one OTLP JSON request. */
export function otlpJsonOf(spans: readonly Span[]): Uint8Array {
  const kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];
  const attributesOf = (attributes: Attributes): unknown[] =>
    Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value } }));
  const request = {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(spans[0]?.resource ?? {}) },
        scopeSpans: [
          {
            scope: { name: "bench", version: "1.0.0" },
            spans: spans.map((span) => ({
              traceId: span.traceId,
              spanId: span.spanId,
              parentSpanId: span.parentSpanId ?? "",
              name: span.name,
              kind: kinds.indexOf(span.kind),
              startTimeUnixNano: `${span.startMicros}000`,
              endTimeUnixNano: String(
                BigInt(span.startMicros) * 1_000n + BigInt(span.durationNanos),
              ),
              attributes: attributesOf(span.attributes),
              status: {},
            })),
          },
        ],
      },
    ],
  };
  return new TextEncoder().encode(JSON.stringify(request));
}
