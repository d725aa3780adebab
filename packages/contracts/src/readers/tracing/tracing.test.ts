import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import type { Span } from "../../model/span.ts";
import { isEvidenceContent } from "../../snapshot/check-content.ts";
import { readEvidence } from "../read-evidence.ts";

/** Data that lies beside a checkout of the repository; its tests say why they are skipped without it. */
const bench = fileURLToPath(
  new URL("../../../../../../shared/data/root-cause-bench/", import.meta.url),
);

const traceId = "0af7651916cd43dd8448eb211c80319c";
const start = 1_700_000_000_000_000;

function read(text: string): {
  spans: Span[];
  format: string | undefined;
  notes: readonly string[];
} {
  const { evidence, unreadable } = readEvidence([
    { name: "x.json", bytes: new TextEncoder().encode(text) },
  ]);
  expect(unreadable).toEqual([]);
  expect(evidence.every(({ content }) => isEvidenceContent(content))).toBe(true);
  const spans = evidence.flatMap(({ content }) => (content.kind === "trace" ? content.spans : []));
  return { spans, format: evidence[0]?.source.format, notes: evidence[0]?.source.notes ?? [] };
}

const json = (value: unknown): string => JSON.stringify(value);

describe("Jaeger", () => {
  const span = (fields: object): object => ({
    traceID: traceId,
    spanID: "b7ad6b7169203331",
    operationName: "GET /users",
    references: [],
    startTime: start,
    duration: 1_500,
    tags: [],
    logs: [],
    processID: "p1",
    ...fields,
  });
  const trace = (...spans: object[]): object => ({
    traceID: traceId,
    spans,
    processes: {
      p1: { serviceName: "users", tags: [{ key: "hostname", type: "string", value: "h1" }] },
    },
  });

  it("reads the answer of the API, a bare trace and a list of traces alike", () => {
    const bare = trace(span({}));
    const { spans, format } = read(json({ data: [bare], total: 0, errors: null }));
    expect(format).toBe("jaeger-json");
    expect(spans).toMatchObject([
      {
        traceId,
        spanId: "b7ad6b7169203331",
        name: "GET /users",
        service: "users",
        startMicros: start,
        durationNanos: 1_500_000,
        resource: { "service.name": "users", hostname: "h1" },
      },
    ]);
    expect(read(json(bare)).spans).toEqual(spans);
    expect(read(json([bare])).spans).toEqual(spans);
  });

  it("reads kinds, typed tags, errors, statuses and logs", () => {
    const tags = [
      { key: "span.kind", type: "string", value: "client" },
      { key: "error", type: "bool", value: true },
      { key: "http.status_code", type: "int64", value: "503" },
      { key: "otel.status_description", type: "string", value: "no route" },
      { key: "otel.scope.name", type: "string", value: "http" },
    ];
    const logs = [
      {
        timestamp: start + 5,
        fields: [
          { key: "event", value: "exception" },
          { key: "n", type: "int64", value: "3" },
        ],
      },
    ];
    expect(read(json(trace(span({ tags, logs })))).spans).toMatchObject([
      {
        kind: "client",
        status: { code: "error", message: "no route" },
        attributes: { "http.status_code": 503 },
        scope: { name: "http" },
        events: [{ name: "exception", timeMicros: start + 5, attributes: { n: 3 } }],
      },
    ]);
  });

  it("takes the reference within the trace for the parent, and others for links", () => {
    const references = [
      { refType: "FOLLOWS_FROM", traceID: "77", spanID: "9" },
      { refType: "FOLLOWS_FROM", traceID: traceId, spanID: "2" },
      { refType: "CHILD_OF", traceID: traceId, spanID: "1" },
    ];
    const [read1] = read(json(trace(span({ references })))).spans;
    expect(read1?.parentSpanId).toBe("0000000000000001");
    expect(read1?.links.map((link) => link.spanId)).toEqual([
      "0000000000000009",
      "0000000000000002",
    ]);
  });

  it("fills up ids of 64 bits and shorter ones", () => {
    const [only] = read(json(trace(span({ traceID: "cafe1", spanID: "a" })))).spans;
    expect([only?.traceId, only?.spanId]).toEqual([
      "000000000000000000000000000cafe1",
      "000000000000000a",
    ]);
  });

  it("reads spans as Elasticsearch keeps them", () => {
    const process = { serviceName: "users", tags: [] };
    const kept = [span({ process, tag: { "http@method": "GET" } }), span({ spanID: "2", process })];
    const { spans } = read(kept.map((item) => json({ _source: item })).join("\n"));
    expect(spans).toMatchObject([{ attributes: {} }, { service: "users" }]);
    expect(spans.map((item) => item.attributes["http.method"])).toContain("GET");
  });

  it("says why none of the spans can be read", () => {
    const { unreadable } = readEvidence([
      {
        name: "x",
        bytes: new TextEncoder().encode('{"data":[{"traceID":"a","spans":[{"spanID":"b"}]}]}'),
      },
    ]);
    expect(unreadable[0]?.message).toMatch(/None of 1 spans can be read/);
  });
});

