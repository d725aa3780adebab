import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";

import { seededRandom, simulatedClock } from "@faultline/testkit";

import { ejectOutliers, type OutlierBounds } from "./outlier-ejection.ts";
import { type HealthTicket, TargetHealth } from "./target-health.ts";

const bounds = { failureCountMax: 3, openMsMin: 1_000, openMsMax: 8_000 };

function openHealth(overrides: Partial<typeof bounds> = {}) {
  const time = { nowMs: 0 };
  const clock = { ...simulatedClock(), monotonicMs: () => time.nowMs };
  const own = { ...bounds, ...overrides };
  const health = new TargetHealth({ clock, random: seededRandom("health"), bounds: () => own });
  return { time, health };
}

function call(health: TargetHealth, well: boolean): boolean {
  const ticket = health.enter();
  if (ticket === undefined) return false;
  if (well) health.succeeded(ticket);
  else health.failed(ticket);
  return true;
}

describe("TargetHealth", () => {
  it("opens after failures in a row, and not when a success comes between", () => {
    const { health } = openHealth();
    for (const well of [false, false, true, false, false]) call(health, well);
    expect(health.state).toBe("closed");
    call(health, false);
    expect([health.state, call(health, true)]).toEqual(["open", false]);
  });

  it("lets one probe at a time through, and closes when it succeeds", () => {
    const { health, time } = openHealth();
    for (let count = 0; count < 3; count += 1) call(health, false);
    expect(health.waitMs(time.nowMs)).toBeGreaterThanOrEqual(500);
    time.nowMs = 1_000;
    expect(health.admits(time.nowMs)).toBe(true);
    const probe = health.enter()!;
    expect([health.state, health.enter(), health.admits(time.nowMs)]).toEqual([
      "half-open",
      undefined,
      false,
    ]);
    health.succeeded(probe);
    expect([health.state, call(health, true)]).toEqual(["closed", true]);
  });

  it("stays open longer each time that a probe fails, up to a bound", () => {
    const { health, time } = openHealth();
    for (let count = 0; count < 3; count += 1) call(health, false);
    const waits: number[] = [];
    for (let probe = 0; probe < 6; probe += 1) {
      const waitMs = health.waitMs(time.nowMs);
      waits.push(waitMs);
      time.nowMs += waitMs;
      expect(call(health, false)).toBe(true);
    }
    waits.forEach((waitMs, index) => {
      const wholeMs = Math.min(1_000 * 2 ** index, 8_000);
      expect(waitMs).toBeGreaterThanOrEqual(wholeMs / 2);
      expect(waitMs).toBeLessThanOrEqual(wholeMs);
    });
    // Once it was well, it starts anew.
    time.nowMs += health.waitMs(time.nowMs);
    call(health, true);
    for (let count = 0; count < 3; count += 1) call(health, false);
    expect(health.waitMs(time.nowMs)).toBeLessThanOrEqual(1_000);
  });

  it("lets another probe through when the first was abandoned", () => {
    const { health, time } = openHealth({ failureCountMax: 1 });
    call(health, false);
    time.nowMs = 1_000;
    health.abandoned(health.enter()!);
    expect(health.enter()).toBeDefined();
  });

  it("ignores what calls bring back that began before it opened", () => {
    const { health, time } = openHealth({ failureCountMax: 1 });
    const [early, late] = [health.enter()!, health.enter()!];
    health.failed(health.enter()!);
    health.succeeded(early);
    expect(health.state).toBe("open");
    time.nowMs = 1_000;
    const probe = health.enter()!;
    health.failed(late);
    expect([health.state, health.admits(time.nowMs)]).toEqual(["half-open", false]);
    health.succeeded(probe);
    expect(health.state).toBe("closed");
  });

  it("forgets what is older than its window", () => {
    const { health, time } = openHealth();
    call(health, true);
    call(health, false);
    expect(health.recent()).toEqual({ successCount: 1, failureCount: 1 });
    time.nowMs = 29_999;
    expect(health.recent()).toEqual({ successCount: 1, failureCount: 1 });
    time.nowMs = 30_000;
    expect(health.recent()).toEqual({ successCount: 0, failureCount: 0 });
    call(health, true);
    expect(health.recent()).toEqual({ successCount: 1, failureCount: 0 });
  });

  it("never has two probes, never stays shut, and opens only by failures, whatever happens", () => {
    const step = record({
      kind: constantFrom("enter", "enter", "succeed", "fail", "abandon", "wait"),
      at: integer({ min: 0, max: 9 }),
    });
    assert(
      property(array(step, { maxLength: 200 }), (steps) => {
        const { health, time } = openHealth();
        const open: { ticket: HealthTicket; probe: boolean }[] = [];
        for (const { kind, at } of steps) {
          if (kind === "wait") time.nowMs += at * 300;
          else if (kind === "enter") {
            const admits = health.admits(time.nowMs);
            const ticket = health.enter();
            expect(ticket !== undefined).toBe(admits);
            if (ticket !== undefined) open.push({ ticket, probe: health.state === "half-open" });
          } else {
            const [ended] = open.splice(at % Math.max(open.length, 1), 1);
            const before = health.state;
            if (ended === undefined) continue;
            if (kind === "succeed") health.succeeded(ended.ticket);
            else if (kind === "fail") health.failed(ended.ticket);
            else health.abandoned(ended.ticket);
            if (health.state === "open" && before !== "open") expect(kind).toBe("fail");
            if (health.state === "closed" && before !== "closed") {
              expect([kind, ended.probe]).toEqual(["succeed", true]);
            }
          }
          // Probes of an earlier half-open state have tickets that count no more.
          if (health.state === "half-open") {
            const newest = Math.max(...open.map(({ ticket }) => ticket));
            const probes = open.filter(({ ticket, probe }) => probe && ticket === newest);
            expect(probes.length).toBeLessThanOrEqual(1);
            expect(health.admits(time.nowMs)).toBe(probes.length === 0);
          }
          expect(health.waitMs(time.nowMs)).toBeLessThanOrEqual(8_000);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("ejectOutliers", () => {
  const outlierBounds: OutlierBounds = {
    callCountMin: 20,
    deviationCountMax: 3,
    rateGapMin: 0.2,
    ejectedShareMax: 0.5,
  };

  /** Targets of a route, each with 100 calls of which so many failed. */
  function openRoute(...failureCounts: number[]): TargetHealth[] {
    return failureCounts.map((failureCount) => {
      const { health } = openHealth({ failureCountMax: 1_000 });
      for (let count = 0; count < 100; count += 1) call(health, count >= failureCount);
      return health;
    });
  }
  const statesOf = (route: readonly TargetHealth[]): string[] => route.map(({ state }) => state);

  it("takes out the one that fails far more often than its siblings", () => {
    const route = openRoute(1, 60, 0, 2);
    expect(ejectOutliers(route, outlierBounds)).toBe(1);
    expect(statesOf(route)).toEqual(["closed", "open", "closed", "closed"]);
  });

  it("takes out nobody when all fail alike, or a little differently, or one is alone", () => {
    for (const failureCounts of [[60, 62, 58], [0, 15, 3], [90]]) {
      expect(ejectOutliers(openRoute(...failureCounts), outlierBounds)).toBe(0);
    }
  });

  it("says nothing of who had few calls", () => {
    const few = openHealth({ failureCountMax: 1_000 }).health;
    for (let count = 0; count < 19; count += 1) call(few, false);
    const route = [few, ...openRoute(0, 0)];
    expect(ejectOutliers(route, outlierBounds)).toBe(0);
  });

  it("never has more than the share out at once, counting those that are out already", () => {
    const route = openRoute(70, 80, 90, 0, 0);
    expect(ejectOutliers(route, outlierBounds)).toBe(0);
    const spread = openRoute(100, 50, 0, 0, 0, 0);
    expect(ejectOutliers(spread, { ...outlierBounds, ejectedShareMax: 0.2 })).toBe(1);
    expect(statesOf(spread).indexOf("open")).toBe(0);
    expect(ejectOutliers(spread, { ...outlierBounds, ejectedShareMax: 0.2 })).toBe(0);
    assert(
      property(array(integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 8 }), (counts) => {
        const targets = openRoute(...counts);
        for (let round = 0; round < 3; round += 1) ejectOutliers(targets, outlierBounds);
        const outCount = targets.filter(({ state }) => state === "open").length;
        expect(outCount).toBeLessThanOrEqual(Math.floor(counts.length / 2));
      }),
      { numRuns: 50 },
    );
  });
});
