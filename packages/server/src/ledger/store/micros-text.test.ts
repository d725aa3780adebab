import * as fc from "fast-check";
import { expect, it } from "vitest";

import { readRecord, writeRecord } from "./micros-text.ts";

it("writes what JSON writes, amounts as text", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(writeRecord(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

it("reads amounts back exactly, whatever stands beside them", () => {
  const record = fc.record({
    amountMicros: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }),
    name: fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
    none: fc.constant(undefined),
    parts: fc.array(fc.record({ leftMicros: fc.bigInt({ min: 0n, max: 10n ** 18n }) })),
  });
  fc.assert(
    fc.property(record, (value) => {
      expect(readRecord(JSON.parse(writeRecord(value)))).toEqual(value);
    }),
  );
});
