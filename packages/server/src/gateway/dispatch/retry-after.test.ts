import { assert, date, integer, property, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { dispatchLimits } from "./limits.ts";
import { formatRetryAfter, readRetryAfterMs, readShouldRetry } from "./retry-after.ts";

const nowMs = Date.UTC(1994, 10, 6, 8, 49, 7);

describe("readRetryAfterMs", () => {
  it.each([
    ["0", 0],
    ["30", 30_000],
    [" 2 ", 2_000],
    ["1.5", 1_500],
    ["999999999", dispatchLimits.retryAfterMsMax],
    ["Sun, 06 Nov 1994 08:49:37 GMT", 30_000],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 30_000],
    ["Sun Nov  6 08:49:37 1994", 30_000],
    ["Sun, 06 Nov 1994 08:49:00 GMT", 0],
  ])("reads %s", (value, expected) => {
    expect(readRetryAfterMs({ "retry-after": value }, nowMs)).toBe(expected);
  });

  it.each(["", "soon", "-1", "1e3", "0x10", "Sun, 06 Foo 1994 08:49:37 GMT", "30, 40", "∞"])(
    "takes %j for nothing",
    (value) => {
      expect(readRetryAfterMs({ "retry-after": value }, nowMs)).toBeUndefined();
    },
  );

  it("prefers the milliseconds", () => {
    const headers = { "retry-after": "2", "retry-after-ms": "1250.2" };
    expect(readRetryAfterMs(headers, nowMs)).toBe(1_251);
    expect(readRetryAfterMs({ ...headers, "retry-after-ms": "?" }, nowMs)).toBe(2_000);
    expect(readRetryAfterMs({}, nowMs)).toBeUndefined();
  });

  it("reads every date as the platform writes it", () => {
    const years = { min: new Date(0), max: new Date(Date.UTC(2090, 0, 1)), noInvalidDate: true };
    assert(
      property(date(years), (when) => {
        const wait = readRetryAfterMs(
          { "retry-after": when.toUTCString() },
          when.getTime() - 5_000,
        );
        expect(wait).toBeGreaterThan(4_000);
        expect(wait).toBeLessThanOrEqual(5_000);
      }),
    );
  });

  it("never gives anything out of bounds", () => {
    assert(
      property(string({ maxLength: 40 }), (value) => {
        const wait = readRetryAfterMs({ "retry-after": value }, nowMs) ?? 0;
        expect(wait >= 0 && wait <= dispatchLimits.retryAfterMsMax).toBe(true);
      }),
    );
  });

  it("is passed on in whole seconds, never too early", () => {
    assert(
      property(integer({ min: 0, max: 86_400_000 }), (durationMs) => {
        const passedMs =
          readRetryAfterMs({ "retry-after": formatRetryAfter(durationMs) }, nowMs) ?? 0;
        expect(passedMs).toBeGreaterThanOrEqual(durationMs);
        expect(passedMs).toBeLessThan(durationMs + 1_000);
      }),
    );
  });
});

describe("readShouldRetry", () => {
  it("knows yes, no and nothing", () => {
    expect(
      ["true", "false", "maybe"].map((value) => readShouldRetry({ "x-should-retry": value })),
    ).toEqual([true, false, undefined]);
  });
});
