import { describe, expect, it } from "vitest";

import type { Attributes } from "../model/span.ts";
import { snapshotOfSpans, spansOf, type SpanTree, times } from "../traces/trace-builder.ts";
import { attempts, post, quotedIds, serves, status } from "./call-traces.ts";
import { retrySafeErrors } from "./retry-safe-errors.ts";

function retried(failures: readonly Attributes[], more: Partial<SpanTree> = {}): SpanTree {
  const call = (attempt: number): SpanTree =>
    post("http://payment/charge", {
      ...more,
      attributes: { ...more.attributes, ...failures[attempt] },
    });
  return serves("checkout", "/pay", {
    children: attempts(
      call,
      times(failures.length - 1, (index) => 40 * 2 ** index),
    ),
  });
}

const verdict = (tree: SpanTree) =>
  retrySafeErrors.check(snapshotOfSpans(spansOf(tree))).map((item) => item.verdict);

const grpc = (code: number | string): Attributes => ({
  "rpc.system": "grpc",
  "rpc.service": "shop.Stock",
  "rpc.method": "Reserve",
  "rpc.grpc.status_code": code,
});

describe("calls/retry-safe-errors", () => {
  it.each([400, 402, 403, 404, 405, 410, 413, 422, 501])(
    "is violated where HTTP %i is tried again and again",
    (code) => {
      const spans = spansOf(retried([status(code), status(code), status(code)]));
      const [finding] = retrySafeErrors.check(snapshotOfSpans(spans));
      expect(finding).toMatchObject({
        verdict: "violated",
        subject: { name: "checkout → payment POST /charge" },
        measures: { codes: `HTTP ${code}`, pointlessAttemptCount: 2 },
      });
      expect(quotedIds(finding)).toEqual(spans.slice(1).map(({ spanId }) => spanId));
    },
  );

  it.each([408, 425, 429, 500, 502, 503, 504])("holds where HTTP %i is tried again", (code) => {
    expect(verdict(retried([status(code), status(code), status(200)]))).toEqual(["holds"]);
  });

  it.each([409, 412])("blames nobody for trying again after HTTP %i", (code) => {
    expect(verdict(retried([status(code), status(code)]))).toEqual([]);
  });

  it.each([3, 5, 6, 7, 9, 12, 16, "INVALID_ARGUMENT", "PermissionDenied"])(
    "is violated where gRPC's %s is tried again",
    (code) => {
      expect(verdict(retried([grpc(code), grpc(code)], { name: "shop.Stock/Reserve" }))).toEqual([
        "violated",
      ]);
    },
  );

  it.each([4, 8, 14, "UNAVAILABLE"])("holds where gRPC's %s is tried again", (code) => {
    expect(verdict(retried([grpc(code), grpc(0)], { name: "shop.Stock/Reserve" }))).toEqual([
      "holds",
    ]);
  });

  it("lets a token be renewed once, and not for ever", () => {
    expect(verdict(retried([status(401), status(200)]))).toEqual([]);
    expect(verdict(retried([status(401), status(401)]))).toEqual([]);
    expect(verdict(retried(times(3, () => status(401))))).toEqual(["violated"]);
  });

  it("blames nobody where the refusal passed", () => {
    expect(verdict(retried([status(404), status(404), status(200)]))).toEqual([]);
  });

  it.each([
    { "error.type": "context_length_exceeded" },
    {
      "http.response.status_code": 429,
      "error.message": "You exceeded your quota: insufficient_quota",
    },
    { "error.type": "openai.AuthenticationError" },
  ])("is violated where a model's lasting refusal %j is tried again", (failure) => {
    const chat = (): SpanTree => ({
      name: "chat gpt-4o",
      kind: "client",
      status: "error",
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        ...failure,
      },
    });
    const tree = serves("agent", "/answer", { children: attempts(chat, [500, 1_000]) });
    const [finding] = retrySafeErrors.check(snapshotOfSpans(spansOf(tree)));
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { name: "agent → openai chat gpt-4o" },
    });
  });

  it("knows a constraint of the database from a conflict of transactions", () => {
    const insert = (code: string) => (): SpanTree => ({
      name: "INSERT shop",
      kind: "client",
      status: "error",
      attributes: {
        "db.system.name": "postgresql",
        "db.query.text": "INSERT INTO orders (id) VALUES (7)",
        "db.response.status_code": code,
      },
    });
    const tree = (code: string) =>
      serves("orders", "/orders", { children: attempts(insert(code), [30, 60]) });
    const found = (code: string) => retrySafeErrors.check(snapshotOfSpans(spansOf(tree(code))))[0];
    expect(found("23505")).toMatchObject({ verdict: "violated", boundary: "resolver-database" });
    expect(found("40001")?.verdict).toBe("holds");
  });

  it("is inconclusive where equal calls are refused in a row and may be for several things", () => {
    const tree = serves("shop", "/import", {
      children: times(5, () => post("http://catalog/items", { attributes: status(422) })),
    });
    expect(verdict(tree)).toEqual(["inconclusive"]);
  });

  it("does not take refusals of different things for attempts", () => {
    const tree = serves("shop", "/import", {
      children: times(5, (index) =>
        post("http://catalog/items", { attributes: { ...status(422), "app.sku": `sku-${index}` } }),
      ),
    });
    expect(verdict(tree)).toEqual([]);
  });

  it("obeys a list of failures that may be tried again", () => {
    const snapshot = snapshotOfSpans(spansOf(retried([status(404), status(404)])));
    const allowed = retrySafeErrors.with({ allowedCodes: ["HTTP 404"] });
    expect(allowed.check(snapshot)).toEqual([]);
  });
});
