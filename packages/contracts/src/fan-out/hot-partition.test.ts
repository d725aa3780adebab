import { assert, integer, property } from "fast-check";
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
import { hotPartition } from "./hot-partition.ts";
import { skewOf } from "./skew.ts";

const check = (...traces: readonly (readonly Span[])[]) =>
  hotPartition.check(snapshotOfSpans(...traces));
const publish = (partition: number, more: Attributes = {}): SpanTree => ({
  name: "publish orders",
  kind: "producer",
  attributes: {
    "messaging.system": "kafka",
    "messaging.destination.name": "orders",
    "messaging.destination.partition.id": String(partition),
    ...more,
  },
});
/** Each trace publishes one message; `choose` names its partition. */
const published = (count: number, choose: (index: number) => number): Span[][] =>
  times(count, (index) => spansOf(request("/orders", [publish(choose(index))]), index + 1));
const hot = (index: number): number => (index % 10 < 7 ? 3 : index % 8);
const even = (index: number): number => index % 8;

describe("fan-out/hot-partition", () => {
  it("names the hot partition, its share and exactly its uses", () => {
    const traces = published(120, hot);
    const [finding, ...others] = check(...traces);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "partition-set", name: "kafka orders published" },
      measures: { partition: "3", partitionCount: 8, useCount: 120, fairShare: 0.125 },
    });
    const offenders = traces
      .flat()
      .filter((span) => span.attributes["messaging.destination.partition.id"] === "3");
    expect(new Set(finding?.evidence.map(({ locator }) => locator))).toEqual(
      new Set(offenders.map((span) => span.spanId)),
    );
  });

  it("holds when the partitions share the work", () => {
    expect(check(...published(120, even))).toMatchObject([
      { verdict: "holds", subject: { name: "kafka orders published" } },
    ]);
  });

  it.each<[string, Attributes]>([
    ["a shard attribute", { "db.shard.id": "2" }],
    ["the address of a shard", { "server.address": "shop-shard-2.db.internal" }],
  ])("knows shards of a database by %s", (_, attributes) => {
    const cold = (index: number): Attributes =>
      "db.shard.id" in attributes
        ? { "db.shard.id": String(index % 6) }
        : { "server.address": `shop-shard-${index % 6}.db.internal` };
    const traces = times(90, (index) =>
      spansOf(
        request("/orders", [
          sql("SELECT * FROM o WHERE id = $1", {
            attributes: index % 3 === 0 ? cold(index / 3) : attributes,
          }),
        ]),
        index + 1,
      ),
    );
    expect(check(...traces)).toMatchObject([
      { verdict: "violated", boundary: "resolver-database", measures: { partition: "2" } },
    ]);
  });

  it("is inconclusive when a few requests made all the uses", () => {
    const traces = times(4, (trace) =>
      spansOf(
        request(
          "/orders",
          times(40, (index) => publish(hot(index))),
        ),
        trace + 1,
      ),
    );
    expect(check(...traces)).toMatchObject([{ verdict: "inconclusive" }]);
  });

  it("does not take the many messages of one busy request for a hot partition", () => {
    const busy = spansOf(
      request(
        "/orders",
        times(300, () => publish(5)),
      ),
      999,
    );
    expect(check(...published(80, even), busy)).toMatchObject([{ verdict: "holds" }]);
  });
});

describe("fan-out/hot-partition is silent about", () => {
  it("few uses, few partitions and spans without partitions", () => {
    expect(check(...published(20, hot))).toEqual([]);
    expect(check(...published(200, (index) => (index % 9 === 0 ? 1 : 0)))).toEqual([]);
    expect(
      check(
        spansOf(
          request(
            "/orders",
            times(90, () => sql("SELECT * FROM o")),
          ),
        ),
      ),
    ).toEqual([]);
  });

  it("a share that chance explains", () => {
    const chance = (index: number): number => ((index * 2_654_435_761) % 4_294_967_296) % 5;
    for (const finding of check(...published(300, chance))) expect(finding.verdict).toBe("holds");
  });
});

describe("the chance of a skew", () => {
  it("is never understated: it bounds the exact tail of the binomial distribution", () => {
    assert(
      property(integer({ min: 2, max: 12 }), integer({ min: 1, max: 40 }), (places, hottest) => {
        const counts = new Map(
          times(places, (index) => [String(index), index === 0 ? hottest : 3] as const),
        );
        const total = hottest + 3 * (places - 1);
        const skew = skewOf(counts, 3);
        expect(skew.chanceMax).toBeGreaterThanOrEqual(
          Math.min(1, tailOf(total, 1 / places, skew.count)) - 1e-9,
        );
      }),
    );
  });

  /** The chance of at least `count` of `total`, each with chance `p`. */
  function tailOf(total: number, p: number, count: number): number {
    let term = (1 - p) ** total;
    let tail = count <= 0 ? term : 0;
    for (let k = 1; k <= total; k += 1) {
      term *= ((total - k + 1) / k) * (p / (1 - p));
      if (k >= count) tail += term;
    }
    return tail;
  }
});

describe("fan-out/hot-partition finds the same when", () => {
  const traces = published(120, hot);
  for (const variant of traceVariants(traces)) {
    it(variant.name, () => {
      const plain = { snapshot: snapshotOfSpans(...traces), renames: variant.renames };
      expect(factsOf(hotPartition, variant)).toEqual(factsOf(hotPartition, plain));
    });
  }
});
