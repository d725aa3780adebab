import { describe, expect, it } from "vitest";

import { readAmount, readCurrency } from "./read-amount.ts";

describe("an amount from outside", () => {
  it.each([
    ["-5", "amount_negative"],
    ["-0.5", "amount_negative"],
    ["0", "amount_zero"],
    ["000", "amount_zero"],
    ["1.5", "amount_fractional"],
    [".5", "amount_fractional"],
    ["1e-3", "amount_fractional"],
    ["1000000000000001", "amount_too_large"],
    ["9".repeat(60), "amount_too_large"],
    ["ten", "amount_invalid"],
    ["", "amount_invalid"],
    ["0x10", "amount_invalid"],
    ["+5", "amount_invalid"],
    [" 5", "amount_invalid"],
  ])("refuses '%s' as %s, and names its place", (text, code) => {
    expect(() => readAmount(text, "body /amountMicros", "refused")).toThrow(
      expect.objectContaining({ code, where: "body /amountMicros" }),
    );
  });

  it("reads whole micros exactly, and zero where something may cost nothing", () => {
    expect(readAmount("1000000000000000", "", "refused")).toBe(1_000_000_000_000_000n);
    expect(readAmount("0", "", "allowed")).toBe(0n);
  });

  it("refuses a currency in which there are no accounts", () => {
    expect(readCurrency("USD", "")).toBe("USD");
    expect(() => readCurrency("EUR", "body /currency")).toThrow(
      expect.objectContaining({ code: "currency_mismatch" }),
    );
  });
});
