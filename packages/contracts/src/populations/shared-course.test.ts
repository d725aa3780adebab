import { expect, it } from "vitest";

import type { EvidenceContent, MetricSeries } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { firstDeviation } from "./first-deviation.ts";
import { normal, seeded } from "./incident-maker.ts";

const startMicros = 1.75e15;
const fiveMinutes = 300e6;
const calls: readonly (readonly [from: string, to: string])[] = [
  ["site", "search"],
  ["site", "pay"],
  ["search", "table"],
  ["pay", "bank"],
];

/** Five points, two of them before the alert: `search` is slow for a while, and with it the site, which waits for it. */
function window(seed: number, metric = "latency"): Finding | undefined {
  const next = seeded(seed + 1);
  const course = [0, 0.2, 1, 0.8, 0.1];
  const names = ["site", "search", "table", "pay", "bank", "mail", "stock", "queue"];
  const series = names.flatMap((service) =>
    ["latency", "requests"].map((name): MetricSeries => {
      const part = name !== "latency" ? 0 : service === "search" ? 3 : service === "site" ? 0.6 : 0;
      // What nobody waits for is the noisier the less it is used.
      const noise = part > 0 ? 0.03 : 0.5;
      return {
        name,
        labels: { service },
        type: "gauge",
        timesMicros: course.map((_, at) => startMicros + at * fiveMinutes),
        values: course.map((share) => 10 * (1 + part * share) * Math.exp(noise * normal(next))),
      };
    }),
  );
  const contents: EvidenceContent[] = [
    { kind: "metrics", series },
    { kind: "topology", calls: calls.map(([from, to]) => ({ from, to })) },
    {
      kind: "incident",
      alerts: [
        { summary: "", service: "site", metric, timeMicros: startMicros + 1.6 * fiveMinutes },
      ],
      statuses: [],
      patterns: [],
    },
  ];
  return firstDeviation.check(
    createSnapshot(
      contents.map((content) => ({ source: { name: "x", format: "test", notes: [] }, content })),
    ),
  )[0];
}

it("comes near the service that has the course of what was noticed, and proves nothing by a few points", () => {
  let first = 0;
  for (let seed = 0; seed < 40; seed += 1) {
    const finding = window(seed);
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.measures).not.toHaveProperty("rankedServices");
    expect(finding?.missing?.join(" ")).toContain("a recording of a quiet time");
    const [service] = String(finding?.measures["candidatesBelowThreshold"]).split(", ");
    if (service === "search") first += 1;
  }
  expect(first).toBeGreaterThanOrEqual(34);
});

it("does not rank by a course where another kind of metric was noticed", () => {
  const [service] = String(window(3, "cpu")?.measures["candidatesBelowThreshold"]).split(", ");
  expect(service).not.toBe("");
});
