import { describe, expect, it } from "vitest";

import { niceMicrosAbove } from "./money-scale.ts";

describe("the top of a scale of amounts", () => {
  it.each([
    [0n, 2n],
    [1n, 2n],
    [264_000_000n, 300_000_000n],
    [300_000_000n, 300_000_000n],
    [700_000n, 800_000n],
    [999n, 1_000n],
    [9_007_199_254_740_993n, 10_000_000_000_000_000n],
  ])("above %s is %s", (most, top) => {
    expect(niceMicrosAbove(most)).toBe(top);
  });
});
