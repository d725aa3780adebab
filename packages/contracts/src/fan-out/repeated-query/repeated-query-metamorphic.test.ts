import {
  array,
  assert,
  boolean,
  constantFrom,
  integer,
  property,
  record,
  shuffledSubarray,
  tuple,
} from "fast-check";
import { describe, expect, it } from "vitest";

import type { Span } from "../../model/span.ts";
import { repeatedQuery } from "./repeated-query.ts";
import {
  get,
  graphqlOrders,
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "../../traces/trace-builder.ts";

/** What is found, without ids of spans and evidence. */
function facts(...traces: readonly (readonly Span[])[]): unknown[] {
  return repeatedQuery.check(snapshotOfSpans(...traces)).map((finding) => ({
    verdict: finding.verdict,
    subject: finding.subject,
    title: finding.title,
    measures: finding.measures,
  }));
}

const listLength = integer({ min: 1, max: 30 });
const tree = constantFrom("one-by-one", "batched", "handler", "http", "retried", "nested").chain(
  (shape) =>
    listLength.map((length): SpanTree => {
      switch (shape) {
        case "one-by-one":
        case "batched":
          return graphqlOrders(length, shape);
        case "handler":
          return request(
            "/orders",
            times(length, () => sql("SELECT * FROM c WHERE id = $1")),
          );
        case "http":
          return request(
            "/orders",
            times(length, (index) => get(`http://users/users/${index}`)),
          );
        case "retried":
          return request(
            "/orders",
            times(length, () => sql("SELECT * FROM c WHERE id = 1", { status: "error" })),
          );
        default:
          return request(
            "/orders",
            times(length, (index) =>
              get(`http://users/users/${index}`, {
                children: [
                  request(
                    "/users/{id}",
                    times(length, () => sql("SELECT 1 FROM d WHERE e = $1")),
                    "users",
                  ),
                ],
              }),
            ),
          );
      }
    }),
);
const traces = array(tree, { minLength: 1, maxLength: 3 }).map((trees) =>
  trees.map((item, index) => spansOf(item, index + 1)),
);

/** Spans of another operation that have nothing to do with the first. */
const unrelated = (seed: number): Span[] =>
  spansOf(
    request("/health", [sql("SELECT * FROM health WHERE node = $1"), { name: "render" }], "probe"),
    seed,
  );

const renamed = (spans: readonly Span[], change: (id: string) => string): Span[] =>
  spans.map((span) => ({
    ...span,
    spanId: change(span.spanId),
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: change(span.parentSpanId) }),
    traceId: change(span.traceId),
  }));

describe("fan-out/repeated-query finds the same", () => {
  it("when spans come in another order, several times, and with spans of other work", () => {
    const changes = record({ twice: boolean(), strangers: boolean() });
    assert(
      property(
        traces.chain((spans) =>
          tuple(
            tuple(...spans.map((list) => shuffledSubarray(list, { minLength: list.length }))),
            changes,
          ),
        ),
        ([lists, { twice, strangers }]) => {
          const changed = lists.map((list) => (twice ? [...list, ...list] : list));
          const added = strangers ? [unrelated(900)] : [];
          expect(facts(...changed, ...added)).toEqual(facts(...lists.map((list) => sorted(list))));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("when every id is another", () => {
    const digits = "0123456789abcdef";
    const change = (id: string): string =>
      id.replace(/./g, (digit) => digits.charAt(15 - digits.indexOf(digit)));
    assert(
      property(traces, (lists) => {
        expect(facts(...lists.map((list) => renamed(list, change)))).toEqual(facts(...lists));
      }),
      { numRuns: 60 },
    );
  });

  it("when the spans of one trace lie in several pieces of evidence", () => {
    assert(
      property(traces, integer({ min: 1, max: 5 }), (lists, step) => {
        const pieces = lists.flatMap((list) => [
          list.filter((_, index) => index % (step + 1) === 0),
          list.filter((_, index) => index % (step + 1) !== 0),
        ]);
        expect(facts(...pieces)).toEqual(facts(...lists));
      }),
      { numRuns: 60 },
    );
  });

  it("when spans of other work are added to the same trace", () => {
    const [root, ...rest] = spansOf(graphqlOrders(9, "one-by-one"));
    if (root === undefined) throw new Error("a trace has a root");
    const strangers = unrelated(7).map((span, index) => ({
      ...span,
      traceId: root.traceId,
      ...(index === 0 ? { parentSpanId: root.spanId } : {}),
    }));
    expect(facts([root, ...rest, ...strangers])).toEqual(facts([root, ...rest]));
  });

  it("whenever the request was made", () => {
    assert(
      property(traces, integer({ min: 1, max: 1_000_000 }), (lists, seconds) => {
        const later = lists.map((list) =>
          list.map((span) => ({ ...span, startMicros: span.startMicros + seconds * 1_000_000 })),
        );
        expect(facts(...later)).toEqual(facts(...lists));
      }),
      { numRuns: 40 },
    );
  });
});

describe("fan-out/repeated-query on generated lists", () => {
  it("is violated exactly when the list reaches the smallest count, with that count", () => {
    assert(
      property(listLength, (length) => {
        const findings = repeatedQuery.check(
          snapshotOfSpans(spansOf(graphqlOrders(length, "one-by-one"))),
        );
        expect(findings.map((finding) => finding.verdict)).toEqual([
          length >= 5 ? "violated" : "inconclusive",
        ]);
        if (length >= 5) expect(findings[0]?.measures["countMax"]).toBe(length);
      }),
    );
  });

  it("is never violated by a batch, whatever its length", () => {
    assert(
      property(listLength, (length) => {
        const findings = repeatedQuery.check(
          snapshotOfSpans(spansOf(graphqlOrders(length, "batched"))),
        );
        expect(findings.map((finding) => finding.verdict)).toEqual([
          length >= 5 ? "holds" : "inconclusive",
        ]);
      }),
    );
  });

  it("gives every inconclusive finding something that is missing, and every other one evidence", () => {
    assert(
      property(traces, (lists) => {
        for (const finding of repeatedQuery.check(snapshotOfSpans(...lists))) {
          expect(finding.missing.length > 0).toBe(finding.verdict === "inconclusive");
          expect(finding.evidence.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 60 },
    );
  });
});

function sorted(spans: readonly Span[]): Span[] {
  return [...spans].sort((left, right) => (left.spanId < right.spanId ? -1 : 1));
}
