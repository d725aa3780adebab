import { describe, expect, it } from "vitest";

import type { MetricSeries } from "../model/evidence.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { type Fault, faultyServices, simulateIncident } from "./fault-simulator.ts";
import { firstDeviation } from "./first-deviation.ts";
import { incident } from "./incident-maker.ts";

const faults: readonly Fault[] = ["cpu", "memory", "disk", "socket", "delay", "loss", "code"];
const seedCount = 2;

/** The share of faults whose service is the first, and among the first three. */
function accuracy(given: { hasMoment: boolean; hasCalls: boolean }): readonly [number, number] {
  let [first, early, all] = [0, 0, 0];
  for (const fault of faults)
    for (const rootService of faultyServices)
      for (let seed = 0; seed < seedCount; seed += 1) {
        const { series, calls, beganMicros } = simulateIncident({
          seed: seed + 7 * fault.length + rootService.length,
          fault,
          rootService,
          pointCount: 400,
        });
        const snapshot = incident({
          series,
          ...(given.hasCalls ? { calls } : {}),
          ...(given.hasMoment ? { beganMicros } : {}),
        });
        const [finding] = firstDeviation.check(snapshot);
        const ranked = String(finding?.measures["rankedServices"]).split(", ");
        expect(finding?.actual).toContain(`1. ${ranked[0]}`);
        all += 1;
        if (ranked[0] === rootService) first += 1;
        if (ranked.slice(0, 3).includes(rootService)) early += 1;
      }
  return [first / all, early / all];
}

describe("the service of an injected fault is ranked first", () => {
  it.each([
    { hasMoment: true, hasCalls: true, atLeast: 0.95 },
    { hasMoment: true, hasCalls: false, atLeast: 0.9 },
    { hasMoment: false, hasCalls: true, atLeast: 0.8 },
    { hasMoment: false, hasCalls: false, atLeast: 0.8 },
  ])("with the moment $hasMoment, with the graph $hasCalls", ({ atLeast, ...given }) => {
    const [first, early] = accuracy(given);
    expect(first).toBeGreaterThanOrEqual(atLeast);
    expect(early).toBeGreaterThanOrEqual(0.93);
  });
});

it("ranks what it cannot prove, and says that it cannot", () => {
  const { series, beganMicros } = simulateIncident({
    seed: 3,
    fault: "cpu",
    rootService: "cart",
    pointCount: 12,
  });
  const [finding] = firstDeviation.check(incident({ series, beganMicros }));
  expect(finding?.verdict).toBe("inconclusive");
  expect(finding?.measures).not.toHaveProperty("rankedServices");
  expect(String(finding?.measures["candidatesBelowThreshold"]).split(", ").slice(0, 3)).toContain(
    "cart",
  );
});

it("ranks by what was noticed where nothing is sure", () => {
  const times = [0, 1, 2, 3, 4].map((at) => 1.75e15 + at * 300e6);
  const series = (service: string, name: string, values: readonly number[]): MetricSeries => ({
    name,
    labels: { service },
    type: "gauge",
    timesMicros: times,
    values: [...values],
  });
  const snapshot = createSnapshot(
    [
      {
        kind: "metrics" as const,
        series: [
          series("site", "latency", [1, 1, 2, 2, 2]),
          series("search", "latency", [1, 1, 2.6, 2.6, 2.6]),
          series("mail", "requests", [5, 5, 80, 80, 80]),
        ],
      },
      { kind: "topology" as const, calls: [{ from: "site", to: "search" }] },
      {
        kind: "incident" as const,
        alerts: [
          { summary: "slow", service: "site", metric: "latency", timeMicros: 1.75e15 + 900e6 },
        ],
        statuses: [],
        patterns: [],
      },
    ].map((content) => ({ source: { name: "x", format: "test", notes: [] }, content })),
  );
  const [finding] = firstDeviation.check(snapshot);
  expect(finding?.verdict).toBe("inconclusive");
  expect(String(finding?.measures["candidatesBelowThreshold"])).toMatch(/^search/);
});
