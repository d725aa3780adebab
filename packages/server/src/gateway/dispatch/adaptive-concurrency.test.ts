import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";

import { simulatedClock } from "@faultline/testkit";

import { AdaptiveConcurrency, type ConcurrencyBounds } from "./adaptive-concurrency.ts";

const bounds: ConcurrencyBounds = {
  concurrencyMin: 4,
  concurrencyMax: 512,
  latencyRatioMax: 2,
  adapts: true,
};

/** A target that is equally fast up to its knee, and from there slower in proportion to what it carries. */
class Target {
  nowMs = 0;
  knee: number;
  readonly limit: AdaptiveConcurrency;
  #state: number;
  #running: { endMs: number; startMs: number }[] = [];
  readonly #tail: number;
  baseMs = 100;
  doneCount = 0;

  // oxlint-disable-next-line max-params -- what differs between the tests, most of which need two
  constructor(knee: number, seed: number, overrides: Partial<ConcurrencyBounds> = {}, tail = 0.1) {
    this.knee = knee;
    this.#tail = tail;
    this.#state = seed;
    const own = { ...bounds, ...overrides };
    const clock = { ...simulatedClock(), monotonicMs: () => this.nowMs };
    this.limit = new AdaptiveConcurrency(clock, () => own);
  }

  /** Normally distributed, nearly, by a linear congruential generator. */
  #normal(): number {
    let sum = -6;
    for (let index = 0; index < 12; index += 1) {
      this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
      sum += this.#state / 2 ** 32;
    }
    return sum;
  }

  /** Time passes while callers always want `demand` calls under way. */
  run(durationMs: number, demand: number): { meanLimit: number; doneCount: number } {
    const endMs = this.nowMs + durationMs;
    let limitSum = 0;
    let ticks = 0;
    const before = this.doneCount;
    for (; this.nowMs < endMs; this.nowMs += 10) {
      const running: { endMs: number; startMs: number }[] = [];
      for (const call of this.#running) {
        if (call.endMs > this.nowMs) {
          running.push(call);
          continue;
        }
        this.limit.giveBack();
        this.limit.observeLatency("stream", call.endMs - call.startMs);
        this.doneCount += 1;
      }
      this.#running = running;
      while (this.#running.length < demand && this.limit.tryTake()) {
        const load = Math.max(1, (this.#running.length + 1) / this.knee);
        const latencyMs = this.baseMs * load * Math.exp(this.#tail * this.#normal());
        this.#running.push({ startMs: this.nowMs, endMs: this.nowMs + latencyMs });
      }
      limitSum += this.limit.limit;
      ticks += 1;
    }
    return { meanLimit: limitSum / ticks, doneCount: this.doneCount - before };
  }
}

describe("AdaptiveConcurrency", () => {
  it.each([8, 20, 60, 150])("settles near the knee of a target that carries %i", (knee) => {
    const target = new Target(knee, knee);
    target.run(60_000, 1_000);
    const { meanLimit, doneCount } = target.run(120_000, 1_000);
    expect(meanLimit).toBeGreaterThan(knee * 0.8);
    expect(meanLimit).toBeLessThan(knee * 3);
    // At the knee it serves knee calls in each 100 ms; no more is to be had.
    expect(doneCount).toBeGreaterThan(knee * 1_200 * 0.85);
  });

  it("finds the new knee when the target grows or shrinks", () => {
    const target = new Target(20, 1);
    target.run(60_000, 1_000);
    target.knee = 100;
    target.run(60_000, 1_000);
    expect(target.run(60_000, 1_000).meanLimit).toBeGreaterThan(80);
    target.knee = 20;
    target.run(60_000, 1_000);
    expect(target.run(60_000, 1_000).meanLimit).toBeLessThan(60);
  });

  it("stays at its ceiling when latency does not grow with load", () => {
    const target = new Target(10_000, 2);
    target.run(60_000, 1_000);
    expect(target.limit.limit).toBe(512);
  });

  it("stays at its ceiling while hardly anything is asked", () => {
    const target = new Target(5, 3);
    target.run(60_000, 4);
    expect(target.limit.limit).toBe(512);
  });

  it("leaves the limit where latency comes from the target alone", () => {
    const target = new Target(10_000, 4);
    target.run(60_000, 100);
    target.baseMs = 500;
    target.run(120_000, 100);
    expect(target.limit.limit).toBeGreaterThan(100);
  });

  it("is not fooled by the long tails of latencies", () => {
    const target = new Target(10_000, 5, {}, 0.8);
    target.run(60_000, 100);
    let fallenCount = 0;
    for (let index = 0; index < 20; index += 1) {
      if (target.run(10_000, 100).meanLimit < 100) fallenCount += 1;
    }
    expect(fallenCount).toBe(0);
  });

  it("falls below what was carried when the target is overloaded, once for what was under way", () => {
    const target = new Target(1_000, 6);
    target.run(2_000, 40);
    target.limit.observeOverload();
    target.limit.observeOverload();
    expect(target.limit.limit).toBe(30);
    for (let index = 0; index < 100; index += 1) {
      target.nowMs += 500;
      target.limit.observeOverload();
    }
    expect(target.limit.limit).toBe(4);
    // When the target is well again, the limit comes back.
    target.run(60_000, 1_000);
    expect(target.limit.limit).toBeGreaterThan(250);
  });

  it("lets a few more in when long calls hold all places, so that it sees how fast the target is", () => {
    const target = new Target(300, 1);
    const { limit } = target;
    for (let count = 0; count < 300; count += 1) limit.tryTake();
    limit.observeOverload();
    expect(limit.limit).toBe(225);
    target.nowMs += 1_000;
    expect(limit.tryTake()).toBe(false);
    target.nowMs += 1_000;
    let takenCount = 0;
    while (limit.tryTake()) takenCount += 1;
    expect(takenCount).toBe(18);
    expect(limit.tryTake()).toBe(false);
  });

  it("keeps to a fixed limit when it must not adapt", () => {
    const target = new Target(5, 7, { adapts: false, concurrencyMax: 30 });
    target.run(10_000, 1_000);
    target.limit.observeOverload();
    expect(target.limit.limit).toBe(30);
  });

  it("never leaves its bounds, and never takes more than its limit, whatever it is told", () => {
    const step = record({
      kind: constantFrom("take", "give", "fast", "slow", "overload", "wait"),
      count: integer({ min: 1, max: 30 }),
    });
    assert(
      property(
        array(step, { maxLength: 200 }),
        integer({ min: 1, max: 9 }),
        integer({ min: 9, max: 50 }),
        (steps, concurrencyMin, concurrencyMax) => {
          let nowMs = 0;
          const clock = { ...simulatedClock(), monotonicMs: () => nowMs };
          const own = { ...bounds, concurrencyMin, concurrencyMax };
          const limit = new AdaptiveConcurrency(clock, () => own);
          let taken = 0;
          for (const { kind, count } of steps) {
            for (let index = 0; index < count; index += 1) {
              if (kind === "take") {
                const took = limit.tryTake();
                if (took) taken += 1;
                expect(took ? taken <= limit.limit : taken >= limit.limit).toBe(true);
              } else if (kind === "give" && taken > 0) {
                limit.giveBack();
                taken -= 1;
              } else if (kind === "fast") limit.observeLatency("plain", 3);
              else if (kind === "slow") limit.observeLatency("stream", 3_000 * count);
              else if (kind === "overload") limit.observeOverload();
              else if (kind === "wait") nowMs += 90;
              expect(limit.takenCount).toBe(taken);
              expect(limit.limit).toBeGreaterThanOrEqual(concurrencyMin);
              expect(limit.limit).toBeLessThanOrEqual(concurrencyMax);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
