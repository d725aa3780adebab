/** Elastic APM: lines of agents, documents of a search, and spans that stand for many. */

import { describe, expect, it } from "vitest";
import { checkSnapshot } from "../../check.ts";
import { snapshotOf } from "../../index.ts";
import { readEvidence } from "../read-evidence.ts";
import { readElastic, recogniseElastic } from "./elastic.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const startMicros = 1_700_000_000_000_000;
const metadata = {
  metadata: {
    service: { name: "shop", agent: { name: "java", version: "1" }, environment: "prod" },
  },
};
const transaction = {
  transaction: {
    id: "b7ad6b7169203331",
    trace_id: traceId,
    name: "GET /orders",
    type: "request",
    duration: 420.5,
    timestamp: startMicros,
    outcome: "success",
    context: { request: { method: "GET" }, response: { status_code: 200 } },
  },
};

function query(more: Record<string, unknown> = {}): { span: Record<string, unknown> } {
  return {
    span: {
      id: "00f067aa0ba902b7",
      trace_id: traceId,
      parent_id: "b7ad6b7169203331",
      name: "SELECT FROM order_items",
      type: "db",
      subtype: "postgresql",
      action: "query",
      duration: 380,
      timestamp: startMicros + 10_000,
      context: { db: { statement: "SELECT * FROM order_items WHERE order_id = 17", type: "sql" } },
      ...more,
    },
  };
}

const lines = (...values: readonly unknown[]): string =>
  values.map((value) => JSON.stringify(value)).join("\n");

function verdictsOf(text: string): string[] {
  const { evidence, unreadable } = readEvidence([
    { name: "apm.ndjson", bytes: new TextEncoder().encode(text) },
  ]);
  expect(unreadable).toEqual([]);
  return checkSnapshot(snapshotOf(evidence))
    .filter(({ contract }) => contract === "fan-out/repeated-query")
    .map(({ verdict, title }) => `${verdict}: ${title}`);
}

describe("lines of an agent", () => {
  it("are spans of the service that the metadata names", () => {
    const { spans = [] } = readElastic(lines(metadata, transaction, query()));
    expect(
      spans.map(({ name, kind, service, status }) => [name, kind, service, status.code]),
    ).toEqual([
      ["GET /orders", "server", "shop", "ok"],
      ["SELECT FROM order_items", "client", "shop", "unset"],
    ]);
    expect(spans[1]).toMatchObject({
      parentSpanId: "b7ad6b7169203331",
      startMicros: startMicros + 10_000,
      durationNanos: 380_000_000,
      attributes: { "db.system": "postgresql" },
    });
  });

  it("tell calls apart again that were put together because they were the same", () => {
    const composite = { count: 40, sum: 360, compression_strategy: "exact_match" };
    const text = lines(metadata, transaction, query({ composite }));
    const { spans = [], notes } = readElastic(text);
    expect(spans).toHaveLength(41);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(41);
    expect(notes.join(" ")).toContain("told apart again");
    const [finding = ""] = verdictsOf(text);
    expect(finding).toMatch(/^violated: .* 40 times/);
    expect(finding).not.toContain("same values");
  });

  it("stay together where they stand for more calls than a file may hold", () => {
    const composite = { count: 1e9, sum: 360, compression_strategy: "exact_match" };
    const many = Array.from({ length: 30 }, (_, index) => query({ id: `${index + 1}`, composite }));
    const { spans = [], notes } = readElastic(lines(metadata, transaction, ...many));
    expect(spans).toHaveLength(1 + 20 * 10_000 + 10);
    expect(notes.join(" ")).toContain("the others are one span each");
  });

  it.each([
    ["a conversation", { metadata: { service: "chat", agent: "planner" }, messages: [] }],
    ["an order", { transaction: { transaction_id: "t1", amount: 5 }, level: "info" }],
    ["a payment", { transaction: { transaction_id: "t1", amount: 5 } }],
  ])("are not taken for what %s is", (_, value) => {
    expect(recogniseElastic(lines(value))).toBe(false);
  });

  it("leave calls of one kind together, since nothing tells what each was", () => {
    const composite = { count: 40, sum: 360, compression_strategy: "same_kind" };
    const text = lines(metadata, transaction, query({ name: "Calls to postgresql", composite }));
    expect(readElastic(text).spans).toHaveLength(2);
    expect(verdictsOf(text).filter((verdict) => verdict.startsWith("violated"))).toEqual([]);
  });
});

describe("documents of a search", () => {
  const document = {
    "@timestamp": "2023-11-14T22:13:20.010Z",
    processor: { event: "span", name: "transaction" },
    trace: { id: traceId },
    parent: { id: "b7ad6b7169203331" },
    service: { name: "shop", environment: "prod" },
    timestamp: { us: startMicros + 10_000 },
    event: { outcome: "success" },
    span: {
      id: "00f067aa0ba902b7",
      name: "SELECT FROM order_items",
      type: "db",
      subtype: "postgresql",
      duration: { us: 360_000 },
      composite: { count: 20, sum: { us: 340_000 }, compression_strategy: "exact_match" },
      db: { statement: "SELECT * FROM order_items WHERE order_id = ?" },
    },
  };

  it("are read from its answer, with nested and with flat fields", () => {
    const flat = {
      "processor.event": "transaction",
      "trace.id": [traceId],
      "transaction.id": ["b7ad6b7169203331"],
      "transaction.name": ["GET /orders"],
      "transaction.type": ["request"],
      "transaction.duration.us": [420_500],
      "timestamp.us": [startMicros],
      "service.name": ["shop"],
    };
    const answer = JSON.stringify({ hits: { hits: [{ _source: document }, { _source: flat }] } });
    const { spans = [] } = readElastic(answer);
    expect(spans).toHaveLength(21);
    expect(spans[0]).toMatchObject({ service: "shop", status: { code: "ok" }, kind: "client" });
    expect(spans.at(-1)).toMatchObject({ name: "GET /orders", kind: "server", service: "shop" });
    expect(verdictsOf(answer)[0]).toMatch(/^violated/);
  });

  it("say what is missing where there is no span among them", () => {
    expect(() => readElastic(lines(metadata))).toThrow("holds no spans of Elastic APM");
  });
});
