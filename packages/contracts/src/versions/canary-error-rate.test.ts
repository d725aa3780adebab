import { describe, expect, it } from "vitest";

import type { Span } from "../model/span.ts";
import {
  callsOf,
  normal,
  seeded,
  snapshotOfSpans,
  startMicros,
  type Version,
} from "./canary/canary-maker.ts";
import { canary } from "./canary.ts";

const nullCount = 1_000;
/** What the contract states, and what chance adds in 1,000 trials: three deviations of a count of 10. */
const calledCountMax = 10 + 3 * Math.sqrt(10);

function calledOf(
  versionsOf: (trial: number) => readonly Version[],
  settings: Readonly<Record<string, unknown>> = {},
  changed: (spans: readonly Span[], trial: number) => readonly Span[] = (spans) => spans,
): number {
  const contract = canary.with(settings);
  let called = 0;
  for (let trial = 0; trial < nullCount; trial += 1) {
    const spans = changed(callsOf(versionsOf(trial), trial + 1), trial);
    const findings = contract.check(snapshotOfSpans(spans));
    expect(findings.length).toBeGreaterThan(0);
    if (findings.some(({ verdict }) => verdict === "violated")) called += 1;
  }
  return called;
}

const versions = (count: number): readonly Version[] => [
  { count, resource: { "service.version": "1.4.0" } },
  { count: Math.round(count * 0.6), resource: { "service.version": "1.5.0" } },
];

describe("over 1,000 simulated pairs of equal versions", () => {
  it.each([40, 120])("of %d calls at most 1 in 100 is called worse", (count) => {
    expect(calledOf(() => versions(count))).toBeLessThanOrEqual(calledCountMax);
  });

  it("that share hours of good and of bad, at most 1 in 100 is called worse", () => {
    const called = calledOf(
      () => versions(100),
      {},
      (spans, trial) => {
        const next = seeded(trial + 31);
        // Ten levels over the hour, each with its own slowness and its own share of failures.
        const levels = Array.from({ length: 10 }, () => ({
          slow: Math.exp(normal(next)),
          fails: next() ** 3,
        }));
        return spans.map((span) => {
          const level = levels[Math.floor((span.startMicros % 3_600e6) / 360e6)];
          return {
            ...span,
            durationNanos: Math.round(span.durationNanos * (level?.slow ?? 1)),
            status: next() < (level?.fails ?? 0) ? { code: "error" as const } : span.status,
          };
        });
      },
    );
    expect(called).toBeLessThanOrEqual(calledCountMax);
  });

  it("of which one follows the other while all grows slower, at most 1 in 100 is called worse", () => {
    const called = calledOf(
      () => [
        { count: 120, to: 0.5, resource: { "service.version": "1.4.0" } },
        { count: 120, from: 0.5, resource: { "service.version": "1.5.0" } },
      ],
      {},
      (spans, trial) => {
        const slope = (trial % 5) * 0.75;
        return spans.map((span) => {
          const hour = (span.startMicros - startMicros) / 3_600e6;
          return { ...span, durationNanos: Math.round(span.durationNanos * (1 + slope * hour)) };
        });
      },
    );
    expect(called).toBeLessThanOrEqual(calledCountMax);
  });

  it("whose conversations share their fate, at most 1 in 100 is called worse", () => {
    const called = calledOf(
      () => versions(100),
      {},
      (spans, trial) => {
        const next = seeded(trial + 77);
        const fates = Array.from({ length: 100 }, () => ({
          fails: next() < 0.2,
          slow: Math.exp(0.8 * normal(next)),
        }));
        return spans.map((span, at) => {
          const conversation = at < 100 ? Math.floor(at / 4) : 40 + Math.floor((at - 100) / 4);
          const fate = fates[conversation];
          return {
            ...span,
            durationNanos: Math.round(span.durationNanos * (fate?.slow ?? 1)),
            status: fate?.fails === true ? { code: "error" as const } : { code: "unset" as const },
            attributes: {
              ...span.attributes,
              "gen_ai.conversation.id": `conversation-${conversation}`,
            },
          };
        });
      },
    );
    expect(called).toBeLessThanOrEqual(calledCountMax);
  });

  it("that got the same requests, at most 1 in 100 is called worse", () => {
    const called = calledOf(
      () => versions(40),
      {},
      (spans) =>
        spans.map((span, at) => ({
          ...span,
          attributes: { ...span.attributes, "eval.case.id": `case-${at % 40}` },
        })),
    );
    expect(called).toBeLessThanOrEqual(calledCountMax);
  });

  it("with a stated rate of 1 in 5 the tests together stay below it and are not idle", () => {
    const called = calledOf(() => versions(100), {
      errorRateMax: 0.2,
      failureRiseMin: 0,
      timeRiseMin: 0,
      amountRiseMin: 0,
    });
    expect(called).toBeLessThanOrEqual(200);
    expect(called).toBeGreaterThan(10);
  });
});
