import { describe, expect, it } from "vitest";

import { medianInterval } from "./median-interval.ts";

describe("the interval of a median", () => {
  it.each([
    // From tables of the sign test, at 95 %.
    [5, [1, 5]],
    [6, [1, 6]],
    [8, [1, 8]],
    [9, [2, 8]],
    [12, [3, 10]],
    [20, [6, 15]],
  ])("of %i values lies between these of them", (count, expected) => {
    const values = Array.from({ length: count }, (_, index) => count - index);
    expect(medianInterval(values)).toEqual(expected);
  });
});
