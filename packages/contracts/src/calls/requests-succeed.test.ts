/** The control contract on small traces of every outcome. */

import { describe, expect, it } from "vitest";

import type { Span } from "../model/span.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { requestsSucceed } from "./requests-succeed.ts";

const traceId = "0".repeat(31) + "1";

function span(number: number, parts: Partial<Span> & { name: string }): Span {
  return {
    traceId,
    spanId: number.toString(16).padStart(16, "0"),
    kind: "internal",
    service: "orders",
    startMicros: 1_000_000 + number,
    durationNanos: 1_000,
    status: { code: "unset" },
    attributes: {},
    resource: {},
    scope: { name: "test" },
    events: [],
    links: [],
    ...parts,
  };
}

const id = (number: number): string => number.toString(16).padStart(16, "0");

function check(spans: readonly Span[]) {
  return requestsSucceed.check(
    createSnapshot([
      {
        source: { name: "test", format: "test", notes: [] },
        content: { kind: "trace", traceId, spans: [...spans] },
      },
    ]),
  );
}

const entry = span(1, { name: "POST /graphql", kind: "server" });
const execute = span(2, {
  name: "query OrderList",
  parentSpanId: id(1),
  attributes: { "graphql.operation.type": "query", "graphql.operation.name": "OrderList" },
});
const resolver = span(3, {
  name: "graphql.resolve orders",
  parentSpanId: id(2),
  attributes: { "graphql.field.path": "orders" },
});
const query = span(4, {
  name: "pg.query:SELECT",
  kind: "client",
  parentSpanId: id(3),
  attributes: { "db.system.name": "postgresql", "db.query.text": "SELECT 1" },
});
const connect = span(5, {
  name: "pg-pool.connect",
  kind: "client",
  parentSpanId: id(3),
  attributes: { "db.system.name": "postgresql" },
});

describe("calls/requests-succeed", () => {
  it("holds when a request ends well and the statement under it is answered", () => {
    const findings = check([entry, execute, resolver, query, connect]);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      verdict: "holds",
      boundary: "resolver-database",
      subject: { kind: "operation", name: "orders POST /graphql query OrderList" },
      measures: { requestCount: 1, callCount: 1, failedRequestCount: 0, failedCallCount: 0 },
    });
    expect(findings[0]?.evidence[0]?.locator).toBe(entry.spanId);
  });

  it("is inconclusive, and names what is missing, when only the way to the database is recorded", () => {
    const [finding, ...others] = check([entry, execute, resolver, connect]);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ verdict: "inconclusive", boundary: "service-service" });
    expect(finding?.missing).not.toEqual([]);
  });

  it.each([
    ["the request", [{ ...entry, status: { code: "error" as const } }, execute, resolver, query]],
    ["the HTTP status", [{ ...entry, attributes: { "http.response.status_code": 502 } }, query]],
    [
      "a resolver behind HTTP 200",
      [
        entry,
        execute,
        { ...resolver, status: { code: "error" as const, message: "no table" } },
        query,
      ],
    ],
    ["the statement", [entry, execute, resolver, { ...query, status: { code: "error" as const } }]],
  ])("is violated when %s fails", (_, spans) => {
    const findings = check(spans);
    expect(findings.map((finding) => finding.verdict)).toContain("violated");
    expect(findings.map((finding) => finding.verdict)).not.toContain("holds");
    expect(findings[0]?.causeKind).toBe("none");
  });

  it("judges each boundary that an operation crosses on its own", () => {
    const call = span(6, {
      name: "GET",
      kind: "client",
      parentSpanId: id(2),
      attributes: { "http.request.method": "GET", "url.full": "http://stock/items" },
    });
    const findings = check([entry, execute, resolver, query, call]);
    expect(findings.map((finding) => [finding.boundary, finding.verdict])).toEqual([
      ["resolver-database", "holds"],
      ["service-service", "holds"],
    ]);
  });

  it("says nothing about start-up spans that serve nobody", () => {
    expect(check([span(9, { name: "graphql.parseSchema" })])).toEqual([]);
  });

  it("says nothing about fragments whose request has not arrived", () => {
    expect(check([execute, resolver, query])).toEqual([]);
  });

  it("does not count another service's request as part of its caller's", () => {
    const call = span(6, {
      name: "GET",
      kind: "client",
      parentSpanId: id(1),
      attributes: { "http.request.method": "GET", "url.full": "http://stock/items" },
    });
    const remote = span(7, {
      name: "GET /items",
      kind: "server",
      service: "stock",
      parentSpanId: id(6),
    });
    const findings = check([entry, call, remote]);
    expect(findings.map((finding) => finding.subject.name)).toEqual([
      "orders POST /graphql",
      "stock GET /items",
    ]);
  });
});
