import { describe, expect, it } from "vitest";

import type { Attributes } from "../model/span.ts";
import { snapshotOfSpans, spansOf, type SpanTree, sql, times } from "../traces/trace-builder.ts";
import { attempts, ms, post, quotedIds, serves, status } from "./call-traces.ts";
import { retryBackoff } from "./retry-backoff.ts";

/** A request whose only call is tried again after these waits; the last attempt succeeds. */
function retried(waitsMillis: readonly number[], failure: Attributes = status(503)): SpanTree {
  const call = (attempt: number): SpanTree =>
    post("http://payment/charge", {
      attributes: attempt === waitsMillis.length ? status(200) : failure,
    });
  return serves("checkout", "/pay", { children: attempts(call, waitsMillis) });
}

const check = (...trees: readonly SpanTree[]) =>
  retryBackoff.check(snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1))));

const verdict = (...trees: readonly SpanTree[]) => check(...trees).map((item) => item.verdict);

describe("calls/retry-backoff", () => {
  it.each([
    ["at once", [1, 1, 1]],
    ["after the same wait", [200, 200]],
    ["after the same wait, blurred", [200, 215, 190]],
    ["too often", [50, 110, 240, 470, 900, 1_900]],
  ])("is violated where a call is tried again %s", (_, waits) => {
    const [finding, ...others] = check(retried(waits));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "edge", name: "checkout → payment POST /charge" },
      causeKind: "configuration",
    });
    expect(finding?.fixes).not.toEqual([]);
  });

  it("quotes every attempt where none waited", () => {
    const spans = spansOf(retried([0, 0, 0]));
    const [finding] = retryBackoff.check(snapshotOfSpans(spans));
    expect(quotedIds(finding)).toEqual(spans.slice(1).map(({ spanId }) => spanId));
  });

  it("is violated where the attempts of two requests wait exactly as long as each other", () => {
    expect(verdict(retried([100, 200, 400]), retried([100, 200, 400]))).toEqual(["violated"]);
  });

  it("holds where waits grow and vary", () => {
    expect(verdict(retried([90, 230, 410]))).toEqual(["holds"]);
    expect(verdict(retried([100, 210]), retried([70, 190]))).toEqual(["holds"]);
  });

  it("is inconclusive about jitter where one request alone shows exact doubling", () => {
    expect(verdict(retried([100, 200, 400]))).toEqual(["inconclusive"]);
  });

  it("is inconclusive where random waits happen not to grow", () => {
    expect(verdict(retried([180, 95]))).toEqual(["inconclusive"]);
  });

  it("is inconclusive after a single further attempt", () => {
    const [finding] = check(retried([100]));
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.missing).toEqual(["A request with at least three recorded attempts."]);
  });

  it.each([
    ["seconds", { "http.response.header.retry-after": ["2"] }],
    ["a number", { "http.response.header.retry-after": 2 }],
    ["milliseconds", { "http.response.header.retry-after-ms": "2000" }],
    ["the old convention", { "http.response.header.retry_after": ["2"] }],
  ])("is violated where an attempt comes before Retry-After in %s", (_, header) => {
    const failure = { ...status(429), ...header };
    expect(verdict(retried([300], failure))).toEqual(["violated"]);
    expect(verdict(retried([2_050], failure))).toEqual(["holds"]);
  });

  it("reads Retry-After as a date", () => {
    const [entry, first, second] = spansOf(retried([500], status(429)));
    if (entry === undefined || first === undefined || second === undefined)
      throw new Error("three");
    const end = first.startMicros + ms(20);
    const until = new Date(Math.ceil(end / 1e6) * 1_000 + 3_000).toUTCString();
    const attributes = { ...first.attributes, "http.response.header.retry-after": [until] };
    const spans = [entry, { ...first, attributes }, second];
    expect(retryBackoff.check(snapshotOfSpans(spans)).map((item) => item.verdict)).toEqual([
      "violated",
    ]);
  });

  it("judges attempts of gRPC, each in a wrapper of its own, in OpenTracing's tags", () => {
    const call = (attempt: number): SpanTree => ({
      name: `attempt ${attempt + 1}`,
      children: [
        {
          name: "/hipstershop.PaymentService/Charge",
          kind: "client",
          durationMicros: ms(20),
          attributes: {
            "rpc.system": "grpc",
            "rpc.service": "hipstershop.PaymentService",
            "rpc.method": "Charge",
            "rpc.grpc.status_code": 14,
            error: true,
          },
        },
      ],
    });
    const tree = serves("checkout", "/pay", { children: attempts(call, [50, 50, 50], 30) });
    const [finding] = check(tree);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { name: "checkout → hipstershop.PaymentService Charge" },
    });
  });

  it("says nothing about transparent retries of gRPC", () => {
    const call = (attempt: number): SpanTree => ({
      name: "Attempt.shop.Payment.Charge",
      kind: "client",
      status: attempt === 3 ? "ok" : "error",
      attributes: { "previous-rpc-attempts": attempt, "transparent-retry": attempt > 0 },
    });
    expect(check(serves("checkout", "/pay", { children: attempts(call, [0, 0, 0]) }))).toEqual([]);
  });

  it("is inconclusive where equal calls fail in a row and may be for several things", () => {
    const tree = serves("shop", "/notify", {
      children: times(4, () => post("http://mail/send", { attributes: status(503) })),
    });
    expect(verdict(tree)).toEqual(["inconclusive"]);
  });

  it("says nothing where nothing is tried again", () => {
    expect(
      check(serves("a", "/", { children: [post("http://b/c", { attributes: status(503) })] })),
    ).toEqual([]);
  });

  it("does not take parallel calls for attempts", () => {
    const tree = serves("a", "/", {
      children: times(4, () =>
        post("http://b/c", { at: ms(1), durationMicros: ms(30), attributes: status(503) }),
      ),
    });
    expect(check(tree)).toEqual([]);
  });

  it.each([{ "order.id": "7" }, { "http.request.body.size": 311 }])(
    "knows attempts of one request by %j, however they end",
    (about) => {
      const tree = serves("shop", "/notify", {
        children: times(4, () =>
          post("http://mail/send", { attributes: { ...status(503), ...about } }),
        ),
      });
      expect(verdict(tree)).toEqual(["violated"]);
    },
  );

  it.each([
    ["fails with its request", { status: "error" as const }, 4],
    ["goes on past failures", {}, 4],
  ])("does not take a loop over rows that %s for attempts", (_, more, failures) => {
    const tree = serves("shop", "/list", {
      ...more,
      children: times(8, (index) =>
        sql("SELECT * FROM items WHERE id = $1", {
          durationMicros: 300,
          status: index < failures ? "error" : "unset",
        }),
      ),
    });
    expect(verdict(tree)).not.toContain("violated");
  });
});
