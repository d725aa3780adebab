import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, it } from "vitest";

import type { Attributes, Span } from "../model/span.ts";
import { snapshotOfSpans, spansOf, type SpanTree } from "./trace-builder.ts";
import type { Call } from "./call.ts";
import { tracesOf } from "./trace.ts";
import { urlTarget } from "./url-template.ts";

/** The call that a span below a request records. */
function callOf(
  name: string,
  attributes: Attributes,
  kind: Span["kind"] = "client",
): Call | undefined {
  const tree: SpanTree = { name: "GET /", kind: "server", children: [{ name, kind, attributes }] };
  const [trace] = tracesOf(snapshotOfSpans(spansOf(tree)));
  return trace?.callOf(1);
}

const byId = "SELECT * FROM users WHERE id = 7";
const shape = "select * from users where id = ?";

describe("a statement is recognised as it is recorded by", () => {
  it.each<[string, string, Attributes, Span["kind"]?]>([
    [
      "the stable convention",
      "SELECT users",
      { "db.system.name": "postgresql", "db.query.text": byId },
    ],
    ["the old convention", "SELECT shop.users", { "db.system": "mysql", "db.statement": byId }],
    [
      "OpenTracing",
      "query",
      { "db.type": "sql", "db.instance": "shop", "db.statement": byId, component: "java-jdbc" },
      "unspecified",
    ],
    ["OpenCensus", "sql:query", { "sql.query": byId }],
    ["Sentry, in the span's name", byId, { "sentry.op": "db" }, "internal"],
    [
      "Sentry, in its description",
      "db",
      { "sentry.op": "db.sql.query", "sentry.description": byId },
      "internal",
    ],
    ["Sentry, by plain names", byId, { op: "db.query" }, "unspecified"],
    ["Datadog", "postgres.query", { "span.type": "sql", "resource.name": byId }],
    ["nobody but the span's name", byId, {}, "internal"],
  ])("%s", (_, ...recorded) => {
    expect(callOf(...recorded)).toMatchObject({
      kind: "database",
      shape,
      isRead: true,
      isKeyed: true,
    });
  });

  it("opens no connection", () => {
    expect(callOf("connect", { "db.system": "mysql", "db.statement": "connect" })).toBeUndefined();
    expect(
      callOf("db", { "sentry.op": "db", "sentry.description": "pg-pool.connect" }),
    ).toBeUndefined();
  });

  it("knows an operation that is described by its name alone", () => {
    const call = callOf("mongoose.users.findOne", { "sentry.op": "db" }, "internal");
    expect(call).toMatchObject({ kind: "database", shape: "findone mongoose.users" });
  });

  it("gives statements that differ in numbers one shape, and tables with numbers their own", () => {
    const shapes = [
      "SELECT a FROM t1 WHERE x = 10 AND y = -2.5",
      "SELECT a FROM t1 WHERE x = 99 AND y = -7.25",
      "SELECT a FROM t2 WHERE x = 10 AND y = -2.5",
    ].map((statement) => callOf("q", { "db.system": "mysql", "db.statement": statement })?.shape);
    expect(shapes[0]).toBe(shapes[1]);
    expect(shapes[2]).toBe("select a from t2 where x = ? and y = ?");
  });

  it.each(["connect", "pg-pool.connect", "HikariDataSource.getConnection"])(
    "takes %s for no call",
    (name) => {
      expect(callOf(name, { "db.system": "postgresql" })).toBeUndefined();
    },
  );
});

describe("a request is recognised as it is recorded by", () => {
  it.each<[string, string, Attributes, Span["kind"]?]>([
    [
      "the stable convention",
      "GET",
      { "http.request.method": "GET", "url.full": "http://users/users/7" },
    ],
    [
      "the old convention",
      "HTTP GET",
      { "http.method": "GET", "http.url": "http://users/users/7" },
    ],
    ["its parts", "GET", { "http.method": "GET", "http.target": "/users/7", "http.host": "users" }],
    [
      "a tag for its kind",
      "GET",
      {
        "span.kind": "client",
        "http.method": "GET",
        "http.url": "http://users/users/7",
        component: "net/http",
      },
      "unspecified",
    ],
    ["Sentry", "GET http://users/users/7", { "sentry.op": "http.client" }, "internal"],
    ["its name alone", "GET http://users/users/7", {}],
  ])("%s", (_, ...recorded) => {
    expect(callOf(...recorded)).toMatchObject({
      kind: "http",
      shape: "GET users/users/{id}",
      isRead: true,
    });
  });

  it("takes what a server recorded for no call of it", () => {
    const served = {
      "sentry.op": "http.server",
      "http.method": "GET",
      "http.url": "http://users/users/7",
    };
    expect(callOf("GET /users/7", served, "internal")).toBeUndefined();
    expect(
      callOf("GET /users/{id}", { ...served, "span.kind": "server" }, "unspecified"),
    ).toBeUndefined();
  });
});