describe("Zipkin", () => {
  const client = {
    traceId: "5af7183fb1d4cf5f",
    id: "6b221d5bc9e6496c",
    name: "get /users",
    kind: "CLIENT",
    timestamp: start,
    duration: 2_000,
    localEndpoint: { serviceName: "web" },
    remoteEndpoint: { serviceName: "users", ipv4: "10.0.0.7", port: 8080 },
    tags: { "http.status_code": "500", error: "no route" },
    annotations: [{ timestamp: start + 7, value: "retry" }],
  };
  const server = {
    ...client,
    kind: "SERVER",
    shared: true,
    timestamp: start + 100,
    duration: 1_500,
    localEndpoint: { serviceName: "users" },
    tags: {},
  };
  const below = {
    traceId: client.traceId,
    id: "01",
    parentId: client.id,
    name: "select",
    timestamp: start + 200,
    duration: 300,
    localEndpoint: { serviceName: "users" },
  };

  it("reads kinds, errors, tags of numbers, the peer and annotations", () => {
    const { spans, format } = read(json([client]));
    expect(format).toBe("zipkin-json");
    expect(spans).toMatchObject([
      {
        traceId: "00000000000000005af7183fb1d4cf5f",
        kind: "client",
        service: "web",
        durationNanos: 2_000_000,
        status: { code: "error", message: "no route" },
        attributes: { "http.status_code": 500, "peer.service": "users", "network.peer.port": 8080 },
        events: [{ name: "retry", timeMicros: start + 7 }],
      },
    ]);
  });

  it("tells the halves of a shared span apart, with the server's work below the server's half", () => {
    const { spans } = read(json([[client, server, below]]));
    const [first, half, work] = spans;
    expect(spans.map((span) => span.kind)).toEqual(["client", "server", "unspecified"]);
    expect(half?.parentSpanId).toBe(first?.spanId);
    expect(half?.spanId).not.toBe(first?.spanId);
    expect(work?.parentSpanId).toBe(half?.spanId);
    expect(read(json([below, server, client])).spans).toEqual(spans);
  });

  it("keeps the id of a server whose client is not there", () => {
    expect(read(json([server])).spans).toMatchObject([{ spanId: client.id, kind: "server" }]);
  });

  it("reads the first version", () => {
    const endpoint = { serviceName: "web", ipv4: "10.0.0.1" };
    const v1 = {
      traceId: "5af7183fb1d4cf5f",
      id: "6b221d5bc9e6496c",
      name: "get",
      timestamp: start,
      duration: 900,
      annotations: [
        { timestamp: start, value: "cs", endpoint },
        { timestamp: start + 100, value: "sr", endpoint: { serviceName: "users" } },
        { timestamp: start + 500, value: "ss", endpoint: { serviceName: "users" } },
        { timestamp: start + 900, value: "cr", endpoint },
      ],
      binaryAnnotations: [{ key: "http.path", value: "/users", endpoint }],
    };
    expect(read(json([v1])).spans).toMatchObject([
      {
        kind: "client",
        service: "web",
        durationNanos: 900_000,
        attributes: { "http.path": "/users" },
      },
      {
        kind: "server",
        service: "users",
        durationNanos: 400_000,
        parentSpanId: "6b221d5bc9e6496c",
      },
    ]);
  });
});

describe("Tempo", () => {
  const base64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64");
  const span = {
    traceId: base64(traceId),
    spanId: base64("b7ad6b7169203331"),
    parentSpanId: base64("00f067aa0ba902b7"),
    name: "GET /users",
    kind: "SPAN_KIND_SERVER",
    startTimeUnixNano: `${start}000`,
    endTimeUnixNano: `${start}900`,
    attributes: [{ key: "n", value: { intValue: "3" } }],
    status: { code: "STATUS_CODE_ERROR" },
  };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "users" } }] };
  const expected = {
    traceId,
    spanId: "b7ad6b7169203331",
    parentSpanId: "00f067aa0ba902b7",
    kind: "server",
    service: "users",
    durationNanos: 900,
    status: { code: "error" },
    attributes: { n: 3 },
  };

  it.each([
    ["batches", { batches: [{ resource, scopeSpans: [{ scope: { name: "s" }, spans: [span] }] }] }],
    ["older names", { batches: [{ resource, instrumentationLibrarySpans: [{ spans: [span] }] }] }],
    [
      "the answer of the second API",
      { trace: { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] } },
    ],
    ["a block of a logger", { resource, scopeSpans: [{ spans: [span] }] }],
  ])("reads %s", (_, document) => {
    const { spans, format } = read(json(document));
    expect(format).toBe("tempo-json");
    expect(spans).toMatchObject([expected]);
  });
});

