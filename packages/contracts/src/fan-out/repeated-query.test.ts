import { describe, expect, it } from "vitest";

import { repeatedQuery } from "./repeated-query.ts";
import {
  get,
  graphqlOrders,
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "./trace-builder.ts";

const check = (...trees: readonly SpanTree[]) =>
  repeatedQuery.check(snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1))));

describe("fan-out/repeated-query on lists that are loaded item by item", () => {
  it("names resolver, statement, count and time of a GraphQL list", () => {
    const [finding, ...others] = check(graphqlOrders(20, "one-by-one"));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "resolver", name: "orders query Orders orders.*.customer" },
      measures: {
        statement: "select * from customers where id = ?",
        countMax: 20,
        listLengthMax: 20,
        sumMillis: 20,
        basis: "list-items",
      },
    });
  });

  it("shows that the count grows with the list when two lists of different length are there", () => {
    const [finding] = check(graphqlOrders(8, "one-by-one"), graphqlOrders(40, "one-by-one"));
    expect(finding).toMatchObject({
      verdict: "violated",
      measures: { basis: "growth", callsPerItem: 1, determination: 1, traceCount: 2 },
    });
    expect(finding?.actual).toContain("8 calls at 8 items, 40 at 40");
  });

  it("holds for the same subject when the list is loaded by one batch", () => {
    expect(check(graphqlOrders(20, "batched"))).toMatchObject([
      {
        verdict: "holds",
        subject: { kind: "resolver", name: "orders query Orders orders.*.customer" },
        measures: { countMax: 1, listLengthMax: 20 },
      },
    ]);
  });

  it("is inconclusive for lists that are too short", () => {
    const [finding] = check(graphqlOrders(1, "one-by-one"));
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.missing).toHaveLength(1);
  });

  it("finds statements of a handler that run at once", () => {
    const queries = times(12, () =>
      sql("SELECT * FROM items WHERE order_id = $1", { at: 100, durationMicros: 900 }),
    );
    expect(check(request("/orders", queries))).toMatchObject([
      {
        verdict: "violated",
        subject: { kind: "handler", name: "orders GET /orders" },
        measures: { countMax: 12, isParallel: true, unionMillis: 0.9, sumMillis: 10.8 },
      },
    ]);
  });

  it("finds calls of another service by path template", () => {
    const calls = times(7, (index) => get(`http://users:8080/users/${100 + index}`));
    expect(check(request("/orders", calls))).toMatchObject([
      { verdict: "violated", measures: { statement: "GET users:8080/users/{id}", countMax: 7 } },
    ]);
  });
});

describe("fan-out/repeated-query on what is no loop over a list", () => {
  it("says nothing about a fixed small number of statements", () => {
    expect(
      check(
        request(
          "/orders",
          times(4, () => sql("SELECT 1 FROM a WHERE id = $1")),
        ),
      ),
    ).toEqual([]);
  });
});
