/** Keys, values and scans that meet one another often and are awkward: empty, NUL, 0xff, no UTF-8. */

import * as fc from "fast-check";

import type { ScanOptions } from "../src/store/reader.ts";
import type { StoreWrite } from "../src/store/write.ts";

const awkwardByte = fc.constantFrom(0x00, 0x01, 0x61, 0x7f, 0x80, 0xc3, 0xff);

export const arbitraryKey = fc
  .oneof(
    // A few keys that histories come back to.
    { weight: 3, arbitrary: fc.constantFrom([], [0x61], [0x61, 0x00], [0x61, 0xff], [0xff]) },
    { weight: 1, arbitrary: fc.array(awkwardByte, { maxLength: 3 }) },
  )
  .map((bytes) => Uint8Array.from(bytes));

export const arbitraryValue = fc.oneof(
  fc.array(awkwardByte, { maxLength: 4 }).map((bytes) => Uint8Array.from(bytes)),
  fc.uint8Array({ maxLength: 40 }),
);

/** A moment on a clock that the tests start at 1,000 and advance by tens. */
export const arbitraryExpiry = fc.option(fc.integer({ min: 990, max: 1_200 }), { nil: undefined });

export const arbitraryWrite: fc.Arbitrary<StoreWrite> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(arbitraryKey, arbitraryValue, arbitraryExpiry).map(putOf) },
  { weight: 1, arbitrary: arbitraryKey.map((key): StoreWrite => ({ kind: "delete", key })) },
);

export const arbitraryScan: fc.Arbitrary<ScanOptions> = fc.record(
  {
    prefix: arbitraryKey,
    from: arbitraryKey,
    to: arbitraryKey,
    limit: fc.integer({ min: 0, max: 5 }),
  },
  { requiredKeys: [] },
);

function putOf([key, value, expiresAtMs]: [
  Uint8Array,
  Uint8Array,
  number | undefined,
]): StoreWrite {
  return { kind: "put", key, value, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) };
}
