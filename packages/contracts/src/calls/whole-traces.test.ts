import { describe, expect, it } from "vitest";

import type { Span } from "../model/span.ts";
import { snapshotOfSpans, spansOf, type SpanTree, sql, times } from "../traces/trace-builder.ts";
import { idsOf, ms, post, quotedIds, serves, status, verdicts } from "./call-traces.ts";
import { wholeTraces } from "./whole-traces.ts";

const check = (...spans: readonly (readonly Span[])[]) =>
  wholeTraces.check(snapshotOfSpans(...spans));

const ordered = (path = "/reserve"): SpanTree =>
  serves("orders", "/orders", {
    children: [
      post(`http://stock${path}`, {
        attributes: status(200),
        children: [serves("stock", path, { children: [sql("SELECT 1 FROM t WHERE id = 4")] })],
      }),
    ],
  });

/** A call whose callee began a trace of its own within it. */
function lost(seed: number): Span[][] {
  const [entry, call, served, ...rest] = spansOf(ordered(), seed);
  if (entry === undefined || call === undefined || served === undefined) throw new Error("three");
  const traceId = (seed + 500).toString(16).padStart(32, "0");
  const { parentSpanId: _, ...root } = served;
  return [
    [entry, call],
    [{ ...root, traceId }, ...rest.map((span) => ({ ...span, traceId }))],
  ];
}

describe("calls/whole-traces", () => {
  it("holds where every call has its callee's span", () => {
    expect(verdicts(check(spansOf(ordered())))).toEqual({ "orders → stock": "holds" });
  });

  it("says nothing about one service, its database, and calls to those who are not traced", () => {
    const tree = serves("orders", "/orders", {
      children: [
        sql("SELECT 1 FROM t WHERE id = 4"),
        post("https://api.stripe.com/v1/charges", { attributes: status(200) }),
      ],
    });
    expect(check(spansOf(tree))).toEqual([]);
  });

  it("is inconclusive where some calls of a service have no callee's span", () => {
    const [entry, call] = spansOf(ordered(), 2);
    if (entry === undefined || call === undefined) throw new Error("two");
    const [finding] = check(spansOf(ordered(), 1), [entry, call]);
    expect(finding).toMatchObject({
      verdict: "inconclusive",
      subject: { name: "orders → stock" },
      measures: { callCount: 2, callCountUnlinked: 1 },
    });
    expect(quotedIds(finding)).toEqual([call.spanId]);
  });

  it("does not miss the span of a callee that was never reached", () => {
    const [entry, call] = spansOf(ordered(), 2);
    if (entry === undefined || call === undefined) throw new Error("two");
    const failed = { ...call, attributes: { ...call.attributes, "error.type": "ECONNREFUSED" } };
    expect(verdicts(check(spansOf(ordered(), 1), [entry, failed]))).toEqual({
      "orders → stock": "holds",
    });
  });

  it("is violated where a callee begins a trace of its own inside each call", () => {
    const findings = check(...lost(1), ...lost(2));
    expect(verdicts(findings)).toEqual({ "orders → stock": "violated" });
    expect(findings[0]?.fixes[0]?.description).toContain("traceparent");
    const quoted = [...lost(1), ...lost(2)].flatMap((spans) =>
      idsOf(spans, ({ service, kind }) =>
        service === "stock" ? kind === "server" : kind === "client",
      ),
    );
    expect(new Set(quotedIds(findings[0]))).toEqual(new Set(quoted));
  });

  it("is inconclusive after one such request, or where others come from elsewhere", () => {
    expect(verdicts(check(...lost(1)))).toEqual({ "orders → stock": "inconclusive" });
    const elsewhere = spansOf(serves("stock", "/reserve"), 77);
    expect(verdicts(check(...lost(1), ...lost(2), elsewhere))).toEqual({
      "orders → stock": "inconclusive",
    });
  });

  it("names the spans whose parent is not there", () => {
    const spans = spansOf(ordered());
    const without = spans.filter(
      ({ service, kind }) => !(service === "stock" && kind === "server"),
    );
    const [finding] = check(without).filter(({ subject }) => subject.kind === "service");
    expect(finding).toMatchObject({ verdict: "inconclusive", subject: { name: "stock" } });
    expect(quotedIds(finding)).toEqual(idsOf(spans, ({ name }) => name.startsWith("pg")));
  });

  it("does not take a caller outside of what is recorded for a gap", () => {
    const [entry, ...rest] = spansOf(ordered());
    if (entry === undefined) throw new Error("a trace has a root");
    const called = [{ ...entry, parentSpanId: "00000000000000ff" }, ...rest];
    expect(verdicts(check(called))).toEqual({ "orders → stock": "holds" });
  });

  it("names spans without an end", () => {
    const [entry, ...rest] = spansOf(ordered());
    if (entry === undefined) throw new Error("a trace has a root");
    const [finding] = check([{ ...entry, durationNanos: 0 }, ...rest]).filter(
      ({ subject }) => subject.kind === "service",
    );
    expect(finding).toMatchObject({
      verdict: "inconclusive",
      subject: { name: "orders span ends" },
      title: "1 span of orders has no end although spans below went on",
    });
    expect(quotedIds(finding)).toEqual([entry.spanId]);
  });

  it("tells clocks that are apart, and calls that end before their callee", () => {
    const early = spansOf(ordered()).map((span) =>
      span.service === "stock" ? { ...span, startMicros: span.startMicros - ms(400) } : span,
    );
    expect(check(early)[0]?.measures["clockSkewMillisMax"]).toBeGreaterThan(350);
    const tree = serves("orders", "/orders", {
      children: [
        post("http://stock/reserve", {
          durationMicros: ms(50),
          attributes: status(200),
          children: [serves("stock", "/reserve", { durationMicros: ms(900) })],
        }),
      ],
    });
    expect(check(spansOf(tree))[0]).toMatchObject({ verdict: "inconclusive" });
  });

  it("holds nothing of traces whose callers record no calls of their own", () => {
    const tree: SpanTree = {
      name: "POST /api/checkout",
      kind: "unspecified",
      service: "frontend",
      children: times(3, () => ({
        name: "GetProduct",
        kind: "unspecified" as const,
        service: "catalog",
      })),
    };
    expect(check(spansOf(tree))).toEqual([]);
  });
});