describe("what SDKs print", () => {
  it("reads Python's documents one after the other", () => {
    const span = (id: string, parent: string | null): string =>
      JSON.stringify(
        {
          name: "GET",
          context: { trace_id: `0x${traceId}`, span_id: `0x${id}`, trace_state: "[]" },
          kind: "SpanKind.CLIENT",
          parent_id: parent,
          start_time: "2023-11-14T22:13:20.000100Z",
          end_time: "2023-11-14T22:13:20.000300Z",
          status: { status_code: "ERROR", description: "boom" },
          attributes: { "http.method": "GET" },
          events: [
            { name: "exception", timestamp: "2023-11-14T22:13:20.000200Z", attributes: { a: 1 } },
          ],
          links: [],
          resource: { attributes: { "service.name": "web" }, schema_url: "" },
        },
        null,
        4,
      );
    const { spans, format } = read(
      `${span("b7ad6b7169203331", null)}\n${span("02", "0xb7ad6b7169203331")}\n`,
    );
    expect(format).toBe("otel-sdk-json");
    expect(spans).toHaveLength(2);
    expect(spans[0]).toMatchObject({
      kind: "client",
      service: "web",
      startMicros: start + 100,
      durationNanos: 200_000,
      status: { code: "error", message: "boom" },
      attributes: { "http.method": "GET" },
      events: [{ timeMicros: start + 200 }],
    });
    expect(spans.map((span) => span.parentSpanId)).toContain("b7ad6b7169203331");
  });

  it("reads Go's", () => {
    const span = {
      Name: "GET",
      SpanContext: {
        TraceID: traceId,
        SpanID: "b7ad6b7169203331",
        TraceFlags: "01",
        Remote: false,
      },
      Parent: { TraceID: "0".repeat(32), SpanID: "0".repeat(16) },
      SpanKind: 3,
      StartTime: "2023-11-14T22:13:20.0001+00:00",
      EndTime: "2023-11-14T22:13:20.000300500+00:00",
      Attributes: [{ Key: "n", Value: { Type: "INT64", Value: 3 } }],
      Events: null,
      Links: null,
      Status: { Code: "Error", Description: "boom" },
      Resource: [{ Key: "service.name", Value: { Type: "STRING", Value: "web" } }],
      InstrumentationLibrary: { Name: "http", Version: "1", SchemaURL: "" },
    };
    const [only] = read(json(span)).spans;
    expect(only).toMatchObject({
      kind: "client",
      service: "web",
      durationNanos: 200_500,
      attributes: { n: 3 },
      status: { code: "error", message: "boom" },
      scope: { name: "http", version: "1" },
    });
    expect(only?.parentSpanId).toBeUndefined();
  });

  it.each([
    [
      "the console exporter of JavaScript",
      {
        resource: { attributes: { "service.name": "web" } },
        instrumentationScope: { name: "http" },
        traceId,
        parentSpanContext: { spanId: "00f067aa0ba902b7" },
        name: "GET",
        id: "b7ad6b7169203331",
        kind: 2,
        timestamp: start,
        duration: 250.5,
        attributes: { n: 3 },
        status: { code: 2, message: "boom" },
        events: [],
        links: [],
      },
    ],
    [
      "a readable span of JavaScript",
      {
        _spanContext: { traceId, spanId: "b7ad6b7169203331", traceFlags: 1 },
        parentSpanId: "00f067aa0ba902b7",
        name: "GET",
        kind: 2,
        startTime: [1_700_000_000, 0],
        endTime: [1_700_000_000, 250_500],
        attributes: { n: 3 },
        status: { code: 2, message: "boom" },
        events: [],
        links: [],
        resource: { _attributes: { "service.name": "web" } },
        instrumentationLibrary: { name: "http" },
      },
    ],
  ])("reads %s", (_, span) => {
    expect(read(json([span])).spans).toMatchObject([
      {
        traceId,
        spanId: "b7ad6b7169203331",
        parentSpanId: "00f067aa0ba902b7",
        kind: "client",
        service: "web",
        startMicros: start,
        durationNanos: 250_500,
        attributes: { n: 3 },
        status: { code: "error", message: "boom" },
        scope: { name: "http" },
      },
    ]);
  });
});

