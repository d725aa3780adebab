import { expect, it } from "vitest";

import { theilSen } from "./theil-sen.ts";

it("gives the line of the example of Sen's paper", () => {
  // Sen (1968), section 6: the median of the slopes is 4.
  const line = theilSen([1, 2, 3, 4, 10, 12, 18], [9, 15, 19, 20, 45, 55, 78]);
  expect(line?.slope).toBeCloseTo(4, 10);
});

it("is not moved by an outlier", () => {
  const xs = Array.from({ length: 21 }, (_item, index) => index);
  const ys = xs.map((x) => (x === 20 ? 10_000 : 2 * x + 1));
  expect(theilSen(xs, ys)).toEqual({ slope: 2, intercept: 1 });
});

it("has no line through one place", () => {
  expect(theilSen([1, 1], [2, 3])).toBeUndefined();
  expect(theilSen([], [])).toBeUndefined();
});
