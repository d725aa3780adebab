import { describe, expect, it } from "vitest";

import type { Span } from "../../model/span.ts";
import { repeatedQuery } from "../../fan-out/repeated-query/repeated-query.ts";
import { snapshotOf } from "../../snapshot/create-snapshot.ts";
import { readEvidence } from "../read-evidence.ts";

const traceId = "5b8aa5a2d2c872e8321cf37308d69df2";
const root = "051581bf3cb55c13";
const begin = 1_700_000_000;
const id = (number: number): string => `00000000000000${(0x10 + number).toString(16)}`;

const span = (number: number, fields: object): object => ({
  span_id: id(number),
  parent_span_id: root,
  trace_id: traceId,
  op: "db",
  description: 'SELECT "author"."name" FROM "author" WHERE "author"."id" = %s',
  start_timestamp: begin + 0.1 * number,
  timestamp: begin + 0.1 * number + 0.05,
  exclusive_time: 50,
  ...fields,
});
const event = (spans: readonly object[], fields: object = {}): object => ({
  event_id: "9fac2ceed9344f2bbfdd1fdacb0ed9b1",
  type: "transaction",
  transaction: "/books/",
  project: 7,
  environment: "production",
  contexts: { trace: { trace_id: traceId, span_id: root, op: "http.server", status: "ok" } },
  start_timestamp: begin,
  timestamp: "2023-11-14T22:13:22Z",
  spans,
  ...fields,
});

function read(text: string): { spans: readonly Span[]; format: string | undefined } {
  const { evidence, unreadable } = readEvidence([
    { name: "x.json", bytes: new TextEncoder().encode(text) },
  ]);
  expect(unreadable).toEqual([]);
  const spans = evidence.flatMap(({ content }) => (content.kind === "trace" ? content.spans : []));
  return { spans, format: evidence[0]?.source.format };
}

describe("events of Sentry", () => {
  it("are read with the transaction as the root of its spans", () => {
    const { spans, format } = read(JSON.stringify(event([span(1, {})])));
    expect(format).toBe("sentry-event");
    expect(spans).toMatchObject([
      {
        traceId,
        spanId: root,
        name: "/books/",
        kind: "server",
        service: "project 7",
        startMicros: begin * 1e6,
        durationNanos: 2e9,
        status: { code: "ok" },
        resource: { "deployment.environment.name": "production" },
      },
      { spanId: id(1), parentSpanId: root, kind: "client", attributes: { "sentry.op": "db" } },
    ]);
  });

  it("are read from envelopes, from lines, and from the entries that the API gives", () => {
    const plain = read(JSON.stringify(event([span(1, {})]))).spans;
    const envelope = [
      { event_id: "9fac2ceed9344f2bbfdd1fdacb0ed9b1", sent_at: "2023-11-14T22:13:23Z" },
      { type: "transaction", content_type: "application/json" },
      event([span(1, {})]),
    ];
    expect(read(envelope.map((line) => JSON.stringify(line)).join("\n")).spans).toEqual(plain);
    const entries = [{ type: "spans", data: [span(1, {})] }];
    expect(read(JSON.stringify(event([], { spans: undefined, entries }))).spans).toEqual(plain);
  });

  it("keep their spans in the trace of the transaction, whatever trace these name", () => {
    const { spans } = read(JSON.stringify(event([span(1, { trace_id: "ab".repeat(16) })])));
    expect(new Set(spans.map((item) => item.traceId))).toEqual(new Set([traceId]));
  });

  it("keep their spans below the transaction where these know it by another id", () => {
    const other = "6469f430775454da";
    const { spans } = read(
      JSON.stringify(
        event([
          span(1, { parent_span_id: other }),
          span(2, { parent_span_id: id(1) }),
          span(3, { parent_span_id: other }),
        ]),
      ),
    );
    expect(spans.map(({ parentSpanId }) => parentSpanId)).toEqual([undefined, root, id(1), root]);
    const dropped = [span(1, {}), span(2, { parent_span_id: other })];
    expect(read(JSON.stringify(event(dropped))).spans[2]?.parentSpanId).toBe(other);
  });

  it("fail where a call was refused, and where a server broke, but not where it refused", () => {
    const spans = [
      span(1, { op: "http.client", description: "GET /a", status: "not_found" }),
      span(2, { op: "http.server", description: "/a", status: "not_found" }),
      span(3, { op: "http.server", description: "/a", status: "internal_error" }),
      span(4, { op: "default", status: "cancelled" }),
    ];
    const codes = read(JSON.stringify(event(spans))).spans.map(({ status }) => status.code);
    expect(codes).toEqual(["ok", "error", "unset", "error", "unset"]);
  });

  it("are read as spans that were sent on their own", () => {
    const sent = {
      items: [
        {
          trace_id: traceId,
          span_id: root,
          name: "GET /books/",
          is_segment: true,
          status: "ok",
          start_timestamp: begin,
          end_timestamp: begin + 1,
          attributes: {
            "sentry.op": { type: "string", value: "http.server" },
            "service.name": { type: "string", value: "shop" },
          },
        },
      ],
    };
    expect(read(JSON.stringify(sent)).spans).toMatchObject([
      { spanId: root, name: "GET /books/", kind: "server", service: "shop", durationNanos: 1e9 },
    ]);
  });

  it("show a loop with exactly its calls", () => {
    const before = span(1, { description: 'SELECT "book"."id" FROM "book" LIMIT 10' });
    const connect = span(2, { description: "connect" });
    const loop = [3, 4, 5, 6, 7, 8].map((number) => span(number, {}));
    const text = JSON.stringify(event([before, connect, ...loop]));
    const { evidence } = readEvidence([{ name: "x", bytes: new TextEncoder().encode(text) }]);
    const [finding] = repeatedQuery.check(snapshotOf(evidence));
    expect(finding?.verdict).toBe("violated");
    expect(finding?.evidence.map(({ locator }) => locator)).toEqual([3, 4, 5, 6, 7, 8].map(id));
  });
});