describe("the console exporter of JavaScript", () => {
  const printed = `listening on 3000
{
  resource: {
    attributes: {
      'service.name': 'web',
      'telemetry.sdk.language': 'nodejs',
      'process.command_args': [ '/usr/bin/node', '/app/it\\'s.js' ]
    }
  },
  instrumentationScope: { name: 'http', version: undefined, schemaUrl: undefined },
  traceId: '0af7651916cd43dd8448eb211c80319c',
  parentSpanContext: {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: '00f067aa0ba902b7',
    traceFlags: 1
  },
  traceState: undefined,
  name: 'GET',
  id: 'b7ad6b7169203331',
  kind: 2,
  timestamp: 1700000000000000,
  duration: 250.5,
  attributes: { 'http.method': 'GET', gone: [ 1, 2, ... 3 more items ], odd: ',}', long: 'one ' +
    'two', more: [Object] },
  status: { code: 2, message: 'boom' },
  events: [ { name: 'e', attributes: {}, time: [ 1700000000, 100000 ], droppedAttributesCount: 0 } ],
  links: []
}
GET / 500
`;

  it("is read among what else was printed", () => {
    const { spans, format } = read(printed);
    expect(format).toBe("otel-console");
    expect(spans).toMatchObject([
      {
        traceId,
        spanId: "b7ad6b7169203331",
        parentSpanId: "00f067aa0ba902b7",
        kind: "client",
        service: "web",
        startMicros: start,
        durationNanos: 250_500,
        attributes: { "http.method": "GET", gone: [1, 2], odd: ",}", long: "one two", more: null },
        resource: { "process.command_args": ["/usr/bin/node", "/app/it's.js"] },
        status: { code: "error", message: "boom" },
        events: [{ name: "e", timeMicros: start + 100 }],
      },
    ]);
  });
});

describe("records of spans", () => {
  it.each([
    {
      trace_id: "aa",
      span_id: "b1",
      parent_id: null,
      service: "web",
      name: "GET",
      start: "2023-11-14T22:13:20Z",
      duration_ms: 1.5,
      status: "ERROR",
      error: "boom",
      extra: 3,
    },
    {
      TraceId: "aa",
      SpanId: "b1",
      ParentSpanId: "",
      ServiceName: "web",
      SpanName: "GET",
      Timestamp: "2023-11-14 22:13:20.000000000",
      Duration: 1_500_000,
      StatusCode: "Error",
      StatusMessage: "boom",
      SpanAttributes: { extra: 3 },
    },
    {
      "context.trace_id": "aa",
      "context.span_id": "b1",
      parent_id: null,
      name: "GET",
      start_time: "2023-11-14T22:13:20+00:00",
      end_time: "2023-11-14T22:13:20.0015+00:00",
      status_code: "ERROR",
      status_message: "boom",
      "attributes.extra": 3,
      service: "web",
    },
  ])("reads the names of %j", (record) => {
    expect(read(json([record])).spans).toMatchObject([
      {
        traceId: `${"0".repeat(30)}aa`,
        spanId: `${"0".repeat(14)}b1`,
        name: "GET",
        service: "web",
        startMicros: start,
        durationNanos: 1_500_000,
        status: { code: "error", message: "boom" },
        attributes: { extra: 3 },
      },
    ]);
  });

  it("replaces ids that are no numbers by hashes, the same in every file", () => {
    const record = (id: string, parent: string | null): object => ({
      trace_id: "order-7",
      span_id: id,
      parent_id: parent,
      name: "x",
      start: "2023-11-14T22:13:20Z",
      duration_ms: 1,
    });
    const { spans, notes } = read(json([record("root", null), record("child", "root")]));
    const [one, other] = spans.toSorted((a) => (a.parentSpanId === undefined ? -1 : 1));
    expect(other?.parentSpanId).toBe(one?.spanId);
    expect(notes.join()).toMatch(/replaced by a hash/);
  });

  it("leaves records of logs with ids of spans to the readers of logs", () => {
    const record = {
      level: "info",
      msg: "served",
      trace_id: traceId,
      span_id: "b7ad6b7169203331",
      time: start,
      duration_ms: 3,
      name: "x",
    };
    expect(
      readEvidence([{ name: "x", bytes: new TextEncoder().encode(json(record)) }]).evidence[0]
        ?.content.kind,
    ).toBe("logs");
  });
});

describe.skipIf(!existsSync(bench))(
  "traces of recorded incidents (skipped where ../shared/data is absent)",
  () => {
    it.each([
      ["checkout-latency-n-plus-one", 50],
      ["dns-resolver-degradation", 6],
      ["traffic-surge-flash-sale", 8],
    ])("are read: %s", (incident, count) => {
      expect(read(readFileSync(`${bench}${incident}/traces.json`, "utf8")).spans).toHaveLength(
        count,
      );
    });
  },
);
