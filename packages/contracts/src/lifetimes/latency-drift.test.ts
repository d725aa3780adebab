import { describe, expect, it } from "vitest";

import type { EvidenceContent, MetricSeries } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import type { Attributes, Span } from "../model/span.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { latencyDrift } from "./latency-drift.ts";

const startMicros = 1_763_791_200_000_000;
const source = { name: "x", format: "x", notes: [] };

function check(contents: readonly EvidenceContent[]): Finding[] {
  return latencyDrift.check(createSnapshot(contents.map((content) => ({ source, content }))));
}

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** About normal, with mean 0 and deviation 1. */
function noiseOf(random: () => number): number {
  return Array.from({ length: 12 }, random).reduce((sum, value) => sum + value, -6);
}

interface Step {
  readonly name: string;
  readonly kind: Span["kind"];
  readonly millis: number;
}

/** A request with what it spends below it. */
function request(
  index: number,
  parts: {
    millis: number;
    secondsApart?: number;
    below?: readonly Step[];
    attributes?: Attributes;
  },
): EvidenceContent {
  const traceId = (index + 1).toString(16).padStart(32, "0");
  const at = startMicros + Math.round(index * (parts.secondsApart ?? 1) * 1_000_000);
  const span = (number: number, step: Step, parent?: string): Span => ({
    traceId,
    spanId: (index * 100 + number + 1).toString(16).padStart(16, "0"),
    ...(parent === undefined ? {} : { parentSpanId: parent }),
    name: step.name,
    kind: step.kind,
    service: "shop",
    startMicros: at,
    durationNanos: Math.round(step.millis * 1_000_000),
    status: { code: "unset" },
    attributes: parent === undefined ? (parts.attributes ?? {}) : {},
    resource: {},
    scope: { name: "x" },
    events: [],
    links: [],
  });
  const root = span(0, { name: "GET /a", kind: "server", millis: parts.millis });
  const rest = (parts.below ?? []).map((step, number) => span(number + 1, step, root.spanId));
  return { kind: "trace", traceId, spans: [root, ...rest] };
}

const counts = Array.from({ length: 240 }, (_item, index) => index);

describe("requests that take longer and longer", () => {
  it("are named by the part that drifts: the queue, and not the work", () => {
    const random = randomOf(3);
    const traces = counts.map((index) => {
      const queue = 10 + index * 0.5 + random() * 4;
      const work = 40 + random() * 8;
      const below: Step[] = [
        { name: "pool.acquire", kind: "internal", millis: queue },
        { name: "GET", kind: "client", millis: 12 + random() },
      ];
      return request(index, { millis: queue + work, below });
    });
    const [finding] = check(traces);
    expect(finding).toMatchObject({ verdict: "violated", measures: { part: "queue" } });
    expect(finding?.actual).toContain("Without drift: connect, downstream, service");
  });

  it("are named by the first token or what comes after it, for models that stream", () => {
    const random = randomOf(4);
    const streamed = (
      first: (index: number) => number,
      each: (index: number) => number,
    ): Finding[] =>
      check(
        counts.map((index) =>
          request(index, {
            millis: first(index) + 99 * each(index),
            attributes: {
              "gen_ai.response.time_to_first_chunk": first(index) / 1_000,
              "gen_ai.usage.output_tokens": 100,
            },
          }),
        ),
      );
    const steady = (): number => 20 + random();
    expect(streamed((index) => 300 + 4 * index, steady)[0]?.measures["part"]).toBe("first token");
    expect(
      streamed(
        () => 300,
        (index) => 20 + index / 4,
      )[0]?.measures["part"],
    ).toBe("inter-token");
  });

  it("are no fault of their own when the rate of requests grew as well", () => {
    const traces = counts.map((index) => {
      const secondsApart = index < 120 ? 1 : 0.6;
      return request(index, { millis: index < 120 ? 50 : 100 + index / 100, secondsApart });
    });
    expect(check(traces).map(({ verdict }) => verdict)).not.toContain("violated");
  });
});

describe("metrics", () => {
  const series = (
    name: string,
    values: readonly number[],
    type: MetricSeries["type"],
  ): MetricSeries => ({
    name,
    labels: { service: "shop" },
    type,
    timesMicros: values.map((_value, index) => startMicros + index * 15_000_000),
    values: [...values],
  });
  const cumulated = (steps: readonly number[]): number[] => {
    let sum = 0;
    return steps.map((step) => (sum += step));
  };

  it("give the mean of a histogram, and the rate that does not explain it", () => {
    const random = randomOf(8);
    const each = counts.map(() => 100 + Math.floor(random() * 10));
    const sums = counts.map(
      (index) => (each[index] ?? 0) * (0.1 + index * 0.002 + random() * 0.01),
    );
    const content: EvidenceContent = {
      kind: "metrics",
      series: [
        series("http_request_duration_seconds_sum", cumulated(sums), "counter"),
        series("http_request_duration_seconds_count", cumulated(each), "counter"),
      ],
    };
    const [finding] = check([content]);
    expect(finding).toMatchObject({ verdict: "violated", subject: { kind: "metric" } });
    expect(finding?.title).toContain("http_request_duration_seconds");
  });

  it("of a gauge alone are inconclusive: the rate of requests is missing", () => {
    const values = counts.map((index) => 100 + index * 2);
    const content: EvidenceContent = {
      kind: "metrics",
      series: [series("latency_p99_ms", values, "gauge")],
    };
    expect(check([content])).toMatchObject([{ verdict: "inconclusive" }]);
  });
});

describe("healthy measurements", () => {
  it("hold, and a few are not judged", () => {
    const random = randomOf(5);
    const steady = counts.map((index) =>
      request(index, { millis: 50 * Math.exp(0.4 * noiseOf(random)) }),
    );
    expect(check(steady)).toMatchObject([{ verdict: "holds" }]);
    expect(check(steady.slice(0, 30))).toEqual([]);
  });

  it("are called a drift in none of 1,000 nulls, of which half remember what was before", () => {
    let found = 0;
    for (let round = 0; round < 1_000; round += 1) {
      const random = randomOf(round + 1);
      const memory = round % 2 === 0 ? 0 : 0.8;
      let last = 0;
      const values = Array.from({ length: 120 }, () => {
        last = memory * last + Math.sqrt(1 - memory * memory) * noiseOf(random);
        return 50 * Math.exp(0.3 * last);
      });
      const flat = values.map(() => 100);
      const timesMicros = values.map((_value, index) => startMicros + index * 15_000_000);
      const labels = { service: "shop" };
      const content: EvidenceContent = {
        kind: "metrics",
        series: [
          { name: "latency_p99_ms", labels, type: "gauge", timesMicros, values },
          { name: "requests_per_second", labels, type: "gauge", timesMicros, values: flat },
        ],
      };
      if (check([content]).some(({ verdict }) => verdict === "violated")) found += 1;
    }
    expect(found).toBeLessThanOrEqual(1);
  });

  it("give the same in any order, twice, and beside other services", () => {
    const traces = counts.map((index) => request(index, { millis: 50 + index }));
    const [expected] = check(traces);
    const facts = ({ verdict, title, actual }: Finding): unknown => [verdict, title, actual];
    expect(expected?.verdict).toBe("violated");
    const turned = check([...traces, ...traces].reverse())[0];
    expect(turned === undefined ? undefined : facts(turned)).toEqual(
      expected === undefined ? "" : facts(expected),
    );
  });
});
