import { describe, expect, it } from "vitest";

import { factsOf, traceVariants } from "../../test/metamorphic-traces.ts";
import type { EvidenceContent, MetricSeries } from "../model/evidence.ts";
import type { Span } from "../model/span.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import {
  get,
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "../traces/trace-builder.ts";
import { poolStarvation } from "./pool-starvation.ts";
import { poolExhaustionIn } from "./pool-words.ts";

const check = (...traces: readonly (readonly Span[])[]) =>
  poolStarvation.check(snapshotOfSpans(...traces));
const checkContents = (...contents: EvidenceContent[]) =>
  poolStarvation.check(
    createSnapshot(
      contents.map((content) => ({ source: { name: "t", format: "t", notes: [] }, content })),
    ),
  );

const acquire = (millisWaited: number, name = "pg-pool.connect"): SpanTree => ({
  name,
  kind: "client",
  durationMicros: millisWaited * 1_000,
  attributes: { "db.system.name": "postgresql" },
});
/** Requests that begin at the same time, each with these spans. */
function atOnce(count: number, children: (index: number) => readonly SpanTree[]): Span[][] {
  return times(count, (index) => {
    const spans = spansOf(request("/orders", children(index)), index + 1);
    return spans.map((span) => ({ ...span, startMicros: span.startMicros - index * 60_000_000 }));
  });
}
const query = sql("SELECT * FROM orders WHERE id = $1");
const series = (
  name: string,
  values: number[],
  labels: Record<string, string> = {},
): MetricSeries => ({
  name,
  labels: { service: "inventory", ...labels },
  type: "gauge",
  timesMicros: values.map((_, index) => 1_700_000_000_000_000 + index * 60_000_000),
  values,
});

describe("fan-out/pool-starvation in traces", () => {
  it("names exactly the long waits for a connection", () => {
    const traces = atOnce(6, (index) => [acquire(index < 4 ? 900 : 1), query]);
    const [finding, ...others] = check(...traces);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "connection-pool", name: "orders" },
      measures: { longWaitCount: 4, waitMillisMax: 900, acquireCount: 6 },
    });
    expect(new Set(finding?.evidence.map(({ locator }) => locator))).toEqual(
      new Set(traces.slice(0, 4).map((spans) => spans[1]?.spanId)),
    );
  });

  it.each(["HikariDataSource.getConnection", "sqlalchemy pool checkout", "pool.acquire"])(
    "knows a wait by the name %s",
    (name) => {
      expect(check(...atOnce(3, () => [acquire(500, name), query]))).toMatchObject([
        { verdict: "violated" },
      ]);
    },
  );

  it("names who holds a connection while it calls another service", () => {
    const holder = request("/checkout", [
      sql("BEGIN", { at: 10 }),
      sql("UPDATE stock SET n = n - 1 WHERE id = $1", { at: 2_000 }),
      get("http://payments/charge", { at: 4_000, durationMicros: 2_000_000 }),
      sql("COMMIT", { at: 2_010_000 }),
    ]);
    const spans = spansOf(holder, 77).map((span) => ({
      ...span,
      startMicros: span.startMicros - 76 * 60_000_000,
    }));
    const [finding] = check(spans, ...atOnce(4, () => [acquire(900), query]));
    expect(finding).toMatchObject({ measures: { holder: "GET /checkout" } });
    expect(finding?.actual).toContain("while it called GET payments/charge");
    expect(finding?.fixes[0]?.description).toContain("before the transaction begins");
  });

  it("takes the word of a driver that no connection was to be had, at its innermost span", () => {
    const message = "pool exhausted: context deadline exceeded";
    const spans = spansOf(
      request("/cart", [{ name: "Reserve", children: [{ name: "ReserveStock" }] }]),
    ).map((span) => ({ ...span, status: { code: "error" as const, message } }));
    const [finding] = check(spans);
    expect(finding).toMatchObject({ verdict: "violated", measures: { failureCount: 1 } });
    expect(finding?.evidence[0]).toMatchObject({ locator: spans[2]?.spanId, quote: message });
  });

  it("knows severe waits of one request, where the others that hold the connections are not seen", () => {
    const one = (count: number): Span[] =>
      spansOf(request("/report", times(count, () => [acquire(2_000), query]).flat()));
    expect(check(one(3))).toMatchObject([{ verdict: "violated", measures: { longWaitCount: 3 } }]);
    const [finding] = check(one(1));
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.missing).toHaveLength(1);
  });

  it("holds when many requests got a connection at once", () => {
    expect(check(...atOnce(25, () => [acquire(2), query]))).toMatchObject([{ verdict: "holds" }]);
  });

  it("does not take the opening of a connection for a wait", () => {
    const opening = {
      ...acquire(900),
      children: [{ name: "pg.connect", kind: "client" as const, durationMicros: 880_000 }],
    };
    expect(check(...atOnce(4, () => [opening, query]))).toEqual([]);
  });

  it("is silent about a few waits, one after another, and about spans without pools", () => {
    expect(check(...atOnce(2, () => [acquire(300), query]))).toEqual([]);
    expect(
      check(...times(5, (index) => spansOf(request("/o", [acquire(900)]), index + 1))),
    ).toEqual([]);
    expect(check(...atOnce(9, () => [query]))).toEqual([]);
  });
});

