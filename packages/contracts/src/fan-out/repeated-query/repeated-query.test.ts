import { describe, expect, it } from "vitest";

import { repeatedQuery } from "./repeated-query.ts";
import {
  get,
  graphqlOrders,
  request,
  resolver,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "../../traces/trace-builder.ts";

const check = (...trees: readonly SpanTree[]) =>
  repeatedQuery.check(snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1))));
const customer = (more: Partial<SpanTree> = {}): SpanTree =>
  sql("SELECT * FROM customers WHERE id = $1", more);

describe("fan-out/repeated-query on GraphQL lists", () => {
  it("names resolver, statement, count and time", () => {
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
    expect(new Set(finding?.evidence.map((reference) => reference.locator)).size).toBe(20);
    expect(finding?.evidence[0]?.quote).toContain("SELECT * FROM customers WHERE id = $1");
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

  it("sees the repetition when pool and driver spans lie between resolver and statement", () => {
    const pooled = (index: number): SpanTree =>
      resolver(`orders.${index}.customer`, [
        {
          name: "pg-pool.connect",
          kind: "client",
          attributes: { "db.system": "postgresql" },
          children: [
            { name: "tcp.connect" },
            { name: "pg.connect", kind: "client", attributes: { "db.system": "postgresql" } },
            customer(),
          ],
        },
      ]);
    expect(check(request("/graphql", [resolver("orders", times(9, pooled))]))).toMatchObject([
      {
        verdict: "violated",
        subject: { name: "orders GET /graphql orders.*.customer" },
        measures: { countMax: 9 },
      },
    ]);
  });

  it("counts lists within lists as one, and names the inner path", () => {
    const product = (order: number, item: number): SpanTree =>
      resolver(`orders.${order}.items.${item}.product`, [
        sql("SELECT * FROM products WHERE id = $1"),
      ]);
    const tree = request("/graphql", [
      resolver(
        "orders",
        times(4, (order) =>
          resolver(
            `orders.${order}.items`,
            times(3, (item) => product(order, item)),
          ),
        ),
      ),
    ]);
    expect(check(tree)).toMatchObject([
      {
        verdict: "violated",
        subject: { name: "orders GET /graphql orders.*.items.*.product" },
        measures: { countMax: 12, listLengthMax: 12 },
      },
    ]);
  });

  it.each([
    ["graphql.path", "/orders[3]/customer"],
    ["graphql.selection.path", "orders[3].customer"],
    ["graphql.resolver.path", "orders.3.customer"],
  ])("reads the path from %s as %s", (name, path) => {
    const tree = request(
      "/graphql",
      times(6, (index) => ({
        name: "resolve",
        attributes: { [name]: path.replace("3", String(index)) },
        children: [customer()],
      })),
    );
    expect(check(tree)).toMatchObject([
      { verdict: "violated", subject: { name: "orders GET /graphql orders.*.customer" } },
    ]);
  });

  it("flags batches that each item makes for itself", () => {
    const tags = (index: number): SpanTree =>
      resolver(`posts.${index}.tags`, [sql("SELECT * FROM tags WHERE id = ANY($1)")]);
    expect(check(request("/graphql", times(7, tags)))).toMatchObject([
      { verdict: "violated", measures: { basis: "list-items", countMax: 7 } },
    ]);
  });
});

describe("fan-out/repeated-query on handlers", () => {
  it("finds statements that run at once, and tells union from sum", () => {
    const queries = times(12, () => customer({ at: 100, durationMicros: 900 }));
    expect(check(request("/orders", queries))).toMatchObject([
      {
        verdict: "violated",
        subject: { kind: "handler", name: "orders GET /orders" },
        measures: { countMax: 12, isParallel: true, unionMillis: 0.9, sumMillis: 10.8 },
      },
    ]);
  });

  it("finds statements with literals, and in the old conventions", () => {
    const queries = times(6, (index) => ({
      name: "query",
      kind: "client" as const,
      attributes: {
        "db.system": "mysql",
        "db.statement": `SELECT * FROM c WHERE mail = "u${index}"`,
      },
    }));
    expect(check(request("/orders", queries))).toMatchObject([
      { verdict: "violated", measures: { statement: "select * from c where mail = ?" } },
    ]);
  });

  it("finds statements below functions that are called once per item", () => {
    const load = (index: number): SpanTree => ({
      name: `loadCustomer ${index}`,
      children: [customer()],
    });
    expect(check(request("/orders", times(8, load)))).toMatchObject([
      { verdict: "violated", measures: { countMax: 8 } },
    ]);
  });

  it("takes the rows of the query before as the list", () => {
    const list = sql("SELECT * FROM orders", { attributes: { "db.response.returned_rows": 10 } });
    expect(check(request("/orders", [list, ...times(10, () => customer())]))).toMatchObject([
      { verdict: "violated", measures: { basis: "list-rows", listLengthMax: 10 } },
    ]);
  });

  it("holds when the rows are joined by one statement", () => {
    const list = sql("SELECT * FROM orders", { attributes: { "db.response.returned_rows": 10 } });
    const batch = sql("SELECT * FROM customers WHERE id = ANY($1)");
    expect(check(request("/orders", [list, batch]))).toMatchObject([
      { verdict: "holds", subject: { kind: "handler", name: "orders GET /orders" } },
    ]);
  });

  it("judges each statement of a loop for itself", () => {
    const body = times(6, () => [
      customer(),
      sql("SELECT * FROM items WHERE order_id = $1"),
    ]).flat();
    expect(check(request("/orders", body)).map((finding) => finding.measures["statement"])).toEqual(
      ["select * from customers where id = ?", "select * from items where order_id = ?"],
    );
  });

  it("finds documents and named operations of other stores", () => {
    const find = (index: number): SpanTree =>
      sql(`{"find":"users","filter":{"_id":"u${index}"}}`, {
        attributes: {
          "db.system.name": "mongodb",
          "db.collection.name": "users",
          "db.operation.name": "find",
        },
      });
    const item = (): SpanTree => ({
      name: "DynamoDB.GetItem",
      kind: "client",
      attributes: {
        "db.system": "dynamodb",
        "rpc.method": "GetItem",
        "aws.dynamodb.table_names": ["users"],
      },
    });
    expect(check(request("/a", times(6, find)), request("/b", times(6, item)))).toMatchObject([
      { verdict: "violated", measures: { countMax: 6 } },
      { verdict: "violated", measures: { statement: "getitem users" } },
    ]);
  });
});

describe("fan-out/repeated-query on calls of services", () => {
  it("finds calls by path template", () => {
    const calls = times(7, (index) => get(`http://users:8080/users/${100 + index}`));
    expect(check(request("/orders", calls))).toMatchObject([
      { verdict: "violated", measures: { statement: "GET users:8080/users/{id}", countMax: 7 } },
    ]);
  });

  it("names the caller, not the callee that does its part once per call", () => {
    const call = (index: number): SpanTree =>
      get(`http://users/users/${index}`, {
        children: [request("/users/{id}", [customer()], "users")],
      });
    expect(check(request("/orders", times(9, call)))).toMatchObject([
      { verdict: "violated", subject: { name: "orders GET /orders" }, measures: { countMax: 9 } },
    ]);
  });

  it("names both when the callee repeats a statement within each call", () => {
    const callee = request(
      "/users/{id}",
      times(6, () => customer()),
      "users",
    );
    const calls = times(5, (index) => get(`http://users/users/${index}`, { children: [callee] }));
    expect(check(request("/orders", calls)).map((finding) => finding.subject.name)).toEqual([
      "orders GET /orders",
      "users GET /users/{id}",
    ]);
  });

  it("knows replicas of one service as one", () => {
    const calls = times(8, (index) => get(`http://10.0.0.${index % 2}:80/users/${index}`));
    expect(check(request("/orders", calls))).toMatchObject([{ measures: { countMax: 8 } }]);
  });

  it("finds remote procedures, and calls that only the callee recorded", () => {
    const rpc = (): SpanTree => ({
      name: "Catalog/GetProduct",
      kind: "client",
      attributes: { "rpc.system": "grpc", "rpc.service": "Catalog", "rpc.method": "GetProduct" },
    });
    const served = (): SpanTree => ({ name: "GetProduct", kind: "server", service: "catalog" });
    expect(check(request("/a", times(5, rpc)), request("/b", times(5, served)))).toMatchObject([
      { verdict: "violated", measures: { statement: "Catalog/GetProduct" } },
      { verdict: "violated", measures: { statement: "catalog GetProduct" } },
    ]);
  });
});

describe("fan-out/repeated-query with other thresholds", () => {
  it("takes the smallest count as an option", () => {
    const tree = request(
      "/orders",
      times(3, () => customer()),
    );
    const snapshot = snapshotOfSpans(spansOf(tree));
    expect(repeatedQuery.check(snapshot)).toEqual([]);
    expect(repeatedQuery.with({ countMin: 3 }).check(snapshot)).toHaveLength(1);
  });
});

it("leaves out loops that take less time than the option asks for", () => {
  const list = snapshotOfSpans(
    spansOf(
      request(
        "/home",
        times(8, () => customer()),
      ),
    ),
  );
  const verdictOf = (totalMillisMin: number): unknown =>
    repeatedQuery.with({ totalMillisMin }).check(list)[0]?.verdict;
  expect([verdictOf(0), verdictOf(8), verdictOf(9)]).toEqual(["violated", "violated", undefined]);
});
