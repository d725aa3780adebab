import { describe, expect, it } from "vitest";

import type { Attributes } from "../model/span.ts";
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
import { consecutiveCalls } from "./consecutive-calls.ts";

const check = (...trees: readonly SpanTree[]) =>
  consecutiveCalls.check(snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1))));
const slowSql = (statement: string, more: Partial<SpanTree> = {}): SpanTree =>
  sql(statement, { durationMicros: 120_000, ...more });
const slowGet = (url: string, more: Partial<SpanTree> = {}): SpanTree =>
  get(url, { durationMicros: 1_500_000, ...more });

const banners = slowSql("SELECT * FROM banners");
const totals = slowSql("SELECT count(*) FROM orders WHERE state = 'open'");
const settings = slowSql("SELECT * FROM settings LIMIT 100");
const byId = slowSql("SELECT * FROM users WHERE id = $1");

describe("fan-out/consecutive-calls", () => {
  it("names exactly the independent statements and the time that running them at once saves", () => {
    const spans = spansOf(request("/home", [banners, byId, totals, settings]));
    const [finding, ...others] = consecutiveCalls.check(snapshotOfSpans(spans));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      boundary: "resolver-database",
      subject: { kind: "handler", name: "orders GET /home" },
      measures: { callCount: 4, independentCount: 3, totalMillis: 480, savedMillis: 360 },
    });
    expect(finding?.evidence.map(({ locator }) => locator)).toEqual(
      [1, 3, 4].map((index) => spans[index]?.spanId),
    );
  });

  it("judges requests to fixed addresses and to numbered pages", () => {
    const urls = ["/api/flags", "/api/menu", "/api/users?page=1", "/api/users?page=2"];
    expect(
      check(
        request(
          "/home",
          urls.map((url) => slowGet(`http://shop${url}`)),
        ),
      ),
    ).toMatchObject([
      {
        verdict: "violated",
        boundary: "service-service",
        measures: { independentCount: 4, savedMillis: 4_500 },
      },
    ]);
  });

  it("knows that what stands in the request was there before its calls", () => {
    const home = request(
      "/users/{id}/home",
      ["menu", "orders/48213", "cart/48213"].map((path) => slowGet(`http://shop/${path}`)),
    );
    const asked = { ...home.attributes, "url.path": "/users/48213/home" };
    expect(check({ ...home, attributes: asked })).toMatchObject([{ verdict: "violated" }]);
    expect(check(home)).toMatchObject([{ verdict: "inconclusive" }]);
  });

  it("knows that what the first call asked for was there before the others", () => {
    const paths = ["profile", "orders", "cart"].map((name) => `/api/0/users/48213/${name}`);
    expect(
      check(
        request(
          "/home",
          paths.map((path) => slowGet(`http://shop${path}`)),
        ),
      ),
    ).toMatchObject([{ verdict: "violated", measures: { independentCount: 3 } }]);
  });

  it("is inconclusive where parameters are hidden, and says what is missing", () => {
    const slow = { durationMicros: 400_000 };
    const byCart = slowSql("SELECT * FROM carts WHERE user_id = $1", slow);
    const [finding] = check(
      request("/home", [byId, byCart, slowSql("SELECT * FROM a WHERE b = ?", slow)]),
    );
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.missing).toHaveLength(1);
  });

  it("is inconclusive about statements of one transaction", () => {
    const begin = sql("BEGIN", { durationMicros: 500 });
    const slow = [banners, totals, settings].map((call) => ({ ...call, durationMicros: 400_000 }));
    expect(check(request("/home", [begin, ...slow]))).toMatchObject([{ verdict: "inconclusive" }]);
  });

  it("holds for the same handler when its calls overlap", () => {
    const atOnce = [banners, totals, settings].map((call, at) => ({ ...call, at: 10 + at }));
    expect(check(request("/home", atOnce))).toMatchObject([
      { verdict: "holds", subject: { name: "orders GET /home" } },
    ]);
  });
});

