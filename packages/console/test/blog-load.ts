/** The telemetry of a blog whose list of posts loads its authors one by one or, repaired, all at once, as OTLP. */

interface SpanPlan {
  readonly name: string;
  readonly parent?: string | undefined;
  readonly kind?: "internal" | "server" | "client";
  readonly atMs: number;
  readonly forMs: number;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

interface OtlpSpan {
  readonly spanId: string;
}

const kinds = { internal: 1, server: 2, client: 3 } as const;
const perItemStatement = "SELECT id, name FROM authors WHERE id = $1";
const batchedStatement = "SELECT id, name FROM authors WHERE id = ANY($1)";

export interface BlogLoad {
  readonly variant: "broken" | "repaired";
  readonly requestCount: number;
  /** When the first request starts; the others follow, so that the last ends before `untilMs`. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Sets the traces of one load apart from those of another. */
  readonly seed: number;
}

/** The body of one `POST /v1/traces`: requests for lists of 10, 20, 30 and 40 posts by turns. */
export function blogLoad(load: BlogLoad): object {
  const stepMs = (load.untilMs - load.fromMs) / load.requestCount;
  const requests = Array.from({ length: load.requestCount }, (_, index) =>
    request({
      traceId: `${load.seed.toString(16).padStart(8, "0")}${(index + 1).toString(16).padStart(24, "0")}`,
      startMs: load.fromMs + index * stepMs,
      listLength: 10 * (1 + (index % 4)),
      variant: load.variant,
    }),
  );
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes({ "service.name": "posts" }) },
        scopeSpans: [
          { scope: { name: "@opentelemetry/instrumentation-pg" }, spans: requests.flat() },
        ],
      },
    ],
  };
}

/** One request, with the spans that the instrumentations of GraphQL and of the database client send. */
function request(of: {
  traceId: string;
  startMs: number;
  listLength: number;
  variant: "broken" | "repaired";
}): OtlpSpan[] {
  const spans: OtlpSpan[] = [];
  const add = (plan: SpanPlan): string => {
    const spanId = (spans.length + 1).toString(16).padStart(16, "0");
    spans.push({ spanId, ...otlpSpan(of, plan) });
    return spanId;
  };
  const itemMs = of.variant === "broken" ? 0.5 : 0.05;
  const wholeMs = 5 + of.listLength * itemMs;
  const http = {
    "http.request.method": "POST",
    "http.route": "/graphql",
    "http.response.status_code": 200,
  };
  const server = add({
    name: "POST /graphql",
    kind: "server",
    atMs: 0,
    forMs: wholeMs,
    attributes: http,
  });
  const operation = { "graphql.operation.name": "PostList", "graphql.operation.type": "query" };
  const query = add({
    name: "query PostList",
    parent: server,
    atMs: 0.2,
    forMs: wholeMs - 0.4,
    attributes: operation,
  });
  const list = add({
    name: "graphql.resolve posts",
    parent: query,
    atMs: 0.5,
    forMs: 1.5,
    attributes: { "graphql.field.path": "posts", "graphql.field.name": "posts" },
  });
  add(
    select({
      parent: list,
      atMs: 0.6,
      statement: "SELECT id, title, author_id FROM posts LIMIT $1",
    }),
  );
  for (let index = 0; index < of.listLength; index += 1) {
    const atMs = 2.5 + index * itemMs;
    const field = { "graphql.field.path": `posts.${index}.author`, "graphql.field.name": "author" };
    const resolver = add({
      name: `graphql.resolve posts.${index}.author`,
      parent: query,
      atMs,
      forMs: 0.45,
      attributes: field,
    });
    if (of.variant === "broken")
      add(select({ parent: resolver, atMs, statement: perItemStatement }));
    else if (index === 0) add(select({ parent: resolver, atMs, statement: batchedStatement }));
  }
  return spans;
}

function select(of: { parent: string; atMs: number; statement: string }): SpanPlan {
  return {
    name: "pg.query:SELECT blog",
    parent: of.parent,
    kind: "client",
    atMs: of.atMs,
    forMs: 0.4,
    attributes: {
      "db.system.name": "postgresql",
      "db.namespace": "blog",
      "db.query.text": of.statement,
    },
  };
}

function otlpSpan(of: { traceId: string; startMs: number }, plan: SpanPlan): object {
  const nanos = (ms: number): string =>
    BigInt(Math.round((of.startMs + ms) * 1e3)).toString() + "000";
  return {
    traceId: of.traceId,
    ...(plan.parent === undefined ? {} : { parentSpanId: plan.parent }),
    name: plan.name,
    kind: kinds[plan.kind ?? "internal"],
    startTimeUnixNano: nanos(plan.atMs),
    endTimeUnixNano: nanos(plan.atMs + plan.forMs),
    attributes: attributes(plan.attributes ?? {}),
    status: {},
  };
}

function attributes(values: Readonly<Record<string, string | number>>): object[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
  }));
}
