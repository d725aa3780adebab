import { describe, expect, it } from "vitest";

import type { Attributes, Span } from "../model/span.ts";
import { snapshotOfSpans, spansOf, type SpanTree, sql } from "../traces/trace-builder.ts";
import { idsOf, ms, post, quotedIds, serves, status } from "./call-traces.ts";
import { idempotency } from "./idempotency.ts";

const check = (...spans: readonly Span[][]) => idempotency.check(snapshotOfSpans(...spans));
const verdict = (...trees: readonly SpanTree[]) =>
  check(...trees.map((tree, index) => spansOf(tree, index + 1))).map((item) => item.verdict);

const key = (value: string): Attributes => ({ "http.request.header.idempotency-key": [value] });

/** A charge whose first attempt times out, with attributes and work of each attempt. */
function retried(
  own: readonly [Attributes, Attributes],
  work: readonly [SpanTree | undefined, SpanTree | undefined] = [undefined, undefined],
): SpanTree {
  const call = (at: number, attempt: 0 | 1): SpanTree =>
    post("http://payment/charge", {
      at: ms(at),
      durationMicros: ms(500),
      attributes: {
        ...(attempt === 0 ? { "error.type": "timeout" } : status(200)),
        ...own[attempt],
      },
      children: work[attempt] === undefined ? [] : [work[attempt]],
    });
  return serves("checkout", "/pay", { children: [call(10, 0), call(600, 1)] });
}

const charged = (lengthMillis: number, children: readonly SpanTree[] = []): SpanTree =>
  serves("payment", "/charge", {
    durationMicros: ms(lengthMillis),
    attributes: status(200),
    children,
  });

const insert = sql("INSERT INTO charges (order_id, amount) VALUES ($1, $2)");

describe("calls/idempotency after a timeout", () => {
  it("is violated where both attempts took effect", () => {
    const spans = spansOf(retried([{}, {}], [charged(800, [insert]), charged(300, [insert])]));
    const [finding, ...others] = check(spans);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { name: "checkout → payment POST /charge" },
      measures: { kinds: "effect-repeated" },
    });
    expect(quotedIds(finding)).toEqual(
      expect.arrayContaining(idsOf(spans, ({ kind }) => kind === "client")),
    );
  });

  it("is violated where the callee ran twice and nothing made that safe", () => {
    expect(verdict(retried([{}, {}], [charged(800), charged(700)]))).toEqual(["violated"]);
  });

  it("is violated where the spans tell what was paid and show no key", () => {
    expect(verdict(retried([{ "order.id": "42" }, { "order.id": "42" }]))).toEqual(["violated"]);
  });

  it("is violated where each attempt has a key of its own", () => {
    expect(verdict(retried([key("a"), key("b")]))).toEqual(["violated"]);
  });

  it("holds where all attempts have one key", () => {
    expect(verdict(retried([key("a"), key("a")], [charged(800), charged(20)]))).toEqual(["holds"]);
  });

  it("is inconclusive where nothing tells whether a key was sent", () => {
    const [finding] = check(spansOf(retried([{}, {}])));
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.missing[0]).toContain("idempotency key");
  });

  it("is violated where rows were written again under one key, and never holds where calls were made again", () => {
    const attempts = (effect: SpanTree): SpanTree =>
      retried([key("a"), key("a")], [charged(800, [effect]), charged(300, [effect])]);
    expect(verdict(attempts(insert))).toEqual(["violated"]);
    expect(verdict(attempts(post("http://bank/transfer", { attributes: status(200) })))).toEqual([
      "inconclusive",
    ]);
    const known = sql("INSERT INTO idempotency_keys (k) VALUES ($1)");
    expect(verdict(attempts(known))).toEqual(["holds"]);
    const refused = sql("INSERT INTO charges (id) VALUES ($1)", { status: "error" });
    const once = retried([key("a"), key("a")], [charged(800, [insert]), charged(300, [refused])]);
    expect(verdict(once)).toEqual(["holds"]);
  });

  it("is violated where the headers of the requests are on record, and no key is among them", () => {
    const headers = { "http.request.header.content-type": ["application/json"] };
    expect(verdict(retried([headers, headers]))).toEqual(["violated"]);
    expect(
      verdict(
        retried([
          { ...headers, ...key("a") },
          { ...headers, ...key("a") },
        ]),
      ),
    ).toEqual(["holds"]);
    // What a proxy wrote, the answer's headers, or an id that may serve as key prove nothing.
    for (const name of [
      "http.request.header.x-envoy-attempt-count",
      "http.response.header.content-type",
      "http.request.header.x-request-id",
    ]) {
      const other = { [name]: ["1"] };
      expect(verdict(retried([other, other])), name).toEqual(["inconclusive"]);
    }
    expect(verdict(retried([headers, {}]))).toEqual(["inconclusive"]);
  });

  it("is inconclusive where the second run may have repeated an answer", () => {
    expect(verdict(retried([{}, {}], [charged(800, [insert]), charged(5)]))).toEqual([
      "inconclusive",
    ]);
  });

  it("says nothing where the first attempt never reached the callee, or only read", () => {
    expect(verdict(retried([{ "error.type": "ECONNREFUSED" }, { "order.id": "42" }]))).toEqual([]);
    const read = { "http.request.method": "GET", "url.full": "http://payment/charges/7" };
    expect(verdict(retried([read, read]))).toEqual([]);
  });

  it("does not count rows that record attempts, or that were rolled back", () => {
    const audit = sql("INSERT INTO audit_log (what) VALUES ($1)");
    expect(
      verdict(retried([key("a"), key("a")], [charged(800, [audit]), charged(300, [audit])])),
    ).toEqual(["holds"]);
    const failed = serves("payment", "/charge", {
      durationMicros: ms(800),
      status: "error",
      children: [insert],
    });
    expect(verdict(retried([{}, {}], [failed, charged(300, [insert])]))).toEqual(["inconclusive"]);
  });
});

