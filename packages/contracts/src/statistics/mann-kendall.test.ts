import { expect, it } from "vitest";

import { mannKendall } from "./mann-kendall.ts";

it("scores every pair of a rising and of a falling series", () => {
  expect(mannKendall([1, 2, 3, 4, 5])).toMatchObject({ score: 10, tau: 1 });
  expect(mannKendall([5, 4, 3, 2, 1])).toMatchObject({ score: -10, tau: -1 });
});

it("has the variance that the formula gives without ties, and no trend in ties", () => {
  // Without ties the variance of four values is 4·3·13/18, so z is 3/2.944.
  const trend = mannKendall([10, 15, 14, 20]);
  expect(trend.probability).toBeCloseTo(0.3082, 3);
  expect(trend.score).toBe(4);
  expect(mannKendall([1, 1, 1, 1])).toMatchObject({ score: 0, probability: 1 });
});

it("finds a trend without one in about as many of 1,000 nulls as it says", () => {
  let state = 7;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
  let found = 0;
  for (let round = 0; round < 1_000; round += 1) {
    const values = Array.from({ length: 30 }, random);
    if (mannKendall(values).probability <= 0.05) found += 1;
  }
  expect(found).toBeGreaterThan(25);
  expect(found).toBeLessThanOrEqual(75);
});
