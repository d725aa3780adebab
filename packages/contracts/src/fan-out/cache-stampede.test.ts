import { describe, expect, it } from "vitest";

import { factsOf, traceVariants } from "../../test/metamorphic-traces.ts";
import type { Attributes, Span } from "../model/span.ts";
import {
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "../traces/trace-builder.ts";
import { cacheStampede } from "./cache-stampede.ts";

const check = (...traces: readonly (readonly Span[])[]) =>
  cacheStampede.check(snapshotOfSpans(...traces));
const redis = (command: string, more: Attributes = {}): SpanTree =>
  sql(command, { durationMicros: 400, attributes: { "db.system.name": "redis", ...more } });
const load = sql("SELECT * FROM products WHERE category = $1", { durationMicros: 200_000 });
const missed: Attributes = { "cache.hit": false, "cache.key": ["products:home"] };

/** One trace for each request; the n-th begins `gapMicros` after the one ahead of it. */
function requests(count: number, children: readonly SpanTree[], gapMicros: number): Span[][] {
  return times(count, (index) => {
    const spans = spansOf(request("/home", children), index + 1);
    // The builder starts each trace a minute after the one ahead of it.
    const shift = index * (gapMicros - 60_000_000);
    return spans.map((span) => ({ ...span, startMicros: span.startMicros + shift }));
  });
}
const lookup: SpanTree = { name: "cache.get", attributes: missed, durationMicros: 300 };
const filled = [redis("GET products:home"), load, redis("SETEX products:home 60 x")];

describe("fan-out/cache-stampede", () => {
  it("names the key and exactly the loads that ran at once", () => {
    const traces = requests(12, [lookup, load], 5_000);
    const [finding, ...others] = check(...traces);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "cache-key", name: "orders products:home" },
      measures: { concurrentLoadCount: 12, traceCount: 12, lookupCount: 12 },
    });
    const loads = traces.map((spans) => spans.find((span) => span.kind === "client")?.spanId);
    expect(finding?.evidence.map(({ locator }) => locator)).toEqual(loads);
  });

  it("takes a look-up that is followed by a load and a write of its key for a miss", () => {
    expect(check(...requests(8, filled, 5_000))).toMatchObject([
      { verdict: "violated", measures: { concurrentLoadCount: 8 } },
    ]);
  });

  it("sees that a key is loaded again and again, and never found", () => {
    expect(check(...requests(12, [lookup, load], 1_000_000))).toMatchObject([
      { verdict: "violated", measures: { loadCount: 12, hitCount: 0 } },
    ]);
  });

  it("holds when one request loads and the others wait for it", () => {
    const [first = [], ...others] = requests(8, [lookup], 5_000);
    const [loader = []] = requests(1, [lookup, load], 5_000);
    expect(check(loader, ...others)).toMatchObject([
      { verdict: "holds", subject: { name: "orders products:home" } },
    ]);
    expect(first).toHaveLength(2);
  });

  it("makes one subject of keys that differ in what they name", () => {
    const of = (id: number): SpanTree[] => [
      { ...lookup, attributes: { "cache.hit": false, "cache.key": `product:${id}` } },
      load,
    ];
    const traces = [4711, 4712].flatMap((id, at) =>
      requests(6 + at, of(id), 5_000).map((spans) =>
        spans.map((span) => ({
          ...span,
          traceId: span.traceId.replace(/^0/, String(at + 1)),
          spanId: span.spanId.replace(/^0/, String(at + 1)),
          ...(span.parentSpanId === undefined
            ? {}
            : { parentSpanId: span.parentSpanId.replace(/^0/, String(at + 1)) }),
        })),
      ),
    );
    expect(check(...traces)).toMatchObject([
      { subject: { name: "orders product:{id}" }, measures: { concurrentLoadCount: 7 } },
    ]);
  });
});

describe("fan-out/cache-stampede is silent about", () => {
  const hit = { ...lookup, attributes: { ...missed, "cache.hit": true } };
  const silent: Readonly<Record<string, Span[][]>> = {
    hits: requests(20, [hit, load], 5_000),
    "a few misses at once": requests(4, [lookup, load], 5_000),
    "look-ups whose outcome nothing shows": requests(9, [redis("GET products:home"), load], 5_000),
    "cheap loads": requests(9, [lookup, { ...load, durationMicros: 900 }], 50),
    "the same load without a cache": requests(9, [load], 5_000),
    "misses without a load": requests(4, [lookup], 5_000),
    "keys that are masked": requests(9, [redis("GET ?"), load, redis("SET ? ?")], 5_000),
  };
  for (const [name, traces] of Object.entries(silent)) {
    it(name, () => expect(check(...traces)).toEqual([]));
  }

  it("misses of different keys", () => {
    const traces = times(9, (index) =>
      requests(
        index + 1,
        [{ ...lookup, attributes: { ...missed, "cache.key": `product:${index + 100}` } }, load],
        5_000,
      ).slice(index),
    ).flat();
    expect(check(...traces)).toEqual([]);
  });
});

describe("fan-out/cache-stampede finds the same when", () => {
  const traces = requests(12, filled, 5_000);
  for (const variant of traceVariants(traces)) {
    it(variant.name, () => {
      const plain = { snapshot: snapshotOfSpans(...traces), renames: variant.renames };
      expect(factsOf(cacheStampede, variant)).toEqual(factsOf(cacheStampede, plain));
    });
  }
});