describe("a remote procedure is recognised as it is recorded by", () => {
  it.each<[string, string, Attributes]>([
    [
      "service and method",
      "shop.Catalog/GetItem",
      { "rpc.system": "grpc", "rpc.service": "shop.Catalog", "rpc.method": "GetItem" },
    ],
    [
      "one name for both",
      "GetItem",
      { "rpc.system.name": "grpc", "rpc.method": "shop.Catalog/GetItem" },
    ],
    ["a path", "call", { "grpc.method": "/shop.Catalog/GetItem" }],
    ["the span's name", "/shop.Catalog/GetItem", {}],
    ["the span's name and its system", "shop.Catalog/GetItem", { "rpc.system": "grpc" }],
    ["OpenCensus", "Sent.shop.Catalog.GetItem", {}],
    ["a prefix", "grpc.shop.Catalog/GetItem", {}],
  ])("%s", (_, name, attributes) => {
    expect(callOf(name, attributes)).toMatchObject({
      kind: "rpc",
      shape: "shop.Catalog/GetItem",
      isRead: true,
    });
  });
});

describe("no call is seen in", () => {
  it.each<[string, string, Attributes, Span["kind"]?]>([
    ["a function", "render", { "code.function": "render" }, "internal"],
    ["a function with a path in its name", "src/render", {}, "internal"],
    ["a transaction", "tx", { "db.system": "postgresql", "db.statement": "BEGIN" }],
    ["a client's span that names nothing", "send", {}],
    ["a message", "orders publish", { "messaging.system": "kafka" }, "producer"],
  ])("%s", (_, ...recorded) => {
    expect(callOf(...recorded)).toBeUndefined();
  });
});

it("a query that is recorded beside its URL belongs to it", () => {
  const beside = { "http.method": "GET", "http.url": "http://api/books", "http.query": "?id=7" };
  expect(callOf("GET", beside)).toMatchObject({
    shape: "GET api/books?id",
    target: "GET /books?id=7",
  });
  const parts = { "http.request.method": "GET", "url.path": "/books", "url.query": "id=7" };
  expect(callOf("GET", parts)).toMatchObject({ target: "GET /books?id=7" });
});

describe("SET", () => {
  it.each([
    [
      "writes a value in a store of keys",
      { "db.system.name": "redis", "db.query.text": "SET cart:7 ?" },
      true,
    ],
    [
      "changes the session of a database",
      { "db.system.name": "postgresql", "db.query.text": "SET search_path = shop" },
      false,
    ],
  ])("%s", (_, attributes, isCall) => {
    expect(callOf("SET", attributes) !== undefined).toBe(isCall);
  });
});

describe("requests to addresses that differ in ids", () => {
  const parts = constantFrom(
    "http://",
    "shop",
    ":",
    "/",
    "/7",
    "/4711",
    "//",
    "?id=",
    ",",
    "#",
    "v2",
    "12-a",
  );

  it("have the shape and the target that each has alone", () => {
    assert(
      property(array(array(parts, { maxLength: 8 }), { minLength: 2, maxLength: 5 }), (made) => {
        const urls = made.map((words) => `http://shop${words.join("")}`);
        const children = urls.map((url, at) => ({
          name: "GET",
          kind: "client" as const,
          at: at * 2_000,
          attributes: { "http.request.method": "GET", "url.full": url },
        }));
        const [trace] = tracesOf(
          snapshotOfSpans(spansOf({ name: "GET /", kind: "server", children })),
        );
        expect(urls.map((_, at) => trace?.callOf(at + 1)?.target)).toEqual(
          urls.map((url) => `GET ${urlTarget(url).target}`),
        );
        expect(urls.map((_, at) => trace?.callOf(at + 1)?.shape)).toEqual(
          urls.map((url) => `GET ${urlTarget(url).host}${urlTarget(url).template}`),
        );
      }),
    );
  });
});
