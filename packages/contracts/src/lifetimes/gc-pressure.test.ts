import { describe, expect, it } from "vitest";

import type { EvidenceContent, MetricSeries } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { createSnapshot, snapshotOf } from "../snapshot/create-snapshot.ts";
import { gcPressure } from "./gc-pressure.ts";

const stepSeconds = 15;
const pointCount = 120;

/** A counter that gains so much in a second, and where it stands then. */
function counter(name: string, rate: (share: number) => number, labels = {}): MetricSeries {
  let value = 0;
  const values = Array.from({ length: pointCount }, (_item, index) => {
    value += rate(index / pointCount) * stepSeconds;
    return value;
  });
  return {
    name,
    labels: { job: "shop", instance: "10.0.0.1:9090", ...labels },
    type: "counter",
    timesMicros: values.map((_value, index) => 1_700_000_000_000_000 + index * stepSeconds * 1e6),
    values,
  };
}

function check(...series: MetricSeries[]): Finding[] {
  const content: EvidenceContent = { kind: "metrics", series };
  const source = { name: "x", format: "x", notes: [] };
  return gcPressure.check(createSnapshot([{ source, content }]));
}

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

const requests = (rate: (share: number) => number): MetricSeries =>
  counter("http_requests_total", rate, { code: "200" });

describe("pauses of the collector", () => {
  it.each([
    "go_gc_duration_seconds_sum",
    "jvm_gc_pause_seconds_sum",
    "nodejs_gc_duration_seconds_sum",
    "v8js.gc.duration_sum",
    "dotnet_gc_pause_time_seconds_total",
  ])("that grow at the same load are pressure: %s", (name) => {
    const [finding, ...others] = check(
      counter(name, (share) => 0.01 + 0.2 * share, { kind: "major" }),
      requests(() => 100),
    );
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "capacity" });
  });

  it("that grow with the load, or where nothing tells the load, prove nothing", () => {
    const pauses = counter("jvm_gc_pause_seconds_sum", (share) => 0.01 + 0.2 * share);
    expect(check(pauses)).toMatchObject([{ verdict: "inconclusive" }]);
    expect(
      check(
        pauses,
        requests((share) => 10 + 200 * share),
      ),
    ).toMatchObject([{ verdict: "inconclusive" }]);
  });

  it("that are small hold, and what runs beside the program is none", () => {
    expect(check(counter("go_gc_duration_seconds_sum", () => 0.001))).toMatchObject([
      { verdict: "holds" },
    ]);
    const beside = counter("jvm_gc_collection_seconds_sum", () => 0.9, { gc: "G1 Concurrent GC" });
    expect(check(beside)).toEqual([]);
  });

  it("that take a third of the time at any load are pressure", () => {
    expect(check(counter("jvm_gc_collection_seconds_sum", () => 0.4))).toMatchObject([
      { verdict: "violated" },
    ]);
    expect(check(counter("jvm_gc_collection_seconds_sum", () => 0.1))).toMatchObject([
      { verdict: "inconclusive" },
    ]);
  });

  it("say which part of a request they could explain, and what grew with them", () => {
    const [finding] = check(
      counter("jvm_gc_pause_seconds_sum", (share) => 0.01 + 0.3 * share),
      counter("http_server_requests_seconds_count", () => 100),
      counter("http_request_duration_seconds_count", () => 100),
      counter("http_request_duration_seconds_sum", (share) => 100 * (0.05 + 0.05 * share)),
      { ...counter("jvm_gc_live_data_size_bytes", (share) => share), type: "gauge" },
    );
    expect(finding).toMatchObject({ verdict: "violated" });
    expect(finding?.actual).toMatch(/pauses within it could explain about \d/);
    expect(finding?.fixes[0]?.description).toContain("what lives has grown");
    const delay = counter("nodejs_eventloop_lag_p99_seconds", (share) => share / 1_000);
    const [ofNode] = check(
      counter("nodejs_gc_duration_seconds_sum", (share) => 0.01 + 0.3 * share),
      { ...delay, type: "gauge" },
    );
    expect(ofNode?.actual).toContain("The event loop was late by");
  });

  it("are called pressure in at most two of 1,000 nulls", () => {
    let found = 0;
    for (let round = 0; round < 1_000; round += 1) {
      const random = randomOf(round + 1);
      const findings = check(
        counter("go_gc_duration_seconds_sum", () => 0.2 * random()),
        requests(() => 100),
      );
      found += findings.filter(({ verdict }) => verdict === "violated").length;
    }
    expect(found).toBeLessThanOrEqual(2);
  });
});

describe("the processor's time of the collector", () => {
  it("is judged by its share of all that was used", () => {
    const all = counter("go_cpu_classes_total_cpu_seconds_total", () => 8);
    const collector = (rate: (share: number) => number): MetricSeries =>
      counter("go_cpu_classes_gc_total_cpu_seconds_total", rate);
    expect(
      check(
        all,
        collector((share) => 0.4 + 4 * share),
        requests(() => 50),
      ),
    ).toMatchObject([{ verdict: "violated" }]);
    expect(
      check(
        all,
        collector(() => 0.4),
      ),
    ).toMatchObject([{ verdict: "holds" }]);
  });

  it("is read from what Go's client of Prometheus exposes, of which one scrape says nothing", () => {
    const text = [
      "# TYPE go_gc_duration_seconds summary",
      'go_gc_duration_seconds{quantile="1"} 0.002',
      "go_gc_duration_seconds_sum 12.5",
      "go_gc_duration_seconds_count 9000",
    ].join("\n");
    const bytes = new TextEncoder().encode(`${text}\n`);
    const { evidence } = readEvidence([{ name: "metrics.txt", bytes }]);
    expect(gcPressure.check(snapshotOf(evidence))).toEqual([]);
  });
});
