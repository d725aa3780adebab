import { expect, it } from "vitest";

import { slopeOf } from "./slope.ts";

it("finds the slope of a line, and no error where the points lie on it", () => {
  const points = [0, 1, 2, 5].map((x) => [x, 3 + 2 * x] as const);
  expect(slopeOf(points).slope).toBeCloseTo(2);
  expect(slopeOf(points).error).toBeCloseTo(0);
});

it("is less sure where the points scatter", () => {
  const points = [0, 1, 2, 3, 4, 5].map((x) => [x, x % 2] as const);
  const { slope, error } = slopeOf(points);
  expect(Math.abs(slope)).toBeLessThan(2 * error);
});
