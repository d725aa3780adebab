import * as fc from "fast-check";
import { expect, it } from "vitest";

import { microsOf, unitsOf } from "./amount-text.ts";

it.each([
  ["12.5", "12500000"],
  ["0", "0"],
  ["0.000001", "1"],
  ["-3", "-3000000"],
  ["1.0000005", "1000000.5"],
  ["1.0000000", "1000000"],
  ["ten", "ten"],
  ["1e3", "1e3"],
])("reads %s units as %s micros", (text, micros) => {
  expect(microsOf(text)).toBe(micros);
});

it.each([
  ["12500000", "12.50"],
  ["1", "0.000001"],
  ["0", "0.00"],
  ["-1234567890000", "-1,234,567.89"],
])("shows %s micros as %s", (micros, text) => {
  expect(unitsOf(micros)).toBe(text);
});

it("reads what it shows", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), (micros) => {
      expect(microsOf(unitsOf(String(micros)).replaceAll(",", ""))).toBe(String(micros));
    }),
  );
});
