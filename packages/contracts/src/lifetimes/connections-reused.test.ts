import { describe, expect, it } from "vitest";

import type { EvidenceContent, MetricSeries } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import type { Attributes, Span } from "../model/span.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import {
  get,
  request,
  snapshotOfSpans,
  type SpanTree,
  spansOf,
  sql,
} from "../traces/trace-builder.ts";
import { connectionsReused } from "./connections-reused.ts";

const pgConnect: SpanTree = {
  name: "pg.connect",
  kind: "client",
  attributes: { "db.system.name": "postgresql" },
  durationMicros: 8_000,
};

/** Requests that follow one another after so many milliseconds. */
function requests(
  count: number,
  gapMillis: number,
  children: (index: number) => readonly SpanTree[],
): Span[][] {
  return Array.from({ length: count }, (_item, index) => {
    const spans = spansOf(request("/orders", children(index)), index + 1);
    const [root] = spans;
    const shift = 1_700_000_000_000_000 + index * gapMillis * 1_000 - (root?.startMicros ?? 0);
    return spans.map((span) => ({
      ...span,
      startMicros: span.startMicros + shift,
    }));
  });
}

const ranBy = (traces: readonly Span[][], resourceOf: (index: number) => Attributes): Span[][] =>
  traces.map((spans, index) => spans.map((span) => ({ ...span, resource: resourceOf(index) })));

const check = (traces: readonly Span[][]): Finding[] =>
  connectionsReused.check(snapshotOfSpans(...traces));

describe("connections in traces", () => {
  it("are violated where each request opens one although one was closed just before", () => {
    const [finding, ...others] = check(
      requests(30, 100, () => [
        pgConnect,
        sql("SELECT name FROM items WHERE id = $1"),
        sql("SELECT total FROM carts WHERE id = $1"),
      ]),
    );
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { name: "orders → postgresql" },
      measures: { useCount: 30, openedCount: 30, avoidableCount: 29 },
    });
    expect(finding?.evidence[0]?.quote).toContain("pg.connect");
  });

  it("are violated where the client of HTTP says so of each", () => {
    const call = (isReused: boolean): SpanTree =>
      get("http://stock/items", {
        children: [{ name: "http.getconn", attributes: { "http.conn.reused": isReused } }],
      });
    expect(check(requests(30, 50, () => [call(false)]))).toMatchObject([
      { verdict: "violated", subject: { name: "orders → stock" } },
    ]);
    expect(check(requests(30, 50, (index) => [call(index > 0)]))).toMatchObject([
      { verdict: "holds" },
    ]);
  });

  it("hold where a pool opens a few at first, also beside one another", () => {
    const traces = requests(60, 5, (index) => [
      { name: "pg-pool.connect", children: index < 6 ? [pgConnect] : [] },
      sql("SELECT name FROM items WHERE id = $1", { durationMicros: 20_000 }),
    ]);
    expect(check(traces)).toMatchObject([{ verdict: "holds" }]);
  });

  it("say nothing of a pool that is only asked, nor of a client that connects once", () => {
    const taking = requests(40, 50, () => [
      { name: "pg-pool.connect" },
      sql("SELECT name FROM items WHERE id = $1"),
    ]);
    expect(check(taking)).toEqual([]);
    const once = requests(10, 50, (index) => [
      ...(index === 0 ? [pgConnect] : []),
      sql("SELECT name FROM items WHERE id = $1"),
    ]);
    expect(check(once)).toEqual([]);
  });

  it("are inconclusive where calls are rarer than idle connections live, or a process ends with its request", () => {
    const opening = (): readonly SpanTree[] => [
      pgConnect,
      sql("SELECT name FROM items WHERE id = $1"),
    ];
    expect(check(requests(30, 60_000, opening))).toMatchObject([{ verdict: "inconclusive" }]);
    const inFunctions = ranBy(requests(30, 50, opening), () => ({ "faas.name": "orders" }));
    expect(check(inFunctions)).toMatchObject([{ verdict: "inconclusive" }]);
  });

  it("are not judged across processes: each has a pool of its own", () => {
    const traces = ranBy(
      requests(40, 100, () => [pgConnect, sql("SELECT name FROM items WHERE id = $1")]),
      (index) => ({ "service.instance.id": `job-${index}` }),
    );
    expect(check(traces).map(({ verdict }) => verdict)).not.toContain("violated");
  });

  it("get the same verdict in another order and beside other traces", () => {
    const traces = requests(30, 100, () => [
      pgConnect,
      sql("SELECT name FROM items WHERE id = $1"),
    ]);
    const others = spansOf(request("/health", [], "other"), 900);
    const verdicts = (list: readonly Span[][]): unknown =>
      check(list).map(({ verdict, measures }) => ({ verdict, measures }));
    expect(verdicts([others, ...traces].toReversed())).toEqual(verdicts(traces));
  });
});

function counter(name: string, values: readonly number[], labels = {}): MetricSeries {
  return {
    name,
    labels: { service: "shop", ...labels },
    type: "counter",
    timesMicros: values.map((_value, index) => 1_700_000_000_000_000 + index * 15_000_000),
    values: [...values],
  };
}

function checkSeries(...series: MetricSeries[]): Finding[] {
  const content: EvidenceContent = { kind: "metrics", series };
  const source = { name: "x", format: "x", notes: [] };
  return connectionsReused.check(createSnapshot([{ source, content }]));
}

const rising = (step: number): number[] => Array.from({ length: 40 }, (_item, at) => 7 + at * step);

describe("counters of connections", () => {
  it("are violated where they rise with the requests, and hold where they do not", () => {
    const used = counter("db_client_connection_use_time_seconds_count", rising(100));
    expect(
      checkSeries(counter("db_client_connection_create_time_seconds_count", rising(98)), used),
    ).toMatchObject([{ verdict: "violated" }]);
    expect(
      checkSeries(counter("db_client_connection_create_time_seconds_count", rising(0)), used),
    ).toMatchObject([{ verdict: "holds" }]);
  });

  it("sum what is asked, and tell peers apart", () => {
    const labels = { "server.address": "stock" };
    const findings = checkSeries(
      counter("http_client_connection_duration_seconds_count", rising(60), labels),
      counter("http_client_request_duration_seconds_count", rising(30), { ...labels, code: "200" }),
      counter("http_client_request_duration_seconds_count", rising(30), { ...labels, code: "404" }),
      counter("http_client_request_duration_seconds_count", rising(900), {
        "server.address": "else",
      }),
    );
    expect(findings).toMatchObject([{ verdict: "violated" }]);
  });

  it("of a database do not tell who opens, and a pool that is filled is none of it", () => {
    expect(
      checkSeries(
        counter("redis_connections_received_total", rising(100)),
        counter("redis_commands_processed_total", rising(400)),
      ),
    ).toMatchObject([{ verdict: "inconclusive" }]);
    const filled = Array.from({ length: 40 }, (_item, at) => Math.min(400, at * 40));
    expect(
      checkSeries(
        counter("hikaricp_connections_creation_seconds_count", filled),
        counter("hikaricp_connections_usage_seconds_count", rising(40)),
      ).map(({ verdict }) => verdict),
    ).not.toContain("violated");
  });
});
