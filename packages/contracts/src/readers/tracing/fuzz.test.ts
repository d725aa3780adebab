import { it } from "vitest";

import { readWithAll, survivesAnyInput } from "../../../test/survives.ts";
import { tracingFormats } from "./formats.ts";

const time = 1_700_000_000_000_000;
const traceId = "0af7651916cd43dd8448eb211c80319c";
const endpoint = { serviceName: "web", ipv4: "10.0.0.1", port: 80 };

const seeds = [
  [
    [
      {
        name: "web.request",
        service: "web",
        resource: "GET /",
        type: "web",
        trace_id: 17,
        span_id: "b7ad",
        parent_id: 0,
        error: 1,
        start: time * 1e3,
        duration: 1e6,
        meta: { "span.kind": "server", "_dd.p.tid": "65f1e20000000000" },
        metrics: { a: 1 },
      },
    ],
  ],
  { data: [{ attributes: { span_id: "1", trace_id: "2", start_timestamp: "2023-11-14" } }] },
  { metadata: { service: { name: "web", agent: { name: "java", version: "1" } } } },
  { transaction: { id: "b", trace_id: "a1", type: "request", timestamp: time, duration: 1 } },
  {
    span: {
      id: "c",
      trace_id: "a1",
      parent_id: "b",
      name: "SELECT FROM t",
      type: "db.postgresql.query",
      timestamp: time,
      duration: 9,
      composite: { count: 4, sum: 8, compression_strategy: "exact_match" },
      context: { db: { statement: "SELECT 1 FROM t WHERE a = 'x'" }, http: { status_code: 200 } },
    },
  },
  {
    hits: {
      hits: [
        {
          _source: {
            processor: { event: "span" },
            trace: { id: "a1" },
            span: { id: "d", name: "x", "duration.us": [3] },
            "timestamp.us": [time],
          },
        },
      ],
    },
  },
  {
    data: [
      {
        name: "n",
        span_kind: "LLM",
        context: { trace_id: "a1", span_id: "b" },
        parent_id: null,
        start_time: "2023-11-14T22:13:20+00:00",
        end_time: null,
        status_code: "ERROR",
        "attributes.llm.tools": [{ "tool.json_schema": "{}" }],
        attributes: { llm: { input_messages: [{ "message.role": "user" }] } },
        events: [{ name: "e", timestamp: "2023-11-14T22:13:20Z", attributes: {} }],
      },
    ],
  },
  {
    id: "r",
    trace_id: "a1",
    parent_run_id: null,
    run_type: "tool",
    name: "f",
    start_time: "2023-11-14T22:13:20",
    end_time: null,
    inputs: { input: "{'a': 1}" },
    outputs: { output: { kwargs: { type: "tool", content: "x" } } },
    extra: { invocation_params: { tools: [{}] }, metadata: { a: 1 } },
    child_runs: [{ id: "s", run_type: "llm", start_time: 1, error: "e" }],
  },
  {
    trace: { id: "a1", projectId: "p", bookmarked: false },
    observations: [
      {
        id: "b",
        traceId: "a1",
        type: "GENERATION",
        parentObservationId: null,
        startTime: "2023-11-14T22:13:20Z",
        endTime: null,
        metadata: '{"attributes":{"a":1},"tools":["{}"]}',
        toolDefinitions: { f: "{}" },
        input: "[]",
        output: '{"role":"assistant"}',
      },
    ],
  },
  {
    event_id: "e",
    contexts: { trace: { trace_id: "a1", span_id: "b", op: "http.server", status: "ok" } },
    start_timestamp: time / 1e6,
    timestamp: "2023-11-14T22:13:22Z",
    entries: [{ type: "spans", data: [{ span_id: "c", op: "db", tags: {}, data: {} }] }],
    spans: [{ span_id: "c", op: "db", start_timestamp: time / 1e6, is_segment: false }],
    items: [{ trace_id: "a1", is_segment: true, attributes: { a: { type: "string", value: 1 } } }],
  },
  {
    data: [
      {
        traceID: "a1",
        spans: [
          {
            traceID: "a1",
            spanID: "b",
            operationName: "x",
            references: [{ refType: "CHILD_OF", traceID: "a1", spanID: "c" }],
            startTime: time,
            duration: 5,
            tags: [{ key: "error", type: "bool", value: "true" }],
            logs: [{ timestamp: time, fields: [{ key: "event", value: "e" }] }],
            processID: "p1",
          },
        ],
        processes: { p1: { serviceName: "s", tags: [] } },
      },
    ],
  },
  [
    {
      traceId: "a1",
      id: "b",
      parentId: "c",
      name: "n",
      kind: "CLIENT",
      timestamp: time,
      duration: 3,
      localEndpoint: endpoint,
      tags: { error: "x" },
      annotations: [{ timestamp: time, value: "v" }],
    },
  ],
  [
    {
      traceId: "a1",
      id: "b",
      name: "n",
      annotations: [{ timestamp: time, value: "sr", endpoint }],
      binaryAnnotations: [{ key: "k", value: "v", endpoint }],
    },
  ],
  {
    batches: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "s" } }] },
        instrumentationLibrarySpans: [
          {
            spans: [
              {
                traceId: "Cvd2RRbNQ92ESOshHIAxnA==",
                spanId: "t61rcWkgMzE=",
                name: "n",
                startTimeUnixNano: `${time}000`,
                kind: "SPAN_KIND_SERVER",
                status: { code: 2 },
              },
            ],
          },
        ],
      },
    ],
  },
  {
    name: "n",
    context: { trace_id: `0x${traceId}`, span_id: "0x1" },
    kind: "SpanKind.CLIENT",
    parent_id: null,
    start_time: "2023-11-14T22:13:20Z",
    end_time: "2023-11-14T22:13:21Z",
    status: { status_code: "OK" },
    attributes: { a: [1] },
    events: [],
    links: [],
    resource: { attributes: {} },
  },
  {
    Name: "n",
    SpanContext: { TraceID: traceId, SpanID: "1" },
    Parent: {},
    SpanKind: 2,
    StartTime: "2023-11-14T22:13:20Z",
    EndTime: "2023-11-14T22:13:21Z",
    Attributes: [{ Key: "k", Value: { Type: "STRING", Value: "v" } }],
    Status: { Code: "Error" },
    Resource: null,
  },
  {
    traceId,
    parentId: "2",
    id: "1",
    name: "n",
    kind: 2,
    timestamp: time,
    duration: 3,
    attributes: {},
    status: { code: 0 },
    events: [{ name: "e", time: [1_700_000_000, 1] }],
    links: [],
  },
  [
    {
      trace_id: "x",
      span_id: "a",
      parent_id: null,
      service: "s",
      name: "n",
      start: "2023-11-14T22:13:20Z",
      duration_ms: 3,
      status: "ERROR",
    },
  ],
].map((seed) => JSON.stringify(seed));
seeds.push(
  `x\n{\n  traceId: '${traceId}',\n  id: 'b7ad6b7169203331',\n  name: 'n',\n  timestamp: ${time},\n  duration: 1,\n  attributes: { a: [Object], 'b': 'c' +\n 'd' },\n  kind: 0\n}\n`,
);

it("ends in spans or in a named fault for any input", () => {
  survivesAnyInput(tracingFormats, seeds);
}, 60_000);

it.each([
  ["blocks that never end", "{\n".repeat(50_000)],
  ["quotes", `{\n${"'".repeat(100_000)}\n}`],
  ["an open quote", `{\na: '${"\\".repeat(100_000)}\n}`],
  ["pieces", `{\na: ${"'x' +\n".repeat(20_000)}'y'\n}`],
])(
  "does not hang on %s",
  (_, text) => {
    readWithAll(tracingFormats, new TextEncoder().encode(text));
  },
  60_000,
);
