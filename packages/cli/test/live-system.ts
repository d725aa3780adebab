/** Small servers that speak the query APIs of Prometheus, Tempo, Jaeger, pprof and Kubernetes, in their forms of answers. */

import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

import { orderTrace } from "./order-trace.ts";

export interface Answer {
  readonly status?: number;
  readonly body: string;
}
export type Answers = (url: URL, request: IncomingMessage) => Answer | "never";

export interface LiveSystem extends AsyncDisposable {
  readonly url: string;
  readonly requests: string[];
}

/** Starts a server on the loopback that answers so; `never` leaves the caller waiting. */
export async function openLiveSystem(answers: Answers): Promise<LiveSystem> {
  return await openServer((request, response) => {
    const answer = answers(new URL(request.url ?? "/", "http://127.0.0.1"), request);
    if (answer === "never") return;
    response.writeHead(answer.status ?? 200, { "content-type": "application/json" });
    response.end(answer.body);
  });
}

/** Starts a server on the loopback that does as it likes. */
export async function openServer(listener: RequestListener): Promise<LiveSystem> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? "/");
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Prometheus: one series with a secret in a label for `up`, nothing for other queries. */
export const prometheus: Answers = (url) => {
  const start = Number(url.searchParams.get("start"));
  const values = [0, 15, 30].map((seconds) => [start + seconds, "1"]);
  const metric = { __name__: "up", job: "shop", owner: "ann@corp.example.org" };
  const result = url.searchParams.get("query") === "up" ? [{ metric, values }] : [];
  return json({ status: "success", data: { resultType: "matrix", result } });
};

const tempoTraceId = "a".repeat(32);

/** Tempo: a search that finds one trace, and the trace. */
export const tempo: Answers = (url) => {
  if (url.pathname === "/api/search") {
    return json({ traces: [{ traceID: tempoTraceId, rootServiceName: "shop" }], metrics: {} });
  }
  if (url.pathname !== `/api/traces/${tempoTraceId}`) return { status: 404, body: "" };
  const { resourceSpans } = JSON.parse(orderTrace(12, "one-by-one"));
  return json({ batches: resourceSpans });
};

/** Jaeger: one service with one trace. */
export const jaeger: Answers = (url) => {
  if (url.pathname === "/api/services") return json({ data: ["shop"], total: 1, errors: null });
  const tags = [
    { key: "http.request.header.authorization", type: "string", value: "Bearer hunter2hunter2" },
  ];
  const span = {
    traceID: "c".repeat(32),
    spanID: "1".repeat(16),
    operationName: "GET /orders",
    references: [],
    startTime: 1_700_000_000_000_000,
    duration: 1_000,
    tags,
    logs: [],
    processID: "p1",
  };
  const trace = {
    traceID: span.traceID,
    spans: [span],
    processes: { p1: { serviceName: "shop", tags: [] } },
  };
  return json({ data: [trace], total: 0, limit: 0, offset: 0, errors: null });
};

/** Loki: two lines of one service, of which one has a key in it. */
export const loki: Answers = (url) => {
  if (url.pathname === "/loki/api/v1/labels") {
    return json({ status: "success", data: ["service_name", "pod"] });
  }
  const start = BigInt(url.searchParams.get("start") ?? "0");
  const values = [
    [
      String(start + 2_000_000_000n),
      'level=error msg="charge failed" api_key=sk-live-hunter2hunter2hunter2',
    ],
    [String(start + 1_000_000_000n), 'level=info msg="mail to ann@corp.example.org sent"'],
  ];
  const result = [{ stream: { service_name: "shop", pod: "shop-0" }, values }];
  return json({ status: "success", data: { resultType: "streams", result, stats: {} } });
};

/** A Go process whose heap may not be read. */
export const pprof: Answers = (url) => {
  if (!url.pathname.endsWith("/goroutine")) return { status: 403, body: "not for you" };
  return {
    body: "goroutine 7 [chan receive, 12 minutes]:\nmain.worker()\n\t/app/main.go:10 +0x1d\ncreated by main.main in goroutine 1\n\t/app/main.go:5 +0x2b\n",
  };
};

/** A cluster with a pod and a Secret; nodes may not be read. */
export const cluster: Answers = (url) => {
  const groupless = { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  if (url.pathname === "/api") return json(groupless);
  if (url.pathname === "/apis") return json({ kind: "APIGroupList", apiVersion: "v1", groups: [] });
  if (url.pathname === "/api/v1") {
    const resource = (name: string, kind: string, namespaced: boolean): object => ({
      name,
      singularName: kind.toLowerCase(),
      namespaced,
      kind,
      verbs: ["get", "list"],
    });
    return json({
      kind: "APIResourceList",
      groupVersion: "v1",
      resources: [
        resource("pods", "Pod", true),
        resource("secrets", "Secret", true),
        resource("nodes", "Node", false),
      ],
    });
  }
  const metadata = { name: "web", namespace: "shop", uid: "u1" };
  if (url.pathname === "/api/v1/secrets") {
    const secret = { metadata, type: "Opaque", data: { password: "aHVudGVyMmh1bnRlcjI=" } };
    return json({ kind: "SecretList", apiVersion: "v1", metadata: {}, items: [secret] });
  }
  if (url.pathname === "/api/v1/pods") {
    const env = [{ name: "DB_PASSWORD", value: "hunter2hunter2" }];
    const spec = { containers: [{ name: "web", image: "web:1", env }] };
    return json({
      kind: "PodList",
      apiVersion: "v1",
      metadata: {},
      items: [{ metadata, spec, status: {} }],
    });
  }
  const message = 'nodes is forbidden: User "ann" cannot list resource "nodes"';
  const refusal = {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    message,
    reason: "Forbidden",
    code: 403,
  };
  return { status: 403, body: JSON.stringify(refusal) };
};

function json(value: unknown): Answer {
  return { body: JSON.stringify(value) };
}
