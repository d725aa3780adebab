import { describe, expect, it } from "vitest";

import {
  formatExact,
  formatMicros,
  formatMicrosShort,
  fromDecimalField,
  percentOf,
  shareOf,
  toDecimalField,
} from "./money.ts";

describe("amounts", () => {
  it.each([
    ["0", "$0.00"],
    ["1", "$0.000001"],
    ["250", "$0.00025"],
    ["500000", "$0.50"],
    ["283003", "$0.283"],
    ["29511", "$0.02951"],
    ["999999", "$1.00"],
    ["1000000", "$1.00"],
    ["1005000", "$1.01"],
    ["1004999", "$1.00"],
    ["1234567890", "$1,234.57"],
    ["999999999999", "$1,000,000.00"],
    ["-3000000", "−$3.00"],
    // Beyond what a double holds.
    ["9007199254740993000001", "$9,007,199,254,740,993.00"],
  ])("of %s micros read %s", (micros, text) => {
    expect(formatMicros(micros, "USD")).toBe(text);
  });

  it("say their currency, and all their micros when asked", () => {
    expect(formatMicros(12_500_000n, "credits")).toBe("12.50 credits");
    expect(formatExact("-9007199254740993", "USD")).toBe("−9,007,199,254,740,993 micros (USD)");
  });

  it.each([
    [0n, "$0"],
    [20_000n, "$0.02"],
    [1_500_000n, "$1.5"],
    [350_000_000n, "$350"],
    [9_999_000_000n, "$9999"],
    [12_500_000_000n, "$12.5K"],
    [2_000_000_000_000n, "$2M"],
    [-40_000_000n, "−$40"],
  ])("are short on a scale: %s reads %s", (micros, text) => {
    expect(formatMicrosShort(micros, "USD")).toBe(text);
  });

  it.each([
    ["12", 12_000_000n],
    ["12.5", 12_500_000n],
    [" 1,234.000001 ", 1_234_000_001n],
    [".25", 250_000n],
    ["9007199254740993", 9_007_199_254_740_993_000_000n],
  ])("are read from what somebody types: %s", (text, micros) => {
    expect(fromDecimalField(text)).toBe(micros);
  });

  it.each(["", ".", "-1", "1e3", "1.0000001", "1,23", "abc", "1.2.3", "$5"])(
    "are not guessed from %j",
    (text) => {
      expect(fromDecimalField(text)).toBeUndefined();
    },
  );

  it("come back from a field as they went into it", () => {
    for (const micros of [0n, 1n, 250n, 1_000_000n, 12_345_678_901n])
      expect(fromDecimalField(toDecimalField(micros))).toBe(micros);
  });

  it("are per cents of a limit, however far beyond it", () => {
    expect(percentOf(7_810_000n, 2_000_000n)).toBe(390n);
    expect(percentOf(999n, 1_000n)).toBe(99n);
    expect(percentOf(0n, 0n)).toBe(100n);
  });

  it("are shares of a whole within bounds", () => {
    expect(shareOf(1n, 3n)).toBe(33.33);
    expect(shareOf(5n, 3n)).toBe(100);
    expect(shareOf(-1n, 3n)).toBe(0);
    expect(shareOf(1n, 0n)).toBe(100);
    expect(shareOf(0n, 0n)).toBe(0);
  });
});
