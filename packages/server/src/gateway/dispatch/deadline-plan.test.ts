import { array, assert, constantFrom, integer, option, property, record, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { PlatformError } from "@faultline/protocol";

import {
  DeadlinePlan,
  readTimeoutHeaders,
  timeoutHeaders,
  type Timeouts,
} from "./deadline-plan.ts";

const configured: Timeouts = {
  queueMs: 10_000,
  connectMs: 5_000,
  firstTokenMs: 120_000,
  interTokenMs: 60_000,
  totalMs: 900_000,
};

describe("readTimeoutHeaders", () => {
  it("reads durations in milliseconds, seconds and minutes", () => {
    expect(
      readTimeoutHeaders({
        "x-faultline-timeout-queue": "1500ms",
        "x-faultline-timeout-connect": "1s",
        "x-faultline-timeout-first-token": " 30s ",
        "x-faultline-timeout-inter-token": "2m",
        "x-faultline-timeout-total": "1440m",
      }),
    ).toEqual({
      queueMs: 1_500,
      connectMs: 1_000,
      firstTokenMs: 30_000,
      interTokenMs: 120_000,
      totalMs: 86_400_000,
    });
  });

  it("gives nothing when nothing is asked for", () => {
    expect(readTimeoutHeaders({ host: "x" })).toBeUndefined();
  });

  it.each(["", "0ms", "30", "1.5s", "-1s", "1h", "1441m", "86400001ms", "1s, 2s", "soon"])(
    "refuses %j and says what it expects",
    (value) => {
      const read = () => readTimeoutHeaders({ "x-faultline-timeout-total": value });
      expect(read).toThrow(PlatformError);
      expect(read).toThrow(
        /x-faultline-timeout-total must be a duration such as 1500ms, 30s or 2m/,
      );
    },
  );

  it("reads or refuses any value", () => {
    assert(
      property(constantFrom(...Object.values(timeoutHeaders)), string(), (name, value) => {
        try {
          const asked = Object.values(readTimeoutHeaders({ [name]: value }) ?? {});
          expect(asked.every((ms) => ms >= 1 && ms <= 86_400_000)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: "request_invalid" });
        }
      }),
    );
  });
});

describe("DeadlinePlan", () => {
  it("takes the shortest of all layers, each for itself", () => {
    const layers = [{ totalMs: 60_000 }, undefined, { totalMs: 90_000, queueMs: 500 }];
    expect(new DeadlinePlan(0, configured, layers).timeouts).toEqual({
      ...configured,
      totalMs: 60_000,
      queueMs: 500,
    });
  });

  it("gives each attempt what remains, less the time to write the answer", () => {
    const plan = new DeadlinePlan(1_000, configured, [{ totalMs: 10_000 }]);
    expect(plan.attempt(1_000)).toEqual({
      connectMs: 5_000,
      firstTokenMs: 9_900,
      interTokenMs: 9_900,
      restMs: 9_900,
    });
    expect(plan.attempt(8_000).connectMs).toBe(2_900);
    expect(plan.remainingMs(20_000)).toBe(0);
    expect(plan.elapsedMs(8_000)).toBe(7_000);
  });

  it("takes one more layer later, and knows what is as configured", () => {
    const plan = new DeadlinePlan(0, configured, [{ firstTokenMs: 500 }]);
    const tighter = plan.within({ totalMs: 5_000, firstTokenMs: 800 });
    expect(tighter.timeouts).toEqual({ ...configured, firstTokenMs: 500, totalMs: 5_000 });
    expect(tighter.isAsConfigured("first-token")).toBe(false);
    expect(tighter.isAsConfigured("inter-token")).toBe(true);
  });

  it("counts all waits of an operation together", () => {
    const plan = new DeadlinePlan(0, configured, []);
    expect(plan.queueMs(100, 0)).toBe(10_000);
    expect(plan.queueMs(100, 9_000)).toBe(1_000);
    expect(plan.queueMs(899_500, 0)).toBe(400);
    expect(plan.queueMs(100, 11_000)).toBe(0);
  });

  it("never lets anything last longer than a layer allows, or end after the caller's deadline", () => {
    const some = option(integer({ min: 1, max: 1_000_000 }), { nil: undefined });
    const layer = record({
      queueMs: some,
      connectMs: some,
      firstTokenMs: some,
      interTokenMs: some,
      totalMs: some,
    });
    const present = (asked: object) =>
      Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
    assert(
      property(
        array(layer, { maxLength: 3 }),
        integer({ min: 0, max: 2_000_000 }),
        (all, nowMs) => {
          const layers = all.map(present);
          const plan = new DeadlinePlan(0, configured, layers);
          for (const asked of layers) {
            for (const [name, value] of Object.entries(asked)) {
              expect(plan.timeouts[name as keyof Timeouts]).toBeLessThanOrEqual(Number(value));
            }
          }
          const attempt = plan.attempt(nowMs);
          const { totalMs } = plan.timeouts;
          expect(plan.endMs).toBeLessThan(totalMs);
          for (const durationMs of [...Object.values(attempt), plan.queueMs(nowMs, 0)]) {
            expect(durationMs).toBeGreaterThanOrEqual(0);
            expect(durationMs === 0 || nowMs + durationMs < totalMs).toBe(true);
          }
        },
      ),
    );
  });
});
