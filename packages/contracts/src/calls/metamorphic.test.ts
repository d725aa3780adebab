/** What must change no finding of any contract about calls, and what must break none of them. */

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { strangerService, traceVariants } from "../../test/metamorphic-traces.ts";
import { Finding } from "../model/finding.ts";
import type { Attributes, AttributeValue, Span } from "../model/span.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { snapshotOfSpans, spansOf, type SpanTree, sql, times } from "../traces/trace-builder.ts";
import { attempts, ms, post, serves, status } from "./call-traces.ts";
import { callContracts } from "./contracts.ts";
import { Value } from "typebox/value";

const timeout: Attributes = { "error.type": "timeout" };
const insert = sql("INSERT INTO charges (order_id) VALUES ($1)", { durationMicros: ms(3) });

/** Requests of which each violates some contract about calls, or keeps it. */
const trees: Readonly<Record<string, readonly SpanTree[]>> = {
  "nested retries": [
    serves("web", "/a", {
      status: "error",
      children: attempts(
        () =>
          post("http://orders/a", {
            attributes: status(503),
            children: [
              serves("orders", "/a", {
                status: "error",
                children: attempts(
                  () => post("http://stock/a", { attributes: status(503) }),
                  [5, 5],
                ),
              }),
            ],
          }),
        [7, 31, 64],
        200,
      ),
    }),
  ],
  "refusals tried again": [
    serves("web", "/a", {
      children: attempts(() => post("http://orders/a", { attributes: status(422) }), [50, 50]),
    }),
  ],
  deadlines: [
    serves("web", "/a", {
      attributes: { timeout_ms: 800 },
      children: [
        post("http://orders/a", { at: ms(20), attributes: { timeout_ms: 3_000 } }),
        post("http://stock/a", { at: ms(40), attributes: { timeout_ms: 700 } }),
      ],
    }),
  ],
  "a caller that left": [
    serves("web", "/a", {
      children: [
        post("http://payment/charge", {
          durationMicros: ms(500),
          attributes: timeout,
          children: [
            serves("payment", "/charge", {
              durationMicros: ms(4_000),
              children: [{ ...insert, at: ms(3_000) }],
            }),
          ],
        }),
      ],
    }),
  ],
  "an effect made twice": [1, 2].map((round) =>
    serves("web", "/a", {
      children: [0, 1].map((attempt) =>
        post("http://payment/charge", {
          at: ms(10 + attempt * 700),
          durationMicros: ms(500),
          attributes: { ...(attempt === 0 ? timeout : status(200)), "order.id": `o-${round}` },
          children: [serves("payment", "/charge", { durationMicros: ms(450), children: [insert] })],
        }),
      ),
    }),
  ),
  "a message taken twice": [
    {
      name: "publish",
      kind: "producer",
      children: times(2, () => ({
        name: "process",
        kind: "consumer" as const,
        service: "billing",
        attributes: { "messaging.destination.name": "orders", "messaging.message.id": "m" },
        children: [insert],
      })),
    },
  ],
  "all well": [
    serves("web", "/a", {
      children: [
        post("http://orders/a", { attributes: status(200), children: [serves("orders", "/a")] }),
      ],
    }),
  ],
};

function facts(snapshot: Snapshot, withPlaces: boolean): unknown[] {
  return callContracts.flatMap((contract) =>
    contract
      .check(snapshot)
      .filter(({ subject }) => !subject.name.includes(strangerService))
      .map(({ verdict, subject, title, measures, evidence }) => ({
        contract: contract.id,
        verdict,
        subject,
        title,
        measures,
        places: withPlaces
          ? evidence.map(({ locator, quote }) => `${locator} ${quote}`).sort()
          : evidence.length,
      })),
  );
}