describe("fan-out/pool-starvation in metrics and logs", () => {
  it("sees a full pool for which requests wait, and that its size was changed", () => {
    const content: EvidenceContent = {
      kind: "metrics",
      series: [
        series("db_pool_max_conns", [50, 50, 10, 10]),
        series("db_pool_in_use", [14, 12, 10, 10]),
        series("db_pool_wait_seconds_p99", [0.01, 0.02, 9.8, 9.9]),
      ],
    };
    expect(checkContents(content)).toMatchObject([
      {
        verdict: "violated",
        causeKind: "configuration",
        subject: { kind: "connection-pool", name: "inventory" },
        measures: { sizeMin: 10, sizeMax: 50, fullCount: 2 },
      },
    ]);
  });

  it("reads the metrics of the semantic conventions", () => {
    const state = (value: string) => ({ "db.client.connection.state": value });
    const pool = (used: number[], pending: number[]): EvidenceContent => ({
      kind: "metrics",
      series: [
        series(
          "db.client.connection.max",
          used.map(() => 20),
        ),
        series("db.client.connection.count", used, state("used")),
        series(
          "db.client.connection.count",
          used.map(() => 20),
          state("idle"),
        ),
        series("db.client.connection.pending_requests", pending),
      ],
    });
    expect(checkContents(pool([20, 20, 20], [0, 7, 12]))).toMatchObject([{ verdict: "violated" }]);
    expect(checkContents(pool([20, 20, 20], [0, 0, 0]))).toEqual([]);
    expect(checkContents(pool([8, 11, 9], [0, 0, 0]))).toMatchObject([
      { verdict: "holds", measures: { usedMax: 11 } },
    ]);
  });

  it("is inconclusive about a full pool when nothing tells whether anybody waited", () => {
    const content: EvidenceContent = {
      kind: "metrics",
      series: [
        series("hikaricp_connections_max", [10, 10, 10]),
        series("hikaricp_connections_active", [10, 10, 10]),
      ],
    };
    const [finding] = checkContents(content);
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.missing).toHaveLength(1);
  });

  it("reads what services log", () => {
    const lines = [
      { text: "handled request", service: "inventory" },
      {
        text: "pgx pool: context deadline exceeded acquiring connection (pool exhausted)",
        service: "inventory",
      },
      { text: "worker pool saturated, request queued", service: "frontend" },
    ];
    expect(checkContents({ kind: "logs", lines })).toMatchObject([
      { verdict: "violated", subject: { name: "inventory" }, measures: { failureCount: 1 } },
    ]);
  });

  it.each([
    "QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00",
    "HikariPool-1 - Connection is not available, request timed out after 30000ms.",
    "Timed out fetching a new connection from the connection pool. More info: …",
    "FATAL: remaining connection slots are reserved for non-replication superuser connections",
    "FATAL: sorry, too many clients already",
    "The timeout period elapsed prior to obtaining a connection from the pool. This may have occurred because all pooled connections were in use and max pool size was reached.",
    "could not obtain a connection from the pool within 5.000 seconds",
    "WaitQueueTimeoutError: Timed out while checking out a connection from connection pool",
  ])("knows the words: %s", (text) => {
    expect(poolExhaustionIn(text)).toBe("certain");
  });

  it.each([
    "timeout exceeded when trying to connect",
    "Knex: Timeout acquiring a connection. The pool is probably full.",
  ])("is inconclusive about words that fit a database out of reach too: %s", (text) => {
    expect(checkContents({ kind: "logs", lines: [{ text, service: "a" }] })).toMatchObject([
      { verdict: "inconclusive" },
    ]);
  });

  it.each([
    "worker pool saturated, request queued",
    "thread pool exhausted",
    "ThreadPool is exhausted, rejecting task",
    "address pool exhausted",
    "connection refused",
    "connection reset by peer",
    "connection timed out",
    "starting connection pool with 10 connections",
    "HikariPool-1 - Connection is not available, request timed out after 30000ms (total=0, active=0, idle=0, waiting=4)",
  ])("does not know other troubles: %s", (text) => {
    expect(poolExhaustionIn(text)).toBeUndefined();
  });
});

describe("fan-out/pool-starvation finds the same when", () => {
  const traces = atOnce(6, (index) => [acquire(index < 4 ? 900 : 1), query]);
  for (const variant of traceVariants(traces)) {
    it(variant.name, () => {
      const plain = { snapshot: snapshotOfSpans(...traces), renames: variant.renames };
      expect(factsOf(poolStarvation, variant)).toEqual(factsOf(poolStarvation, plain));
    });
  }
});
