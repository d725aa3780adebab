import { describe, expect, it } from "vitest";

import type { MetricSeries } from "../model/evidence.ts";
import { firstDeviation } from "./first-deviation.ts";
import { incident, seeded } from "./incident-maker.ts";
import { rareChangeAt, rareChangeIn } from "./rare-change.ts";

const pointCount = 240;
const onset = 150;
const startMicros = 1.7e15;
const minute = 60e6;

/** Whether something happens at a point, with a memory of runs that have begun. */
type Happens = (next: () => number, at: number, runs: { left: number }) => boolean;

function seriesOf(
  { service, name }: { readonly service: string; readonly name: string },
  next: () => number,
  happens: Happens,
): MetricSeries {
  const runs = { left: 0 };
  const values = Array.from({ length: pointCount }, (_, at) =>
    happens(next, at, runs) ? 1 + Math.floor(3 * next()) : 0,
  );
  return {
    name,
    labels: { service },
    type: "gauge",
    timesMicros: values.map((_, at) => startMicros + at * minute),
    values,
  };
}

const never: Happens = () => false;
const seldom: Happens = (next) => next() < 0.01;
const often: Happens = (next) => next() < 0.08;
const inRuns: Happens = (next, _at, runs) => {
  if (next() < 0.003) runs.left = 2 + Math.floor(6 * next());
  runs.left -= 1;
  return runs.left >= 0;
};

/** Errors, drops and restarts of four services; those of `cart` are given. */
function check(
  { errors, others, hasMoment }: { errors: Happens; others: Happens; hasMoment: boolean },
  seed: number,
): ReturnType<typeof firstDeviation.check>[number] | undefined {
  const next = seeded(seed + 3);
  const series = ["cart", "mail", "stock", "web"].flatMap((service) =>
    ["error_count", "dropped_packets", "restarts"].map((name) =>
      seriesOf(
        { service, name },
        next,
        service === "cart" && name === "error_count" ? errors : others,
      ),
    ),
  );
  const moment = hasMoment ? { beganMicros: startMicros + onset * minute } : {};
  return firstDeviation.check(incident({ series, ...moment }))[0];
}

describe.each([true, false])(
  "what never happened before, with the moment told: %s",
  (hasMoment) => {
    it.each([
      { share: 1, foundMin: 20 },
      { share: 0.5, foundMin: 20 },
      { share: 0.3, foundMin: 18 },
    ])("departs where it happens in $share of the points since", ({ share, foundMin }) => {
      let found = 0;
      for (let seed = 500; seed < 520; seed += 1) {
        const errors: Happens = (next, at) => at >= onset && next() < share;
        const finding = check({ errors, others: seldom, hasMoment }, seed);
        if (finding?.verdict === "violated" && finding.subject.name === "cart") found += 1;
      }
      expect(found).toBeGreaterThanOrEqual(foundMin);
    });

    it("does not depart where it happens for a while and then no more", () => {
      for (let seed = 0; seed < 20; seed += 1) {
        const errors: Happens = (_next, at) => at >= onset && at < onset + 6;
        expect(check({ errors, others: never, hasMoment }, seed)?.verdict).not.toBe("violated");
      }
    });
  },
);

it("is told at the place from which on it happens", () => {
  const values = Float64Array.from({ length: 200 }, (_, at) => (at >= 120 && at % 2 === 0 ? 1 : 0));
  expect(rareChangeIn(values)?.index).toBe(120);
  expect(rareChangeAt(values, 120)?.chance).toBeLessThan(1e-9);
  // Scale and unit are no matter.
  expect(rareChangeIn(values.map((value) => 1_000 * value))).toEqual(rareChangeIn(values));
});

it("is nothing of series that are hardly ever zero, or fall below it", () => {
  const values = Float64Array.from({ length: 200 }, (_, at) => (at >= 120 ? 5 : 1));
  expect(rareChangeIn(values)).toBeUndefined();
  expect(rareChangeIn(values.map((value) => (value === 1 ? 0 : -value)))).toBeUndefined();
});

const nullCount = 1_000;
/** What the contract states, and what chance adds in 1,000 trials: three deviations of a count of 10. */
const calledCountMax = 10 + 3 * Math.sqrt(10);

describe("over 1,000 simulated snapshots of counters of rare events", () => {
  it.each([
    { events: "seldom", others: seldom, hasMoment: false },
    { events: "seldom", others: seldom, hasMoment: true },
    { events: "now and then", others: often, hasMoment: false },
    { events: "now and then", others: often, hasMoment: true },
    { events: "in short runs", others: inRuns, hasMoment: false },
    { events: "in short runs", others: inRuns, hasMoment: true },
  ])(
    "at most 1 in 100 is called deviating where they come $events, with the moment told: $hasMoment",
    ({ others, hasMoment }) => {
      let called = 0;
      for (let seed = 0; seed < nullCount; seed += 1) {
        const finding = check({ errors: others, others, hasMoment }, seed);
        if (finding?.verdict === "violated") called += 1;
      }
      expect(called).toBeLessThanOrEqual(calledCountMax);
    },
  );
});
