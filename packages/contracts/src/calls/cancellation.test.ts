import { describe, expect, it } from "vitest";

import type { Attributes, Span } from "../model/span.ts";
import { snapshotOfSpans, spansOf, type SpanTree, sql } from "../traces/trace-builder.ts";
import { cancellation } from "./cancellation.ts";
import { idsOf, ms, post, quotedIds, serves } from "./call-traces.ts";

/** A call that its caller gives up after a second, and what the callee does. */
function given(failure: Attributes, served: Partial<SpanTree> = {}, length = 1_000): SpanTree {
  return serves("web", "/checkout", {
    durationMicros: ms(1_100),
    children: [
      post("http://payment/charge", {
        at: ms(10),
        durationMicros: ms(length),
        status: "error",
        attributes: failure,
        children: [
          serves("payment", "/charge", { at: ms(5), durationMicros: ms(3_000), ...served }),
        ],
      }),
    ],
  });
}

const check = (...spans: readonly Span[][]) => cancellation.check(snapshotOfSpans(...spans));
const edge = "web → payment POST /charge";
const timeout = { "error.type": "timeout" };

describe("calls/cancellation", () => {
  it.each([
    timeout,
    { "error.type": "java.net.SocketTimeoutException" },
    { "rpc.grpc.status_code": 4 },
    { "rpc.grpc.status_code": 1 },
    { "http.response.status_code": 499 },
    { response_flags: "UT", "http.status_code": "0" },
    { "error.message": "context canceled" },
    { error: true, "error.kind": "AbortError" },
    { "request.cancelled": true },
    { "http.timed_out": "true" },
  ])("is violated where the callee works on after %j", (failure) => {
    const spans = spansOf(given(failure));
    const [finding, ...others] = check(spans);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ verdict: "violated", subject: { name: edge } });
    expect(quotedIds(finding)[0]).toBe(idsOf(spans, ({ service }) => service === "payment")[0]);
    expect(finding?.measures["overrunMillisMax"]).toBeCloseTo(2_000, -2);
  });

  it("takes a proxy's 504 for a leave where the callee works on, and not a 504 of the callee's own", () => {
    const gaveUp = { "http.response.status_code": 504 };
    expect(check(spansOf(given(gaveUp)))).toMatchObject([{ verdict: "violated" }]);
    expect(check(spansOf(given(gaveUp, { durationMicros: ms(990) })))).toEqual([]);
  });

  it("puts a write that began after the caller left before all else", () => {
    const write = sql("INSERT INTO charges (id) VALUES ($1)", {
      at: ms(2_000),
      durationMicros: ms(5),
    });
    const spans = spansOf(given(timeout, { children: [write] }));
    const [finding] = check(spans);
    expect(finding?.title).toContain("1 write began that nobody waited for");
    expect(finding?.measures["writeCountAfter"]).toBe(1);
    expect(quotedIds(finding)[0]).toBe(idsOf(spans, ({ name }) => name.startsWith("pg"))[0]);
  });

  it("holds where the callee stops with its caller", () => {
    expect(check(spansOf(given(timeout, { durationMicros: ms(1_020) })))).toMatchObject([
      { verdict: "holds", subject: { name: edge } },
    ]);
  });

  it("says nothing where the callee had ended long before, or was never reached", () => {
    expect(check(spansOf(given(timeout, { durationMicros: ms(30) })))).toEqual([]);
    const alone = serves("web", "/", {
      children: [post("http://payment/charge", { attributes: timeout })],
    });
    expect(check(spansOf(alone))).toEqual([]);
  });

  it("says nothing where the callee answered, however late others end", () => {
    expect(check(spansOf(given({ "http.response.status_code": 503 })))).toEqual([]);
  });

  it("does not blame work that was handed over", () => {
    const consumer: SpanTree = {
      name: "charges process",
      kind: "consumer",
      service: "ledger",
      at: ms(2_500),
      durationMicros: ms(9_000),
    };
    const served = {
      durationMicros: ms(1_000),
      children: [
        {
          name: "charges publish",
          kind: "producer" as const,
          at: ms(10),
          durationMicros: ms(5),
          children: [consumer],
        },
      ],
    };
    expect(check(spansOf(given(timeout, served))).map(({ verdict }) => verdict)).toEqual(["holds"]);
  });

  it("is not misled by a callee's clock that runs ahead", () => {
    const spans = spansOf(given(timeout, { durationMicros: ms(1_000) })).map((span) =>
      span.service === "payment" ? { ...span, startMicros: span.startMicros + ms(5_000) } : span,
    );
    expect(check(spans).map(({ verdict }) => verdict)).toEqual(["holds"]);
  });

  it("is inconclusive where the callee's span was never closed", () => {
    const served = {
      durationMicros: 0,
      children: [sql("SELECT 1 FROM t WHERE id = 3", { at: ms(400) })],
    };
    const [finding] = check(spansOf(given(timeout, served)));
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.missing).not.toEqual([]);
  });

  it("tells of a request whose client left, by an event, while its work goes on", () => {
    const [entry, ...rest] = spansOf(
      serves("orders", "/report", {
        durationMicros: ms(4_000),
        children: [sql("UPDATE reports SET state = $1 WHERE id = $2", { at: ms(3_000) })],
      }),
    );
    if (entry === undefined) throw new Error("a trace has a root");
    const event = {
      name: "client disconnected",
      timeMicros: entry.startMicros + ms(800),
      attributes: {},
    };
    const [finding] = check([{ ...entry, events: [event] }, ...rest]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { name: "client → orders POST /report" },
      measures: { writeCountAfter: 1 },
    });
  });

  it("finds the service behind a proxy of Envoy whose downstream closed the connection", () => {
    const proxied: SpanTree = {
      name: "orders.default.svc.cluster.local:8080/*",
      kind: "server",
      service: "istio-ingressgateway",
      durationMicros: ms(500),
      attributes: {
        component: "proxy",
        "http.method": "POST",
        "http.url": "http://orders/orders",
        "http.status_code": "0",
        response_flags: "DC",
        upstream_cluster: "outbound|8080||orders.default.svc.cluster.local",
      },
      children: [serves("orders", "/orders", { at: ms(2), durationMicros: ms(2_500) })],
    };
    const spans = spansOf(proxied);
    const [finding] = check(spans);
    expect(finding?.verdict).toBe("violated");
    expect(quotedIds(finding)[0]).toBe(spans[1]?.spanId);
  });

  it("names the service that went on, not the one above it that stopped", () => {
    const inner = post("http://bank/transfer", {
      at: ms(10),
      durationMicros: ms(985),
      status: "error",
      attributes: { "error.type": "context canceled" },
      children: [serves("bank", "/transfer", { at: ms(1), durationMicros: ms(5_000) })],
    });
    const findings = check(
      spansOf(given(timeout, { durationMicros: ms(1_000), children: [inner] })),
    );
    expect(findings.map(({ subject, verdict }) => [subject.name, verdict])).toEqual([
      ["payment → bank POST /transfer", "violated"],
      [edge, "holds"],
    ]);
  });

  it("finds the handler that goes on below a server's span which ended with its client", () => {
    const tree = serves("orders", "/orders", {
      durationMicros: ms(300),
      attributes: { "http.response.status_code": 499 },
      children: [
        sql("UPDATE orders SET state = $1 WHERE id = $2", { at: ms(900), durationMicros: ms(4) }),
        { name: "background refresh", at: ms(900), durationMicros: ms(90) },
      ],
    });
    const spans = spansOf(tree);
    const [finding] = check(spans);
    expect(finding?.verdict).toBe("violated");
    expect(quotedIds(finding)).toEqual([spans[1]?.spanId, spans[0]?.spanId]);
  });

  it("takes the moment of a client's departure from its event", () => {
    const spans = spansOf(given({}, { durationMicros: ms(900) })).map((span) =>
      span.service === "web" && span.kind === "client"
        ? {
            ...span,
            status: { code: "unset" as const },
            events: [
              { name: "request cancelled", timeMicros: span.startMicros + ms(200), attributes: {} },
            ],
          }
        : span,
    );
    const [finding] = check(spans);
    expect(finding?.verdict).toBe("violated");
    expect(finding?.measures["overrunMillisMax"]).toBeCloseTo(700, -2);
  });
});
