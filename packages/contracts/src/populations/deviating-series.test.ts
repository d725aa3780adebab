import { expect, it } from "vitest";

import type { MetricSeries } from "../model/evidence.ts";
import { firstDeviation } from "./first-deviation.ts";
import { incident, normal, seeded } from "./incident-maker.ts";

const minute = 60e6;
const beganMicros = 1.75e15;
const day = 24 * 60 * minute;

/** A quiet time that was recorded days apart, some minutes before the moment, and half an hour after it. */
interface Levels {
  readonly apart: number;
  readonly before: number;
  readonly after: number;
  readonly daysApart: number;
  readonly beforeCount: number;
}

function recordedTwice(service: string, levels: Levels): MetricSeries {
  const next = seeded(service.length * 31 + levels.beforeCount);
  const noisy = (level: number): number => level * (1 + 0.03 * normal(next));
  const from = beganMicros + levels.daysApart * day;
  const points = [
    ...Array.from({ length: 300 }, (_, at) => [from + at * minute, noisy(levels.apart)] as const),
    ...Array.from({ length: levels.beforeCount + 30 }, (_, at) => {
      const place = at - levels.beforeCount;
      return [
        beganMicros + place * minute,
        noisy(place < 0 ? levels.before : levels.after),
      ] as const;
    }),
  ].sort(([left], [right]) => left - right);
  return {
    name: `${service}_cpu`,
    labels: { service },
    type: "gauge",
    timesMicros: points.map(([time]) => time),
    values: points.map(([, value]) => value),
  };
}

/** The verdict, and the service that is ranked first. */
function verdictOf(series: readonly MetricSeries[]): readonly [unknown, unknown] {
  const [finding] = firstDeviation.check(incident({ series, beganMicros }));
  const { rankedServices, candidatesBelowThreshold } = finding?.measures ?? {};
  return [finding?.verdict, String(rankedServices ?? candidatesBelowThreshold).split(", ")[0]];
}

it.each([-3, 3])(
  "proves what departs at the moment, beside what was other in a recording %i days apart",
  (daysApart) => {
    const series = [
      recordedTwice("cart", { apart: 0.2, before: 0.2, after: 0.8, daysApart, beforeCount: 20 }),
      recordedTwice("mail", { apart: 0.1, before: 0.9, after: 0.9, daysApart, beforeCount: 20 }),
    ];
    expect(verdictOf(series)).toEqual(["violated", "cart"]);
  },
);

it.each([-3, 3])(
  "proves nothing by a level that already was another before the moment, %i days from its recording",
  (daysApart) => {
    const levels = { apart: 0.2, before: 0.8, after: 0.8, daysApart, beforeCount: 20 };
    expect(verdictOf([recordedTwice("cart", levels)])[0]).toBe("holds");
  },
);

it("ranks and does not prove what has one value just before the moment", () => {
  const levels = { apart: 0.2, before: 0.2, after: 0.8, daysApart: 3, beforeCount: 1 };
  expect(verdictOf([recordedTwice("cart", levels)])).toEqual(["inconclusive", "cart"]);
});

it("compares a recording that begins at the moment with the one before it", () => {
  const levels = { apart: 0.2, before: 0.2, after: 0.8, daysApart: -3, beforeCount: 0 };
  expect(verdictOf([recordedTwice("cart", levels)])).toEqual(["violated", "cart"]);
});

it("takes traffic that has ended for an outage and for no load", () => {
  const series = (name: string, before: number, after: number): MetricSeries => {
    const next = seeded(name.length);
    const values = Array.from(
      { length: 120 },
      (_, at) => (at < 60 ? before : after) * (1 + 0.03 * normal(next)),
    );
    return {
      name,
      labels: { service: name.split("_")[0] ?? "" },
      type: "gauge",
      timesMicros: values.map((_, at) => beganMicros + (at - 60) * minute),
      values,
    };
  };
  const [finding] = firstDeviation.check(
    incident({
      series: [
        series("cart_load", 100, 0),
        series("shop_load", 80, 0),
        series("cart_latency", 10, 500),
      ],
      beganMicros,
    }),
  );
  expect(finding?.verdict).not.toBe("holds");
});
