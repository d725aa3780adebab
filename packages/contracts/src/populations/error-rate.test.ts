import { describe, expect, it } from "vitest";

import type { MetricSeries } from "../model/evidence.ts";
import { adjustForMany } from "../statistics/benjamini-hochberg.ts";
import { ContrastTally } from "./contrast.ts";
import { deviationOf } from "./deviation.ts";
import { simulateIncident } from "./fault-simulator.ts";
import { firstDeviation } from "./first-deviation.ts";
import { incident, normal, seeded } from "./incident-maker.ts";

const nullCount = 1_000;
/** What the contracts state, and what chance adds in 1,000 trials: three deviations of a count of 10. */
const calledCountMax = 10 + 3 * Math.sqrt(10);

const pointCount = 120;

/** Calm series whose neighbouring points have this in common. */
function calmSeries(seed: number, correlation: number): MetricSeries[] {
  const next = seeded(seed + 1);
  return Array.from({ length: 6 }, (_, index) => {
    let level = 0;
    const values = Array.from({ length: pointCount }, () => {
      level = correlation * level + Math.sqrt(1 - correlation ** 2) * normal(next);
      // Every third series has outliers, as latencies do.
      return 100 + 10 * (index % 3 === 0 ? Math.sign(level) * level * level : level);
    });
    return {
      name: `metric_${index % 3}`,
      labels: { service: `service-${Math.floor(index / 3)}` },
      type: "gauge",
      timesMicros: values.map((_value, at) => 1.7e15 + at * 60e6),
      values,
    };
  });
}

describe("over 1,000 simulated snapshots in which nothing departs", () => {
  it.each([0, 0.3, 0.6, 0.9])(
    "at most 1 in 100 is called deviating, with neighbours correlated by %f",
    (correlation) => {
      let called = 0;
      for (let trial = 0; trial < nullCount; trial += 1) {
        const snapshot = incident({ series: calmSeries(trial, correlation) });
        const [finding] = firstDeviation.check(snapshot);
        if (finding?.verdict === "violated") called += 1;
      }
      expect(called).toBeLessThanOrEqual(calledCountMax);
    },
  );

  it.each([0, 0.3, 0.6])(
    "the chances alone, without any bound of size, hold the rate with neighbours correlated by %f",
    (correlation) => {
      let called = 0;
      for (let trial = 0; trial < nullCount; trial += 1) {
        const chances = calmSeries(trial, correlation).map(
          ({ values }) => deviationOf(Float64Array.from(values), 20)?.chance ?? 1,
        );
        if (adjustForMany(chances).some((chance) => chance <= 0.01)) called += 1;
      }
      expect(called).toBeLessThanOrEqual(calledCountMax);
    },
  );
});

describe("over 1,000 simulated shops in which no fault is", () => {
  it.each([
    { load: "goes with the season", growth: 1, hasMoment: false },
    { load: "goes with the season, and a moment is told", growth: 1, hasMoment: true },
    { load: "steps up for all at once", growth: 1.8, hasMoment: false },
  ])("at most 1 in 100 is called deviating where load $load", ({ growth, hasMoment }) => {
    let called = 0;
    for (let seed = 0; seed < nullCount; seed += 1) {
      const { series, beganMicros } = simulateIncident({
        seed,
        fault: "none",
        rootService: "cart",
        pointCount: 120,
        loadGrowth: growth,
      });
      const snapshot = incident({ series, ...(hasMoment ? { beganMicros } : {}) });
      if (firstDeviation.check(snapshot)[0]?.verdict === "violated") called += 1;
    }
    expect(called).toBeLessThanOrEqual(calledCountMax);
  });
});

describe("over 1,000 simulated populations that are alike", () => {
  it("at most 1 in 100 has an attribute that is called separating", () => {
    let called = 0;
    for (let trial = 0; trial < nullCount; trial += 1) {
      const next = seeded(trial + 7);
      const tally = new ContrastTally();
      for (let member = 0; member < 200; member += 1) {
        tally.begin(next() < 0.2);
        for (let key = 0; key < 10; key += 1)
          tally.add(`key-${key}`, Math.floor(next() * (key + 2)));
        tally.add("size", normal(next));
      }
      if (tally.contrasts().contrasts.some(({ chance }) => chance <= 0.01)) called += 1;
    }
    expect(called).toBeLessThanOrEqual(calledCountMax);
  });
});
