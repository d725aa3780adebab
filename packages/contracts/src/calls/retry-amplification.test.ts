import { describe, expect, it } from "vitest";

import { snapshotOfSpans, spansOf, type SpanTree, times } from "../traces/trace-builder.ts";
import { attempts, idsOf, post, quotedIds, serves, status, verdicts } from "./call-traces.ts";
import { retryAmplification } from "./retry-amplification.ts";

/** Services that each try a failing callee so many times. */
function layers(
  counts: readonly number[],
  names = ["web", "orders", "stock", "db-proxy"],
): SpanTree {
  const [count = 0, ...rest] = counts;
  const [own = "", callee = ""] = names;
  const children =
    counts.length === 0
      ? []
      : attempts(
          () =>
            post(`http://${callee}/reserve`, {
              attributes: status(503),
              status: "error",
              children: [layers(rest, names.slice(1))],
            }),
          times(count - 1, () => 5),
          100,
        );
  return serves(own, "/reserve", { status: "error", attributes: status(503), children });
}

const check = (...trees: readonly SpanTree[]) =>
  retryAmplification.check(
    snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1))),
  );

describe("calls/retry-amplification", () => {
  it("is violated where three layers of four attempts make 64 calls, with every one of them", () => {
    const spans = spansOf(layers([4, 4, 4]));
    const findings = retryAmplification.check(snapshotOfSpans(spans));
    expect(verdicts(findings)).toEqual({
      "web → orders POST /reserve": "holds",
      "orders → stock POST /reserve": "violated",
      "stock → db-proxy POST /reserve": "violated",
    });
    const leaf = findings.find(({ subject }) => subject.name.startsWith("stock"));
    expect(leaf).toMatchObject({
      boundary: "service-service",
      measures: { amplification: 64, callCount: 64, layerCount: 3, attemptsByLayer: "4 × 4 × 4" },
    });
    const calls = idsOf(spans, ({ service, kind }) => service === "stock" && kind === "client");
    expect(calls).toHaveLength(64);
    expect(quotedIds(leaf)).toEqual(expect.arrayContaining(calls));
  });

  it("is violated where two layers of three attempts make nine calls", () => {
    expect(verdicts(check(layers([3, 3])))).toEqual({
      "web → orders POST /reserve": "holds",
      "orders → stock POST /reserve": "violated",
    });
  });

  it("holds where only one layer tries again", () => {
    expect(verdicts(check(layers([3, 1])))).toEqual({
      "web → orders POST /reserve": "holds",
      "orders → stock POST /reserve": "holds",
    });
  });

  it("is violated where one layer makes more attempts than are allowed", () => {
    expect(verdicts(check(layers([8])))).toEqual({ "web → orders POST /reserve": "violated" });
  });

  it("says nothing about calls that succeed", () => {
    const tree = serves("web", "/", {
      children: times(8, () => post("http://stock/reserve", { attributes: status(200) })),
    });
    expect(check(tree)).toEqual([]);
  });

  it("does not take calls for many things that fail alike for attempts", () => {
    const tree = serves("web", "/", {
      children: times(12, (index) =>
        post(`http://stock/items/${index}`, { attributes: status(503), status: "error" }),
      ),
    });
    expect(check(tree)).toEqual([]);
  });

  it("is inconclusive where many equal calls fail and nothing tells whether they are one request", () => {
    const tree = serves("web", "/", {
      children: times(12, () =>
        post("http://mail/send", { attributes: status(503), status: "error" }),
      ),
    });
    const findings = check(tree);
    expect(findings.map(({ verdict }) => verdict)).toEqual(["inconclusive"]);
    expect(findings[0]?.missing).not.toEqual([]);
  });

  it("is inconclusive where layers multiply below calls that may be for several things", () => {
    const tree = serves("web", "/", {
      children: times(3, () =>
        post("http://orders/reserve", {
          attributes: status(502),
          status: "error",
          children: [layers([4], ["orders", "stock"])],
        }),
      ),
    });
    expect(verdicts(check(tree))).toEqual({ "orders → stock POST /reserve": "inconclusive" });
  });

  it("does not take polling for something that is not there yet for attempts", () => {
    const tree = serves("web", "/", {
      children: attempts(
        (attempt) => ({
          name: "GET",
          kind: "client",
          attributes: {
            "http.request.method": "GET",
            "url.full": "http://jobs/jobs/77",
            ...status(attempt === 9 ? 200 : 404),
          },
        }),
        times(9, () => 1_000),
      ),
    });
    expect(check(tree)).toEqual([]);
  });
});
