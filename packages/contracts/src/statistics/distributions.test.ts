import { describe, expect, it } from "vitest";

import { chiSquareTail } from "./chi-square.ts";
import { jensenShannon } from "./jensen-shannon.ts";
import { populationStability } from "./population-stability.ts";

/** A repeatable source of numbers between 0 and 1. */
function seeded(seed: number): () => number {
  let state = (seed * 2_654_435_761) % 2_147_483_647 || 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function drawn(count: number, bins: number, next: () => number): number[] {
  const counts = Array.from({ length: bins }, () => 0);
  for (let at = 0; at < count; at += 1) {
    const bin = Math.floor(next() * bins);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

describe("the chi-square distribution", () => {
  it.each([
    [3.841_459, 1, 0.05],
    [16.918_98, 9, 0.05],
    [21.665_99, 9, 0.01],
    [0.102_587, 2, 0.95],
    [140.169_5, 100, 0.005],
  ])("has beyond %f with %d degrees of freedom the tail of the tables", (value, freedom, tail) => {
    expect(chiSquareTail(value, freedom)).toBeCloseTo(tail, 6);
  });

  it("has everything beyond zero", () => {
    expect(chiSquareTail(0, 3)).toBe(1);
    expect(chiSquareTail(5, 0)).toBe(1);
  });
});

describe("the population stability index", () => {
  it("is the sum that its definition gives", () => {
    // Two shares change from 0.1 to 0.2 and back: 0.1 · ln 2 each.
    const { index } = populationStability([100_000, 200_000, 700_000], [200_000, 100_000, 700_000]);
    expect(index).toBeCloseTo(2 * 0.1 * Math.LN2, 4);
  });

  it("passes the usual 0.25 in small samples of one distribution, as its expectation says", () => {
    const next = seeded(3);
    let sum = 0;
    let passed = 0;
    for (let trial = 0; trial < 1_000; trial += 1) {
      const { index, expected } = populationStability(drawn(50, 10, next), drawn(50, 10, next));
      sum += index;
      expect(expected).toBeCloseTo(0.36, 9);
      if (index > 0.25) passed += 1;
    }
    expect(passed).toBeGreaterThan(500);
    expect(sum / 1_000).toBeGreaterThan(0.3);
    expect(sum / 1_000).toBeLessThan(0.42);
  });
});

describe("the divergence of Jensen and Shannon", () => {
  it("is one bit between what has nothing in common, none between equals, and known between", () => {
    expect(jensenShannon([5, 0], [0, 9]).bits).toBeCloseTo(1, 9);
    expect(jensenShannon([3, 6], [1, 2]).bits).toBeCloseTo(0, 9);
    // Shares (1/2, 1/2) and (1, 0): 0.311 bits.
    expect(jensenShannon([50, 50], [100, 0]).bits).toBeCloseTo(0.3113, 4);
  });

  it("has the chance of the likelihood-ratio test", () => {
    // By hand: G = 2 (30 ln 0.8 + 45 ln 1.2 + 70 ln 1.12 + 55 ln 0.88) = 4.825 with one degree of freedom.
    const { chance } = jensenShannon([30, 70], [45, 55]);
    expect(chance).toBeCloseTo(0.0281, 3);
  });
});

describe("over 1,000 pairs of samples of one distribution", () => {
  it.each(["index", "divergence"])("the %s errs about as often as it says", (kind) => {
    const next = seeded(19);
    let called = 0;
    for (let trial = 0; trial < 1_000; trial += 1) {
      const [first, second] = [drawn(300, 8, next), drawn(200, 8, next)];
      const { chance } =
        kind === "index" ? populationStability(first, second) : jensenShannon(first, second);
      if (chance <= 0.05) called += 1;
    }
    expect(called).toBeGreaterThan(50 - 4 * Math.sqrt(47.5));
    expect(called).toBeLessThanOrEqual(50 + 3 * Math.sqrt(47.5));
  });
});
