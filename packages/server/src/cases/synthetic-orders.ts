/** Synthetic traces of an order service, in the shape that the OpenTelemetry instrumentations give. For tests. */

import type { Span } from "@faultline/contracts";
import type { TraceSummary } from "@faultline/protocol";

export interface OrderTraffic {
  /** One customer query for each order, or one for all. */
  readonly variant: "broken" | "repaired";
  /** Lengths of the lists, one request each. */
  readonly listLengths: readonly number[];
  readonly service?: string;
  readonly startMicros: number;
  readonly databaseSpans?: boolean;
  readonly resolverSpans?: boolean;
  readonly samplingRatio?: number;
  readonly failing?: boolean;
  /** Tells traces of several calls apart. */
  readonly series: number;
}

export interface SyntheticTrace {
  readonly summary: TraceSummary;
  readonly spans: readonly Span[];
}

const statementMicros = 3_000;

/** Traces of `query OrderList`, one for each list length, a second apart. */
export function orderTraces(traffic: OrderTraffic): SyntheticTrace[] {
  return traffic.listLengths.map((length, index) => orderTrace(traffic, length, index));
}

function orderTrace(traffic: OrderTraffic, length: number, index: number): SyntheticTrace {
  const service = traffic.service ?? "orders";
  const startMicros = traffic.startMicros + index * 1_000_000;
  const trace = new TraceBuilder({
    service,
    traceId: `${hex(traffic.series)}${hex(index + 1)}`,
    startMicros,
  });
  const isFailing = traffic.failing === true;
  const statementCount = traffic.variant === "broken" ? length + 1 : 2;
  const entry = trace.add({
    name: "POST /graphql",
    kind: "server",
    durationNanos: statementCount * statementMicros * 1_000,
    attributes: {
      "http.request.method": "POST",
      "http.route": "/graphql",
      "http.response.status_code": isFailing ? 500 : 200,
      ...(traffic.samplingRatio === undefined ? {} : { "sampling.ratio": traffic.samplingRatio }),
    },
    status: { code: isFailing ? "error" : "unset" },
  });
  addOrders(trace, entry, { traffic, length });
  const summary: TraceSummary = {
    traceId: entry.traceId,
    service,
    operation: entry.name,
    startedAt: new Date(startMicros / 1_000).toISOString(),
    durationMs: entry.durationNanos / 1_000_000,
    spanCount: trace.spans.length,
    errorCount: isFailing ? 1 : 0,
    status: isFailing ? "error" : "ok",
    services: [service],
  };
  return { summary, spans: trace.spans };
}

function addOrders(
  trace: TraceBuilder,
  entry: Span,
  { traffic, length }: { readonly traffic: OrderTraffic; readonly length: number },
): void {
  const execute = trace.add({
    name: "query OrderList",
    parent: entry,
    attributes: { "graphql.operation.type": "query", "graphql.operation.name": "OrderList" },
  });
  const resolver = (path: string, parent: Span): Span =>
    traffic.resolverSpans === false
      ? parent
      : trace.add({
          name: `graphql.resolve ${path}`,
          parent,
          attributes: { "graphql.field.path": path },
        });
  const query = (statement: string, parent: Span): void => {
    if (traffic.databaseSpans !== false) trace.addStatement(statement, parent);
  };
  const orders = resolver("orders", execute);
  query("SELECT id, customer_id FROM customer_order LIMIT $1", orders);
  for (let item = 0; item < length; item += 1) {
    const customer = resolver(`orders.${item}.customer`, orders);
    if (traffic.variant === "broken") {
      query("SELECT id, name FROM customer WHERE id = $1", customer);
    } else if (item === 0) {
      query("SELECT id, name FROM customer WHERE id = ANY($1::integer[])", customer);
    }
  }
}

class TraceBuilder {
  readonly spans: Span[] = [];
  readonly #frame: { service: string; traceId: string; startMicros: number };

  constructor(frame: { service: string; traceId: string; startMicros: number }) {
    this.#frame = frame;
  }

  add({ parent, ...parts }: Partial<Span> & { name: string; parent?: Span }): Span {
    const { service, traceId, startMicros } = this.#frame;
    const span: Span = {
      traceId,
      spanId: hex(this.spans.length + 1),
      ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
      kind: "internal",
      service,
      startMicros: startMicros + this.spans.length,
      durationNanos: statementMicros * 1_000,
      status: { code: "unset" },
      attributes: {},
      resource: { "service.name": service },
      scope: { name: "synthetic" },
      events: [],
      links: [],
      ...parts,
    };
    this.spans.push(span);
    return span;
  }

  addStatement(statement: string, parent: Span): void {
    this.add({
      name: "pg.query:SELECT orders",
      kind: "client",
      parent,
      startMicros: this.#frame.startMicros + this.spans.length * statementMicros,
      attributes: { "db.system.name": "postgresql", "db.query.text": statement },
    });
  }
}

/** 16 hexadecimal digits. */
function hex(number: number): string {
  return number.toString(16).padStart(16, "0");
}
