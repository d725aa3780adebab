import { describe, expect, it } from "vitest";

import { factsOf, traceVariants } from "../../test/metamorphic-traces.ts";
import {
  get,
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "../traces/trace-builder.ts";
import { repeatedSequence } from "./repeated-sequence.ts";

const check = (...trees: readonly SpanTree[]) =>
  repeatedSequence.check(snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1))));
const customer = (more: Partial<SpanTree> = {}): SpanTree =>
  sql("SELECT * FROM customers WHERE id = $1", more);
const address = (more: Partial<SpanTree> = {}): SpanTree =>
  sql("SELECT * FROM addresses WHERE customer_id = $1", more);
const orders = (rows: number): SpanTree =>
  sql("SELECT * FROM orders LIMIT 50", { attributes: { "db.response.returned_rows": rows } });
const locators = (finding: { evidence: { locator?: string | undefined }[] } | undefined) =>
  finding?.evidence.map((reference) => reference.locator);

describe("fan-out/repeated-sequence", () => {
  it("names the sequence, how often it ran and exactly its calls", () => {
    const spans = spansOf(
      request("/orders", [orders(6), ...times(6, () => [customer(), address()]).flat()]),
    );
    const [finding, ...others] = repeatedSequence.check(snapshotOfSpans(spans));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      boundary: "resolver-database",
      subject: { kind: "handler", name: "orders GET /orders" },
      measures: { repetitionCount: 6, patternLength: 2, callCount: 12, listLength: 6 },
    });
    expect(locators(finding)).toEqual(spans.slice(2).map((span) => span.spanId));
  });

  it("sees the sequence within functions of each item, and with calls of several kinds", () => {
    const item = (index: number): SpanTree => ({
      name: "enrich",
      children: [customer(), { name: "render", children: [get(`http://prices/prices/${index}`)] }],
    });
    expect(check(request("/orders", times(5, item)))).toMatchObject([
      { verdict: "violated", measures: { repetitionCount: 5, patternLength: 2 } },
    ]);
  });

  it("sees items that are worked on at once", () => {
    const item = (index: number): SpanTree => ({
      name: "enrich",
      at: 20 + index,
      durationMicros: 9_000,
      children: [customer({ at: 5, durationMicros: 2_000 }), address({ at: 2_100 })],
    });
    const late = (index: number): SpanTree => ({ ...item(index), at: 3_000 + index });
    expect(check(request("/orders", [...times(4, item), ...times(4, late)]))).toMatchObject([
      { verdict: "violated", measures: { repetitionCount: 8, callCount: 16 } },
    ]);
  });

  it("takes three repetitions for enough when they are slow, and not when they are fast", () => {
    const three = (durationMicros: number): SpanTree =>
      request(
        "/orders",
        times(3, () => [customer({ durationMicros }), address({ durationMicros })]).flat(),
      );
    expect(check(three(1_000))).toEqual([]);
    expect(check(three(30_000))).toMatchObject([{ verdict: "violated" }]);
  });

  it("reports all calls of a longer sequence, and only whole repetitions", () => {
    const item = [customer(), address(), sql("UPDATE totals SET n = $1 WHERE customer_id = $2")];
    const finding = check(
      request("/orders", [orders(5), ...times(5, () => item).flat(), customer(), orders(1)]),
    )[0];
    expect(finding).toMatchObject({ measures: { patternLength: 3, callCount: 15 } });
    expect(finding?.evidence).toHaveLength(15);
  });

  it("is inconclusive when the spans above the calls are missing", () => {
    const [, ...rest] = spansOf(request("/orders", times(5, () => [customer(), address()]).flat()));
    const [finding] = repeatedSequence.check(snapshotOfSpans(rest));
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.missing).toHaveLength(1);
  });

  it("is inconclusive about requests that may each be needed", () => {
    const post = (path: string): SpanTree =>
      get(`http://shop${path}`, { attributes: { "http.request.method": "POST" } });
    expect(
      check(request("/ship", times(5, () => [post("/label"), post("/pickup")]).flat())),
    ).toMatchObject([{ verdict: "inconclusive" }]);
  });
});

describe("fan-out/repeated-sequence is silent about", () => {
  const silent: Readonly<Record<string, SpanTree>> = {
    "one statement that is repeated alone": request(
      "/orders",
      times(9, () => customer()),
    ),
    "different statements, each once": request("/orders", [customer(), address(), orders(3)]),
    "two loops, one after the other": request("/orders", [
      ...times(4, () => customer()),
      ...times(4, () => address()),
    ]),
    "polling with long pauses": request(
      "/job",
      times(6, (index) => [
        customer({ at: index * 2_000_000 }),
        address({ at: index * 2_000_000 + 5_000 }),
      ]).flat(),
    ),
    "pages of a result that are written in batches": request(
      "/export",
      times(6, (index) => [
        sql(`SELECT * FROM events ORDER BY id LIMIT 500 OFFSET ${index * 500}`),
        sql("INSERT INTO archive VALUES ($1, $2), ($3, $4), ($5, $6)"),
      ]).flat(),
    ),
    "reads of a cache": request(
      "/orders",
      times(6, (index) => [
        sql(`GET user:${index}`, { attributes: { "db.system.name": "redis" } }),
        sql(`GET cart:${index}`, { attributes: { "db.system.name": "redis" } }),
      ]).flat(),
    ),
    "retries of failed calls": request(
      "/orders",
      times(6, () => [customer({ status: "error" }), address({ status: "error" })]).flat(),
    ),
  };
  for (const [name, tree] of Object.entries(silent)) {
    it(name, () => expect(check(tree)).toEqual([]));
  }
});

describe("fan-out/repeated-sequence finds the same when", () => {
  const traces = [
    spansOf(request("/orders", times(7, () => [customer(), address()]).flat())),
    spansOf(request("/orders", times(9, () => [customer(), address()]).flat()), 2),
    spansOf(request("/users", [customer(), orders(20)]), 3),
  ];
  for (const variant of traceVariants(traces)) {
    it(variant.name, () => {
      const plain = { snapshot: snapshotOfSpans(...traces), renames: variant.renames };
      expect(factsOf(repeatedSequence, variant)).toEqual(factsOf(repeatedSequence, plain));
    });
  }
});

it("says nothing about a worker that takes one thing after another from a queue", () => {
  const take = sql("SELECT * FROM jobs WHERE state = $1 LIMIT 1 FOR UPDATE SKIP LOCKED");
  const done = sql("UPDATE jobs SET state = $1 WHERE id = $2");
  expect(check(request("/work", times(8, () => [take, done]).flat()))).toEqual([]);
});
