import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  costBoundMicros,
  exactMicros,
  exactMicrosMax,
  outputTokensWithin,
} from "./exact-micros.ts";

const tokens = fc.integer({ min: 0, max: 20_000_000 });
const micros = fc.oneof(
  fc.integer({ min: 0, max: 500_000_000 }),
  fc.constantFrom(0, 1, 333_333, 999_999, 1_000_000, 1_000_001),
);
const price = fc.record({
  inputMicrosPerMillionTokens: micros,
  outputMicrosPerMillionTokens: micros,
});

describe("micros in doubles", () => {
  it("cost what whole numbers of any size say, or are not counted at all", () => {
    fc.assert(
      fc.property(price, tokens, tokens, (price, input, output) => {
        const total =
          BigInt(input) * BigInt(price.inputMicrosPerMillionTokens) +
          BigInt(output) * BigInt(price.outputMicrosPerMillionTokens);
        const bound = costBoundMicros(price, input, output);
        if (total > BigInt(Number.MAX_SAFE_INTEGER)) expect(bound).toBe(Number.POSITIVE_INFINITY);
        else expect(BigInt(bound)).toBe((total + 999_999n) / 1_000_000n);
      }),
      { numRuns: 2_000 },
    );
  });

  it("round up a part of a micro up to the last quotient that is counted", () => {
    const largest = Math.floor(Number.MAX_SAFE_INTEGER / 1_000_000);
    for (let quotient = largest - 2_000; quotient < largest; quotient += 1) {
      const price = { inputMicrosPerMillionTokens: 1, outputMicrosPerMillionTokens: 1 };
      expect(costBoundMicros(price, quotient * 1_000_000, 1)).toBe(quotient + 1);
    }
  });

  it("fit as many output tokens as can be paid, and not one more", () => {
    fc.assert(
      fc.property(
        price,
        tokens,
        fc.integer({ min: 0, max: 9_000_000_000 }),
        (price, input, limit) => {
          const output = outputTokensWithin(price, input, limit);
          if (output < 0) {
            expect(costBoundMicros(price, input, 0)).toBeGreaterThan(limit);
            return;
          }
          if (price.outputMicrosPerMillionTokens === 0) return;
          expect(costBoundMicros(price, input, output)).toBeLessThanOrEqual(limit);
          expect(costBoundMicros(price, input, output + 1)).toBeGreaterThan(limit);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("take no amount that they cannot hold", () => {
    expect(exactMicros(BigInt(exactMicrosMax))).toBe(exactMicrosMax);
    expect(() => exactMicros(BigInt(exactMicrosMax) + 1n)).toThrow(RangeError);
    expect(() => exactMicros(-1n)).toThrow(RangeError);
  });
});