describe("fan-out/consecutive-calls is silent about", () => {
  const post = { attributes: { "http.request.method": "POST" } };
  const silent: Readonly<Record<string, SpanTree>> = {
    "fast calls": request("/home", [sql("SELECT * FROM a"), sql("SELECT * FROM b")]),
    "one slow call among fast ones": request("/home", [banners, sql("SELECT * FROM b")]),
    "calls that save too little": request("/home", [
      slowSql("SELECT * FROM a", { durationMicros: 40_000 }),
      slowSql("SELECT * FROM b", { durationMicros: 40_000 }),
    ]),
    "reads with a write between them": request("/home", [
      banners,
      sql("UPDATE banners SET seen = $1"),
      totals,
    ]),
    "requests after a log-in": request("/home", [
      slowGet("http://idp/oauth2/token"),
      slowGet("http://shop/api/menu"),
      slowGet("http://shop/api/flags"),
    ]),
    "requests that write": request(
      "/home",
      times(4, (index) => slowGet(`http://shop/step-${index}`, post)),
    ),
    "calls with long work between them": request("/home", [
      { ...banners, at: 0 },
      { ...totals, at: 2_000_000 },
    ]),
    "files that a page loads": request("/home", [
      slowGet("http://shop/_next/static/css/a.css"),
      slowGet("http://shop/api/menu"),
      slowGet("http://shop/api/flags"),
    ]),
    "one long call among short ones": request("/home", [
      slowSql("SELECT * FROM users WHERE name = $1", { durationMicros: 100_000 }),
      slowSql("SELECT * FROM authors WHERE type = $1", { durationMicros: 100_000 }),
      slowSql("SELECT count(*) FROM products", { durationMicros: 3_000_000 }),
    ]),
    "one statement for several things": request(
      "/home",
      times(3, (index) => slowSql(`SELECT * FROM books WHERE other_id = 'b_${index}' LIMIT 3`)),
    ),
    "a loop over a list, which wants a batch": request(
      "/home",
      times(6, (index) => slowGet(`http://shop/api/users?page=${index}`)),
    ),
    "ordinary statements with hidden parameters": request("/home", [
      slowSql("SELECT * FROM sessions WHERE token = $1"),
      byId,
      slowSql("SELECT * FROM carts WHERE user_id = $1"),
    ]),
    "failed calls": request("/home", [
      { ...banners, status: "error" },
      { ...totals, status: "error" },
    ]),
    "calls by RPC whose arguments no span records": request(
      "/checkout",
      ["GetCart", "GetQuote"].map((method) => ({
        name: `shop.Cart/${method}`,
        kind: "client" as const,
        durationMicros: 700_000,
        attributes: { "rpc.system": "grpc", "rpc.service": "shop.Cart", "rpc.method": method },
      })),
    ),
  };
  for (const [name, tree] of Object.entries(silent)) {
    it(name, () => expect(check(tree)).toEqual([]));
  }
});

describe("fan-out/consecutive-calls finds the same when", () => {
  const traces = [
    spansOf(request("/home", [banners, byId, totals, settings])),
    spansOf(request("/home", [banners, totals]), 2),
    spansOf(request("/menu", [slowSql("SELECT * FROM menu")]), 3),
  ];
  for (const variant of traceVariants(traces)) {
    it(variant.name, () => {
      const plain = { snapshot: snapshotOfSpans(...traces), renames: variant.renames };
      expect(factsOf(consecutiveCalls, variant)).toEqual(factsOf(consecutiveCalls, plain));
    });
  }
});

describe("calls that cannot run at once", () => {
  const recordedBy = (resource: Attributes): unknown[] =>
    consecutiveCalls.check(
      snapshotOfSpans(
        spansOf(request("/home", [banners, totals])).map((span) => ({
          ...span,
          resource: { ...span.resource, ...resource },
        })),
      ),
    );
  it.each<[string, Attributes, number]>([
    ["a server that can", { "telemetry.sdk.language": "nodejs" }, 1],
    ["PHP, which waits for each", { "telemetry.sdk.language": "php" }, 0],
    ["a page, which follows a person", { "telemetry.sdk.language": "webjs" }, 0],
    ["PHP by Sentry", { "telemetry.sdk.name": "sentry.php.laravel" }, 0],
    ["a page by Sentry", { "telemetry.sdk.name": "sentry.javascript.react" }, 0],
  ])("%s", (_what, resource, count) => {
    expect(recordedBy(resource)).toHaveLength(count);
  });
});