describe("calls/idempotency of keys", () => {
  const paid = (hash: string, more: Attributes = {}, code = 200): SpanTree =>
    post("http://payment/charge", {
      attributes: { ...key("k-1"), "http.request.body.hash": hash, ...status(code), ...more },
    });

  it("is violated where one key stands for two payloads", () => {
    const spans = spansOf(serves("checkout", "/pay", { children: [paid("aa"), paid("bb")] }));
    const [finding] = check(spans);
    expect(finding).toMatchObject({ verdict: "violated", measures: { kinds: "key-reused" } });
    expect(quotedIds(finding)).toEqual(
      expect.arrayContaining(idsOf(spans, ({ kind }) => kind === "client")),
    );
  });

  it("is violated where a repeated key did not keep the callee from writing again", () => {
    const again = (...children: SpanTree[]): SpanTree => ({
      ...paid("aa"),
      children: [charged(300, children)],
    });
    const twice = serves("checkout", "/pay", { children: [again(insert), again(insert)] });
    expect(check(spansOf(twice))).toMatchObject([
      { verdict: "violated", measures: { kinds: "effect-repeated" } },
    ]);
    const once = serves("checkout", "/pay", { children: [again(insert), again()] });
    expect(verdict(once)).toEqual(["holds"]);
  });

  it("sees a key that comes again in another trace", () => {
    expect(
      verdict(
        serves("checkout", "/pay", { children: [paid("aa")] }),
        serves("checkout", "/pay", { children: [paid("bb")] }),
      ),
    ).toEqual(["violated"]);
  });

  it("holds where the payload is the same, or another one is refused", () => {
    expect(verdict(serves("checkout", "/pay", { children: [paid("aa"), paid("aa")] }))).toEqual([
      "holds",
    ]);
    expect(
      verdict(serves("checkout", "/pay", { children: [paid("aa"), paid("bb", {}, 422)] })),
    ).toEqual(["holds"]);
  });
});

