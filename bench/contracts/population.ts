/** A population of traces as a shop's services export them: batches of one pod each, every trace scattered over all of them. */

/** One span of the template that each trace follows. */
interface Step {
  readonly parent: number;
  readonly service: string;
  readonly name: string;
  readonly kind: 1 | 2 | 3 | 4 | 5;
  readonly attributes: (trace: number) => Record<string, string | number | boolean>;
}

/** A span in the form of OTLP's JSON. */
export interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly ExportedAttribute[];
  readonly status: { readonly code?: number; readonly message?: string };
}

export interface ExportedAttribute {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly intValue?: string;
    readonly boolValue?: boolean;
  };
}

/** An export request of one batch. */
export interface ExportedBatch {
  readonly resourceSpans: readonly [
    {
      readonly resource: { readonly attributes: readonly ExportedAttribute[] };
      readonly scopeSpans: readonly [
        {
          readonly scope: { readonly name: string; readonly version: string };
          readonly spans: readonly ExportedSpan[];
        },
      ];
    },
  ];
}

/** As many as the SDKs of OpenTelemetry export at once by default. */
const spansPerBatch = 512;
const podCount = 3;
const startNanos = 1_763_791_200_000_000_000n;

const http = { "network.protocol.version": "1.1", "user_agent.original": "shop-web/4.2 (Linux)" };
const postgres = {
  "db.system.name": "postgresql",
  "db.namespace": "shop",
  "server.address": "db.shop.internal",
  "server.port": 5_432,
};

/** About a hundred spans: a request over five services, with its queries, caches, calls and messages. */
const steps = template();

/** The number of spans of each trace. */
export const spansPerTrace = steps.length;

/** All batches for so many spans, step after step over all traces, so that no two spans of a trace come together. */
export function* populationOf(spanCount: number): Generator<ExportedBatch> {
  const traceCount = Math.ceil(spanCount / spansPerTrace);
  let left = spanCount;
  for (const [index, step] of steps.entries()) {
    for (let pod = 0; pod < podCount; pod += 1) {
      let spans: ExportedSpan[] = [];
      for (let trace = pod; trace < traceCount && left > 0; trace += podCount) {
        spans.push(spanOf(trace, index));
        left -= 1;
        if (spans.length < spansPerBatch) continue;
        yield batchOf(step.service, pod, spans);
        spans = [];
      }
      if (spans.length > 0) yield batchOf(step.service, pod, spans);
    }
  }
}

function batchOf(service: string, pod: number, spans: readonly ExportedSpan[]): ExportedBatch {
  const resource = {
    attributes: attributesOf({
      "service.name": service,
      "service.version": "2.7.1",
      "service.instance.id": `${service}-${pod}`,
      "host.name": `node-${pod}`,
      "k8s.namespace.name": "shop",
      "k8s.pod.name": `${service}-7d9f8b6c5-${pod}`,
      "telemetry.sdk.language": "nodejs",
      "telemetry.sdk.name": "opentelemetry",
    }),
  };
  const scope = { name: `@opentelemetry/instrumentation-${service}`, version: "0.57.0" };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }] };
}

function spanOf(trace: number, index: number): ExportedSpan {
  const step = steps[index];
  if (step === undefined) throw new RangeError(`The template has no step ${index}.`);
  const start =
    startNanos + BigInt(trace) * 3_000_017n + BigInt(index) * 400_000n + BigInt(trace % 1_000);
  const isLeaf = step.kind === 3;
  const length = isLeaf ? 310_000n + BigInt((trace * 7) % 50_000) : BigInt(100 - index) * 400_000n;
  const isFailed = index > 0 && (trace * 31 + index) % 997 === 0;
  return {
    traceId: (0xabc0_0000 + trace).toString(16).padStart(8, "0").repeat(4),
    spanId: spanIdOf(trace, index),
    parentSpanId: step.parent < 0 ? "" : spanIdOf(trace, step.parent),
    name: step.name,
    kind: step.kind,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + length),
    attributes: attributesOf(step.attributes(trace)),
    status: isFailed ? { code: 2, message: "deadline exceeded" } : {},
  };
}

function spanIdOf(trace: number, index: number): string {
  return ((trace + 1) * 0x1_0000 + index).toString(16).padStart(16, "5");
}

function attributesOf(values: Record<string, string | number | boolean>): ExportedAttribute[] {
  return Object.entries(values).map(([key, value]) => {
    if (typeof value === "number") return { key, value: { intValue: String(value) } };
    return {
      key,
      value: typeof value === "boolean" ? { boolValue: value } : { stringValue: value },
    };
  });
}

