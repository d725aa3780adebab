/** Figures as people read them. */

import { describe, expect, it } from "vitest";

import { formatBytes, formatCompact, formatDuration, formatShare, plural } from "./format.ts";
import { readOverviewSearch, readSignInSearch, readTraceFilters } from "./search.ts";
import { fromLocalField, toLocalField } from "./time.ts";

describe("durations", () => {
  it.each([
    [0, "0 ms"],
    [0.000_4, "400 ns"],
    [0.000_000_1, "1 ns"],
    [0.85, "850 µs"],
    [0.9996, "1 ms"],
    [5.4, "5.40 ms"],
    [12.34, "12.3 ms"],
    [288, "288 ms"],
    [999.6, "1 s"],
    [1_240, "1.24 s"],
    [59_996, "1 min 0 s"],
    [192_000, "3 min 12 s"],
    [3_780_000, "1 h 3 min"],
  ])("shows %s ms as %s", (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});

it("shows counts, shares and sizes without false precision", () => {
  expect(formatCompact(9_999)).toBe("9,999");
  expect(formatCompact(16_892)).toBe("16.9K");
  expect(formatShare(0, 0)).toBe("0 %");
  expect(formatShare(1, 100_000)).toBe("< 0.1 %");
  expect(formatShare(27, 1_904)).toBe("1.42 %");
  expect(formatShare(9_999, 10_000)).toBe("100 %");
  expect(formatBytes(812)).toBe("812 B");
  expect(formatBytes(184_221)).toBe("184 kB");
  expect(formatBytes(92_800)).toBe("92.8 kB");
  expect(plural(1, "case")).toBe("1 case");
  expect(plural(2, "case")).toBe("2 cases");
});

it("reads back the local time that a field shows", () => {
  const at = new Date("2026-03-29T01:30:15Z");
  expect(fromLocalField(toLocalField(at))?.getTime()).toBe(at.getTime());
  expect(fromLocalField("2026-03-")).toBeUndefined();
});

describe("the URL", () => {
  it("keeps filters that it can read and drops the rest", () => {
    expect(
      readTraceFilters({
        service: 42,
        operation: "",
        since: "2h",
        from: "yesterday",
        to: "2026-11-22T07:00:00Z",
        minDurationMs: -1,
        status: "odd",
        page: 3,
      }),
    ).toEqual({ service: "42", to: "2026-11-22T07:00:00.000Z" });
    expect(readOverviewSearch({ window: "6h" })).toEqual({ window: "6h" });
  });

  it.each(["https://example.com/", "//example.com", "/\\example.com", "traces"])(
    "never returns to %s after the sign-in",
    (redirect) => {
      expect(readSignInSearch({ redirect })).toEqual({});
    },
  );

  it("returns to a page of its own", () => {
    expect(readSignInSearch({ redirect: "/traces?status=error" })).toEqual({
      redirect: "/traces?status=error",
    });
  });
});
