import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatAmount, parseQuantity, resourceAmount } from "./quantity.ts";

const nano = 1_000_000_000n;

test.each([
  ["0", 0n],
  ["1", nano],
  ["1500m", 1_500_000_000n],
  ["0.5", 500_000_000n],
  [".5", 500_000_000n],
  ["5.", 5n * nano],
  ["100u", 100_000n],
  ["7n", 7n],
  ["2k", 2_000n * nano],
  ["3M", 3_000_000n * nano],
  ["64Mi", 67_108_864n * nano],
  ["1.5Gi", 1_610_612_736n * nano],
  ["1Ei", 2n ** 60n * nano],
  ["2E", 2n * 10n ** 18n * nano],
  ["2e3", 2_000n * nano],
  ["2E3", 2_000n * nano],
  ["2e-3", 2_000_000n],
  ["+1", nano],
  ["-1", -nano],
  ["0.0000000001", 1n],
  ["99999999999999999999E", (2n ** 63n - 1n) * nano],
])("reads %s", (text, nanos) => {
  expect(parseQuantity(text)).toBe(nanos);
});

test.each([
  "",
  " ",
  "1 Gi",
  "Mi",
  ".",
  "-",
  "1GiB",
  "1mi",
  "1e",
  "1e999",
  "0x10",
  "١",
  "1,5",
  "9".repeat(65),
])("refuses %j", (text) => {
  expect(parseQuantity(text)).toBeUndefined();
});

test("reads every decimal exactly, whatever the notation", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), (thousandths) => {
      const whole = thousandths / 1_000n;
      const rest = String(thousandths % 1_000n).padStart(3, "0");
      expect(parseQuantity(`${whole}.${rest}`)).toBe(parseQuantity(`${thousandths}m`));
      expect(parseQuantity(`${thousandths}e-3`)).toBe(parseQuantity(`${thousandths}m`));
    }),
  );
});

test("keeps the order of amounts through formatting and reading", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("cpu", "memory", "example.com/gpu"),
      fc.bigInt({ min: 0n, max: 2n ** 50n }),
      (resource, amount) => {
        expect(resourceAmount(resource, formatAmount(resource, amount))).toBe(amount);
      },
    ),
  );
});

test("never throws", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (text) => {
      parseQuantity(text);
    }),
  );
});