function template(): Step[] {
  const list: Step[] = [];
  const add = (step: Step): number => list.push(step) - 1;
  const served = (parent: number, service: string, route: string): number =>
    add({
      parent,
      service,
      name: `GET ${route}`,
      kind: 2,
      attributes: (trace) => ({
        "http.request.method": "GET",
        "http.route": route,
        "url.path": route.replace("{id}", String(trace)),
        "url.scheme": "http",
        "server.address": `${service}.shop.internal`,
        "client.address": `10.2.${trace % 200}.17`,
        "http.response.status_code": 200,
        ...http,
      }),
    });
  const called = (parent: number, service: string, target: string, route: string): number => {
    const client = add({
      parent,
      service,
      name: "GET",
      kind: 3,
      attributes: (trace) => ({
        "http.request.method": "GET",
        "url.full": `http://${target}.shop.internal:8080${route.replace("{id}", String(trace))}`,
        "server.address": `${target}.shop.internal`,
        "server.port": 8_080,
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
      }),
    });
    return served(client, target, route);
  };
  const work = (parent: number, service: string, name: string): number =>
    add({
      parent,
      service,
      name,
      kind: 1,
      attributes: () => ({
        "code.function.name": name,
        "code.file.path": `/app/src/${service}/${name}.js`,
        "code.line.number": 40 + name.length,
        "thread.id": 1,
        "thread.name": "main",
        "app.tier": "standard",
      }),
    });
  const query = (parent: number, service: string, table: string, statement: string): number =>
    add({
      parent,
      service,
      name: `SELECT shop.${table}`,
      kind: 3,
      attributes: (trace) => ({
        ...postgres,
        "db.operation.name": "SELECT",
        "db.collection.name": table,
        "db.query.text": statement.replace("{id}", String(trace)),
        "db.response.returned_rows": 1 + (trace % 5),
      }),
    });
  const cached = (parent: number, service: string, key: string): number =>
    add({
      parent,
      service,
      name: "GET",
      kind: 3,
      attributes: (trace) => ({
        "db.system.name": "redis",
        "db.operation.name": "GET",
        "db.query.text": `GET ${key}:${trace}`,
        "server.address": "cache.shop.internal",
        "server.port": 6_379,
        "network.peer.address": "10.2.0.9",
      }),
    });

  const entry = served(-1, "storefront", "/checkout/{id}");
  cached(work(entry, "storefront", "authenticate"), "storefront", "session");
  const orders = called(
    work(entry, "storefront", "loadOrder"),
    "storefront",
    "orders",
    "/orders/{id}",
  );
  const handler = work(orders, "orders", "orderHandler");
  query(handler, "orders", "orders", "SELECT id, customer_id, total FROM orders WHERE id = $1");
  query(handler, "orders", "customers", "SELECT id, name FROM customers WHERE id = {id}");
  for (let item = 0; item < 12; item += 1) {
    query(
      work(handler, "orders", "loadItem"),
      "orders",
      "items",
      "SELECT id, sku FROM items WHERE id = $1",
    );
  }
  const inventory = called(handler, "orders", "inventory", "/stock/{id}");
  for (let shelf = 0; shelf < 6; shelf += 1) {
    const check = work(inventory, "inventory", "checkShelf");
    cached(check, "inventory", `shelf:${shelf}`);
    query(
      check,
      "inventory",
      "stock",
      `SELECT amount FROM stock WHERE shelf = ${shelf} AND sku = $1`,
    );
  }
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const payments = called(
      work(entry, "storefront", "pay"),
      "storefront",
      "payments",
      "/charges/{id}",
    );
    query(
      work(payments, "payments", "reserve"),
      "payments",
      "accounts",
      "SELECT balance FROM accounts WHERE id = $1",
    );
    query(
      work(payments, "payments", "book"),
      "payments",
      "entries",
      "SELECT id FROM entries WHERE account_id = $1 LIMIT 50",
    );
  }
  for (const part of ["header", "cart", "offers", "footer", "reviews"]) {
    const render = work(entry, "storefront", `render-${part}`);
    const offers = called(render, "storefront", "offers", `/offers/${part}/{id}`);
    const rank = work(offers, "offers", "rank");
    query(rank, "offers", "offers", "SELECT id, title FROM offers WHERE segment = ANY($1)");
  }
  while (list.length < 100) work(entry, "storefront", `finish-${list.length % 4}`);
  return list;
}