describe.each(Object.entries(trees))("every contract about calls, on %s", (_, list) => {
  const traces = list.map((tree, index) => spansOf(tree, index + 1));
  it.each(traceVariants(traces))("finds the same when $name", ({ snapshot, renames }) => {
    expect(facts(snapshot, !renames)).toEqual(facts(snapshotOfSpans(...traces), !renames));
  });

  it("finds something, and only what its schema allows", () => {
    const found = callContracts.flatMap((contract) => contract.check(snapshotOfSpans(...traces)));
    expect(found.length).toBeGreaterThan(0);
    for (const finding of found) {
      expect(Value.Errors(Finding, finding)).toEqual([]);
      expect(finding.missing.length > 0).toBe(finding.verdict === "inconclusive");
      expect(finding.evidence.length).toBeGreaterThan(0);
    }
  });
});

/** Attributes that these contracts read, with values of every kind. */
const attributeNames = [
  "http.request.method",
  "url.full",
  "http.response.status_code",
  "rpc.system",
  "rpc.method",
  "rpc.grpc.status_code",
  "rpc.grpc.timeout",
  "timeout_ms",
  "deadline",
  "error",
  "error.type",
  "response_flags",
  "http.request.resend_count",
  "http.response.header.retry-after",
  "http.request.header.idempotency-key",
  "http.request.body.hash",
  "order.id",
  "messaging.message.id",
  "messaging.destination.name",
  "db.system.name",
  "db.query.text",
  "gen_ai.request.model",
  "peer.service",
] as const;
const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.constantFrom<AttributeValue>(
    "POST",
    "http://b/c",
    503,
    "503",
    "timeout",
    4,
    "5S",
    "UT",
    true,
    0,
  ),
  fc.string({ maxLength: 12 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom<AttributeValue>(
    null,
    [],
    ["1"],
    ["a", "b"],
    { a: 1 },
    "9".repeat(300),
    1e300,
    -1,
  ),
);
const spans = fc
  .array(
    fc.record({
      parent: fc.option(fc.nat(14)),
      kind: fc.constantFrom<Span["kind"]>(
        "client",
        "server",
        "internal",
        "consumer",
        "producer",
        "unspecified",
      ),
      service: fc.constantFrom("a", "b", "c"),
      name: fc.constantFrom("POST", "attempt 1", "GET /x", "process", "shop.Cart/Add"),
      at: fc.nat(5_000_000),
      length: fc.constantFrom(0, 1, 1_000, 900_000, 4_000_000),
      code: fc.constantFrom<Span["status"]["code"]>("unset", "ok", "error"),
      attributes: fc.dictionary(fc.constantFrom(...attributeNames), value, { maxKeys: 8 }),
      event: fc.option(fc.constantFrom("client disconnected", "exception", "deadline set")),
    }),
    { minLength: 1, maxLength: 15 },
  )
  .map((drafts) =>
    drafts.map((draft, index): Span => {
      const traceId = "5".repeat(32);
      const startMicros = 1_700_000_000_000_000 + draft.at;
      const idOf = (number: number): string => (number + 1).toString(16).padStart(16, "0");
      return {
        traceId,
        spanId: idOf(index),
        ...(draft.parent === null ? {} : { parentSpanId: idOf(draft.parent) }),
        name: draft.name,
        kind: draft.kind,
        service: draft.service,
        startMicros,
        durationNanos: draft.length * 1_000,
        status: { code: draft.code },
        attributes: draft.attributes,
        resource: {},
        scope: { name: "fuzz" },
        events:
          draft.event === null
            ? []
            : [{ name: draft.event, timeMicros: startMicros, attributes: draft.attributes }],
        links: [],
      };
    }),
  );

describe("every contract about calls, on any spans", () => {
  it("ends in findings that its schema allows, whatever the order of the spans", () => {
    fc.assert(
      fc.property(spans, (list) => {
        const found = callContracts.flatMap((item) => item.check(snapshotOfSpans(list)));
        const reversed = callContracts.flatMap((item) =>
          item.check(snapshotOfSpans([...list].reverse())),
        );
        expect(reversed.map(({ title }) => title)).toEqual(found.map(({ title }) => title));
        for (const finding of found) {
          expect(Value.Errors(Finding, finding)).toEqual([]);
          expect(finding.missing.length > 0).toBe(finding.verdict === "inconclusive");
        }
      }),
      { numRuns: 200 },
    );
  });
});
