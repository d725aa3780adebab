/** Datadog's traces: as tracers send them, and as its API answers. */

import { describe, expect, it } from "vitest";
import { checkSnapshot } from "../../check.ts";
import { snapshotOf } from "../../index.ts";
import { readEvidence } from "../read-evidence.ts";
import { readDatadog } from "./datadog.ts";

const startNanos = 1_700_000_000_000_000_000;

function sent(index: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: "postgres.query",
    service: "shop-db",
    resource: `SELECT * FROM items WHERE id = ${index}`,
    trace_id: 8_448_924_731,
    span_id: 100 + index,
    parent_id: 1,
    type: "sql",
    error: 0,
    meta: { "span.kind": "client", "_dd.p.tid": "65f1e20000000000" },
    metrics: { "_dd.measured": 1 },
    start: startNanos + index * 10_000_000,
    duration: 6_000_000,
    ...more,
  };
}

const root = {
  ...sent(0),
  name: "express.request",
  service: "shop",
  resource: "GET /items",
  type: "web",
  span_id: 1,
  parent_id: 0,
  meta: { "span.kind": "server", "_dd.p.tid": "65f1e20000000000", "http.status_code": "200" },
  duration: 400_000_000,
};

describe("traces on their way to an agent", () => {
  it("have times in nanoseconds and ids as decimal numbers", () => {
    const { spans = [] } = readDatadog(JSON.stringify([[root, sent(1, { error: 1 })]]));
    expect(spans).toMatchObject([
      {
        traceId: "65f1e20000000000" + (8_448_924_731).toString(16).padStart(16, "0"),
        spanId: "0000000000000001",
        name: "express.request",
        kind: "server",
        service: "shop",
        startMicros: 1_700_000_000_000_000,
        durationNanos: 400_000_000,
      },
      {
        spanId: (101).toString(16).padStart(16, "0"),
        parentSpanId: "0000000000000001",
        kind: "client",
        status: { code: "error" },
        attributes: { "resource.name": "SELECT * FROM items WHERE id = 1", "span.type": "sql" },
      },
    ]);
    expect(spans[0]?.parentSpanId).toBeUndefined();
    expect(Object.keys(spans[0]?.attributes ?? {}).join()).not.toContain("_dd");
  });

  it("show what a handler asks one by one", () => {
    const queries = Array.from({ length: 20 }, (_, index) => sent(index + 1));
    const bytes = new TextEncoder().encode(JSON.stringify({ traces: [[root, ...queries]] }));
    const { evidence } = readEvidence([{ name: "traces.json", bytes }]);
    const found = checkSnapshot(snapshotOf(evidence));
    expect(found.filter(({ contract }) => contract === "fan-out/repeated-query")).toMatchObject([
      { verdict: "violated" },
    ]);
  });

  it("are of one trace where its first span alone tells the upper half of their id", () => {
    const query = { ...sent(1), meta: { "span.kind": "client" } };
    const { spans = [] } = readDatadog(JSON.stringify([[root, query], [query]]));
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  });

  it("have ids of their own where they are no numbers that can stand", () => {
    const text = JSON.stringify([[root, sent(1, { span_id: 7e77 })]]);
    expect(readDatadog(text.replace("7e+77", "1e999")).spans).toHaveLength(2);
  });

  it("may count their ids from zero, as tests write them", () => {
    const [first, second] = [0, 1].map((id) => ({ ...root, trace_id: id, meta: {}, span_id: 1 }));
    const { spans = [] } = readDatadog(JSON.stringify([[first], [second]]));
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(2);
  });
});

describe("answers of the API of spans", () => {
  it("have dates, and tags in lists of their own", () => {
    const attributes = {
      trace_id: "5623914378",
      span_id: "77",
      parent_id: "0",
      operation_name: "web.request",
      resource_name: "GET /items",
      service: "shop",
      type: "web",
      status: "error",
      start_timestamp: "2023-11-14T22:13:20.000Z",
      end_timestamp: "2023-11-14T22:13:20.250Z",
      custom: { http: { status_code: "503" } },
    };
    const text = JSON.stringify({ data: [{ id: "x", type: "spans", attributes }] });
    expect(readDatadog(text).spans).toMatchObject([
      {
        name: "web.request",
        kind: "server",
        service: "shop",
        durationNanos: 250_000_000,
        status: { code: "error" },
      },
    ]);
  });
});
