import { describe, expect, it } from "vitest";

import type { Attributes } from "../model/span.ts";
import { snapshotOfSpans, spansOf, type SpanTree, sql } from "../traces/trace-builder.ts";
import { ms, post, quotedIds, serves, verdicts } from "./call-traces.ts";
import { deadlinePropagation } from "./deadline-propagation.ts";

/** A gateway that waits for orders, which calls stock 50 ms later. */
function chain(own: Attributes, inner: Attributes, more: Partial<SpanTree> = {}): SpanTree {
  return serves("gateway", "/orders", {
    children: [
      post("http://orders/orders", {
        attributes: own,
        children: [
          serves("orders", "/orders", {
            children: [post("http://stock/reserve", { at: ms(50), attributes: inner, ...more })],
          }),
        ],
      }),
    ],
  });
}

const check = (tree: SpanTree) => deadlinePropagation.check(snapshotOfSpans(spansOf(tree)));
const stock = "orders → stock POST /reserve";

describe("calls/deadline-propagation", () => {
  it.each([
    [
      "milliseconds by name",
      { "http.request.timeout_ms": 1_000 },
      { "http.request.timeout_ms": 5_000 },
    ],
    ["text with units", { "http.client.timeout": "1s" }, { "http.client.timeout": "1500ms" }],
    ["ISO 8601", { timeout: "PT1S" }, { timeout: "PT2.5S" }],
    ["bare numbers", { "http.request.timeout": 1_000 }, { "http.request.timeout": 5_000 }],
    [
      "Envoy's header",
      { "http.request.header.x-envoy-expected-rq-timeout-ms": ["1000"] },
      { "http.request.header.x-envoy-expected-rq-timeout-ms": ["15000"] },
    ],
    ["a name that looks like another", { "redis.timeout_ms": 900 }, { "redis.timeout_ms": 4_000 }],
    ["camel case", { requestTimeoutMs: 1_000 }, { requestTimeoutMs: 3_000 }],
    [
      "gRPC's header",
      { "rpc.grpc.request.metadata.grpc-timeout": ["1S"] },
      { "rpc.grpc.request.metadata.grpc-timeout": ["5S"] },
    ],
    ["gRPC's milliseconds", { "rpc.grpc.timeout": "1000m" }, { "rpc.grpc.timeout": "2000m" }],
  ])("is violated where a call may take longer than its caller waits, in %s", (_, own, inner) => {
    const spans = spansOf(chain(own, inner));
    const findings = deadlinePropagation.check(snapshotOfSpans(spans));
    expect(verdicts(findings)).toEqual({ [stock]: "violated" });
    const offender = spans.find(({ service, kind }) => service === "orders" && kind === "client");
    expect(quotedIds(findings[0])[0]).toBe(offender?.spanId);
    expect(findings[0]?.measures["callCountExceeding"]).toBe(1);
  });

  it("holds where each call gets what remains", () => {
    expect(
      verdicts(check(chain({ "rpc.grpc.timeout": "1S" }, { "rpc.grpc.timeout": "940m" }))),
    ).toEqual({ [stock]: "holds" });
  });

  it("tells that a call began after its caller's time was up", () => {
    const spans = spansOf(chain({ timeout_ms: 1_000 }, {}, { at: ms(1_400) }));
    const [finding] = deadlinePropagation.check(snapshotOfSpans(spans));
    expect(finding).toMatchObject({ verdict: "violated", subject: { name: stock } });
    expect(finding?.title).toContain("after its caller's time was up");
  });

  it("takes the shorter of two deadlines above", () => {
    const tree = serves("gateway", "/orders", {
      attributes: { deadline_ms: 500 },
      children: [
        post("http://orders/orders", {
          attributes: { timeout_ms: 400 },
          children: [
            serves("orders", "/orders", {
              children: [
                sql("SELECT 1 FROM t WHERE id = 7", {
                  attributes: { "db.statement_timeout": 30_000 },
                }),
              ],
            }),
          ],
        }),
      ],
    });
    const findings = check(tree);
    expect(findings.map(({ boundary, verdict }) => [boundary, verdict])).toEqual([
      ["service-service", "holds"],
      ["resolver-database", "violated"],
    ]);
  });

  it("is inconclusive where fixed timeouts one after another sum up to more than there is", () => {
    const call = (at: number): SpanTree =>
      post("http://stock/reserve", {
        at: ms(at),
        durationMicros: ms(50),
        attributes: { timeout_ms: 700 },
      });
    const tree = serves("orders", "/orders", {
      attributes: { timeout_ms: 1_000 },
      children: [call(10), call(100)],
    });
    expect(verdicts(check(tree))).toEqual({ [stock]: "inconclusive" });
  });

  it("reads an absolute deadline", () => {
    const spans = spansOf(chain({}, { timeout_ms: 5_000 }));
    const start = spans[0]?.startMicros ?? 0;
    const deadline = new Date((start + ms(1_000)) / 1_000).toISOString();
    const changed = spans.map((span) =>
      span.service === "gateway" && span.kind === "client"
        ? { ...span, attributes: { ...span.attributes, "request.deadline": deadline } }
        : span,
    );
    expect(verdicts(deadlinePropagation.check(snapshotOfSpans(changed)))).toEqual({
      [stock]: "violated",
    });
  });

  it("does not hold work that nobody waits for to a deadline", () => {
    const consumer: SpanTree = {
      name: "orders process",
      kind: "consumer",
      service: "mailer",
      at: ms(2_000),
      attributes: { "messaging.system": "kafka" },
      children: [post("http://smtp/send", { attributes: { timeout_ms: 30_000 } })],
    };
    const tree = serves("orders", "/orders", {
      attributes: { timeout_ms: 1_000 },
      children: [{ name: "orders publish", kind: "producer", children: [consumer] }],
    });
    expect(check(tree)).toEqual([]);
  });

  it.each([
    { "db.connection.timeout_ms": 5_000 },
    { "http.keep_alive_timeout": 65 },
    { "error.type": "timeout" },
    { "messaging.visibility_timeout": 30 },
    { "circuit_breaker.reset_timeout_ms": 60_000 },
    { "jwt.timeout": 3_600_000 },
    { timeout: 100 },
    { timeout: "soon" },
    { timeout: 0 },
  ])("does not take %j for a deadline of a call", (attributes) => {
    expect(check(chain({ timeout_ms: 1_000 }, attributes))).toEqual([]);
  });

  it("is not misled by a callee's clock that runs ahead", () => {
    const spans = spansOf(chain({ timeout_ms: 1_000 }, { timeout_ms: 900 })).map((span) =>
      span.service === "orders" ? { ...span, startMicros: span.startMicros + ms(3_000) } : span,
    );
    expect(verdicts(deadlinePropagation.check(snapshotOfSpans(spans)))).toEqual({
      [stock]: "holds",
    });
  });

  it("judges calls, and lets a function's own timeout bind what is called below it", () => {
    const tree = (inner: Attributes): SpanTree =>
      serves("orders", "/orders", {
        attributes: { timeout_ms: 1_000 },
        children: [
          {
            name: "reserve",
            attributes: { timeout_ms: 5_000 },
            children: [
              {
                name: "try",
                attributes: { timeout_ms: 300 },
                children: [post("http://stock/reserve", { attributes: inner })],
              },
            ],
          },
        ],
      });
    expect(verdicts(check(tree({ timeout_ms: 600 })))).toEqual({ [stock]: "violated" });
    expect(verdicts(check(tree({ timeout_ms: 250 })))).toEqual({ [stock]: "holds" });
    expect(check(tree({}))).toEqual([]);
  });
});
