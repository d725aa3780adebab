import { describe, expect, it } from "vitest";

import { factsOf, traceVariants } from "../../test/metamorphic-traces.ts";
import type { Span } from "../model/span.ts";
import {
  get,
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "../traces/trace-builder.ts";
import { boundedResult } from "./bounded-result.ts";

const check = (...trees: readonly SpanTree[]) =>
  boundedResult.check(snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1))));
const read = (statement: string, rows: number | undefined, durationMicros = 5_000): SpanTree =>
  sql(statement, {
    durationMicros,
    attributes: rows === undefined ? {} : { "db.response.returned_rows": rows },
  });
const events = (call: SpanTree): SpanTree => request("/events", [call]);

describe("fan-out/bounded-result", () => {
  it("names reads without a limit that brought many rows, and only those", () => {
    const spans = spansOf(
      request("/events", [
        read("SELECT * FROM events WHERE tenant_id = $1", 40_000),
        read("SELECT * FROM events WHERE tenant_id = $1", 12),
        read("SELECT * FROM users WHERE id = $1", 1),
      ]),
    );
    const [finding, ...others] = boundedResult.check(snapshotOfSpans(spans));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "result", name: "orders GET /events events" },
      measures: { rowCountMax: 40_000, readCountLarge: 1 },
    });
    expect(finding?.evidence.map(({ locator }) => locator)).toEqual([spans[1]?.spanId]);
  });

  it("sees that results grow over time, before they are large", () => {
    const grown = [40, 60, 90, 130, 190, 260].map((rows) =>
      events(read("SELECT * FROM events", rows)),
    );
    expect(check(...grown)).toMatchObject([
      { verdict: "violated", measures: { growingUnit: "rows", sizeMin: 40, sizeMax: 260, tau: 1 } },
    ]);
    const changing = [120, 60, 190, 40, 130, 90].map((rows) =>
      events(read("SELECT * FROM events", rows)),
    );
    expect(check(...changing)).toEqual([]);
  });

  it("sees answers of a list without pages that grow", () => {
    const list = (bytes: number, query = ""): SpanTree =>
      events(
        get(`http://store/events${query}`, { attributes: { "http.response.body.size": bytes } }),
      );
    const sizes = [50_000, 80_000, 120_000, 200_000, 300_000];
    expect(check(...sizes.map((bytes) => list(bytes)))).toMatchObject([
      { verdict: "violated", boundary: "service-service", measures: { growingUnit: "bytes" } },
    ]);
    expect(check(...sizes.map((bytes) => list(bytes, "?limit=50")))).toEqual([]);
  });

  it("is inconclusive about a slow read of a whole table without row counts", () => {
    const [finding] = check(events(read("SELECT id, kind FROM events", undefined, 400_000)));
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.missing).toEqual([
      "how many rows the statement returned (db.response.returned_rows)",
    ]);
  });

  it.each([
    "SELECT * FROM events WHERE tenant_id = $1 ORDER BY id LIMIT 100",
    "SELECT * FROM events ORDER BY id FETCH FIRST 100 ROWS ONLY",
    "SELECT TOP 100 * FROM events",
  ])("holds for the same subject once the read has a limit: %s", (statement) => {
    expect(check(events(read(statement, 100)))).toMatchObject([
      { verdict: "holds", subject: { name: "orders GET /events events" } },
    ]);
  });
});

describe("fan-out/bounded-result is silent about", () => {
  const job = (call: SpanTree): SpanTree => ({ name: "nightly export", children: [call] });
  const silent: Readonly<Record<string, SpanTree>> = {
    "small results": events(read("SELECT * FROM settings", 14)),
    aggregates: events(read("SELECT count(*) FROM events", 1, 400_000)),
    "reads by key": events(read("SELECT * FROM users WHERE id = $1", 1, 400_000)),
    "reads of a list of keys": events(read("SELECT * FROM users WHERE id IN ($1, $2, $3)", 3_000)),
    "fast reads without row counts": events(read("SELECT * FROM settings", undefined)),
    "jobs that read all there is": job(read("SELECT * FROM events", 900_000)),
    writes: events(read("INSERT INTO events SELECT * FROM staging", 90_000)),
    "failed reads": events({ ...read("SELECT * FROM events", 90_000), status: "error" }),
    "statements that are cut": events(read("SELECT * FROM events WHERE kind = $1 AND …", 90_000)),
  };
  for (const [name, tree] of Object.entries(silent)) {
    it(name, () => expect(check(tree)).toEqual([]));
  }
});

describe("fan-out/bounded-result finds the same when", () => {
  const traces: Span[][] = [
    spansOf(events(read("SELECT * FROM events", 5_000)), 50),
    ...times(6, (index) =>
      spansOf(request("/users", [read("SELECT * FROM users", 60 + 60 * index)]), index + 1),
    ),
    spansOf(request("/menu", [read("SELECT * FROM menu LIMIT 10", 10)]), 60),
  ];
  for (const variant of traceVariants(traces)) {
    it(variant.name, () => {
      const plain = { snapshot: snapshotOfSpans(...traces), renames: variant.renames };
      expect(factsOf(boundedResult, variant)).toEqual(factsOf(boundedResult, plain));
    });
  }
});