describe("calls/idempotency of one request", () => {
  const charge = (more: Attributes): SpanTree =>
    post("http://payment/charge", { attributes: { ...status(200), ...more } });
  const pay = (...children: readonly SpanTree[]) => serves("checkout", "/pay", { children });

  it.each([
    { "order.id": "42" },
    { "app.order.id": "42" },
    { "app.payment.id": 7 },
    { "request.body.sha256": "ab12" },
  ])("is violated where a thing with %j is charged twice", (about) => {
    const spans = spansOf(pay(charge(about), charge(about)));
    const [finding] = check(spans);
    expect(finding).toMatchObject({ verdict: "violated", measures: { kinds: "effect-repeated" } });
    expect(quotedIds(finding)).toEqual(idsOf(spans, ({ kind }) => kind === "client"));
  });

  it("sees it through the ids that each charge made", () => {
    const twice = ["t1", "t2"].map((id) => charge({ "order.id": "42", "transaction.id": id }));
    expect(verdict(pay(...twice))).toEqual(["violated"]);
  });

  it.each([
    ["other orders", [{ "order.id": "1" }, { "order.id": "2" }]],
    [
      "other amounts",
      [
        { "order.id": "1", amount: 5 },
        { "order.id": "1", amount: 7 },
      ],
    ],
    ["one user", [{ "app.user.id": "1" }, { "app.user.id": "1" }]],
    ["a failure before", [{ "order.id": "1", ...status(402) }, { "order.id": "1" }]],
  ])("says nothing about charges for %s", (_, about) => {
    expect(verdict(pay(...about.map(charge)))).toEqual([]);
  });

  it("holds where both carry one key", () => {
    const about = { "order.id": "42", ...key("k") };
    expect(verdict(pay(charge(about), charge(about)))).toEqual(["holds"]);
  });

  it("does not mistake rows of one order for each other", () => {
    const row = sql("INSERT INTO order_items (order_id, sku) VALUES ($1, $2)", {
      attributes: { "order.id": "42" },
    });
    expect(verdict(pay(row, row, row))).toEqual([]);
  });

  it.each([
    "orders/42/items",
    "orders/42/notes",
    "payments/42/notes",
    "payloads",
    "stock/reservations",
  ])("does not take POST /%s for something that an order has once", (path) => {
    const call = post(`http://shop/${path}`, {
      attributes: { ...status(200), "order.id": "42" },
    });
    expect(verdict(pay(call, call, call))).toEqual([]);
  });

  it.each(["orders", "orders/42/charge", "payments/42/capture", "payments"])(
    "knows POST /%s as made once",
    (path) => {
      const call = post(`http://shop/${path}`, {
        attributes: { ...status(201), "order.id": "42" },
      });
      expect(verdict(pay(call, call))).toEqual(["violated"]);
    },
  );

  it.each(["CreateOrder", "PlaceOrder", "Charge", "refundOrder"])(
    "knows %s as made once",
    (method) => {
      const call: SpanTree = {
        name: `shop.Orders/${method}`,
        kind: "client",
        attributes: {
          "rpc.system": "grpc",
          "rpc.service": "shop.Orders",
          "rpc.method": method,
          "app.order.id": "42",
        },
      };
      expect(verdict(pay(call, call))).toEqual(["violated"]);
    },
  );

  it("knows a row of which there is one by its values, unless it was rolled back", () => {
    const row = sql("INSERT INTO payments (id, amount) VALUES ('p-1', 5)");
    const other = sql("INSERT INTO payments (id, amount) VALUES ('p-2', 5)");
    const [finding] = check(spansOf(pay(row, row)));
    expect(finding).toMatchObject({ verdict: "violated", boundary: "resolver-database" });
    expect(verdict(pay(row, other))).toEqual([]);
    expect(verdict(pay(row, sql("ROLLBACK"), row))).toEqual([]);
    expect(verdict(pay(insert, insert))).toEqual([]);
    const item = sql("INSERT INTO order_items (sku) VALUES ('s-1')");
    expect(verdict(pay(item, item))).toEqual([]);
  });

  it("counts over the traces of a request that seemed to fail and was made again", () => {
    const about = { "order.id": "42" };
    const root = (code: number) =>
      serves("checkout", "/pay", {
        attributes: { ...about, ...status(code) },
        children: [charge(about)],
      });
    expect(verdict(root(504), root(200))).toEqual(["violated"]);
    expect(verdict(root(200), root(200))).toEqual([]);
  });
});

describe("calls/idempotency of messages", () => {
  const processed = (children: readonly SpanTree[], more: Attributes = {}): SpanTree => ({
    name: "orders process",
    kind: "consumer",
    service: "billing",
    attributes: {
      "messaging.system": "kafka",
      "messaging.destination.name": "orders",
      "messaging.operation.type": "process",
      "messaging.message.id": "m-1",
      ...more,
    },
    children,
  });
  const publish = (...children: readonly SpanTree[]): SpanTree => ({
    name: "orders publish",
    kind: "producer",
    children,
  });

  it("is violated where a message took effect twice", () => {
    const spans = spansOf(publish(processed([insert]), processed([insert])));
    const [finding] = check(spans);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { name: "orders → billing process" },
    });
    const consumers = idsOf(spans, ({ kind }) => kind === "consumer");
    expect(quotedIds(finding).slice(0, 2)).toEqual([...consumers].reverse());
  });

  it("holds where the second delivery had no effect", () => {
    const known = sql("SELECT 1 FROM processed WHERE id = $1");
    expect(verdict(publish(processed([known, insert]), processed([known])))).toEqual(["holds"]);
  });

  it("holds where the effect is the same when it is repeated", () => {
    const upsert = sql("INSERT INTO charges (id) VALUES ($1) ON CONFLICT DO NOTHING");
    expect(verdict(publish(processed([insert]), processed([upsert])))).toEqual(["holds"]);
  });

  it("is inconclusive where no effect is visible", () => {
    expect(verdict(publish(processed([]), processed([])))).toEqual(["inconclusive"]);
  });

  it("says nothing about other consumers, messages and steps, or a delivery after a failure", () => {
    const failed: SpanTree = { ...processed([insert]), status: "error" };
    expect(verdict(publish(failed, processed([insert])))).toEqual([]);
    const other = { ...processed([insert]), service: "mailer" };
    expect(verdict(publish(other, processed([insert])))).toEqual([]);
    expect(
      verdict(publish(processed([insert]), processed([insert], { "messaging.message.id": "m-2" }))),
    ).toEqual([]);
    expect(
      verdict(
        publish(
          processed([insert], { "messaging.operation.type": "receive" }),
          processed([insert]),
        ),
      ),
    ).toEqual([]);
  });
});
