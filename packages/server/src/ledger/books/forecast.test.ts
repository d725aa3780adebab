import { describe, expect, it } from "vitest";

import type { Budget, BudgetCount, BudgetWindow } from "../rules/types.ts";
import { forecastBudget } from "./forecast.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Noon of a day in a month of 30 days. */
const nowMs = Date.UTC(2026, 10, 28, 12);

function budgetOf(
  window: BudgetWindow,
  limitMicros: bigint,
  counts: readonly (readonly [number, Partial<BudgetCount>])[] = [],
): Budget {
  return {
    terms: {
      budgetId: "b",
      currency: "USD",
      scope: { kind: "tenant" },
      window,
      limitMicros,
      isHard: true,
      thresholdPercents: [],
    },
    counts: new Map(
      counts.map(([startMs, count]) => [
        startMs,
        { spentMicros: 0n, openMicros: 0n, toldPercent: 0, ...count },
      ]),
    ),
  };
}

const spentSince = (agoMs: number, micros: bigint) => ({ micros, firstMs: nowMs - agoMs });

describe("a forecast", () => {
  it("names the moment at which the pace uses up what is left", () => {
    const budget = budgetOf({ kind: "total" }, 1_000n, [
      [0, { spentMicros: 300n, openMicros: 100n }],
    ]);
    const forecast = forecastBudget(budget, spentSince(2 * dayMs, 200n), nowMs);
    expect(forecast).toMatchObject({
      spentMicros: "300",
      openMicros: "100",
      leftMicros: "600",
      pace: { perDayMicros: "100", spentMicros: "200" },
      outlook: { kind: "runs-out", at: new Date(nowMs + 6 * dayMs).toISOString() },
    });
  });

  it("says that a day or a month ends first, and what will count by then", () => {
    const day = budgetOf({ kind: "day" }, 1_000n, [[nowMs - 12 * hourMs, { spentMicros: 400n }]]);
    expect(forecastBudget(day, spentSince(12 * hourMs, 400n), nowMs)).toMatchObject({
      windowUntil: new Date(nowMs + 12 * hourMs).toISOString(),
      outlook: { kind: "lasts", expectedMicros: "800" },
    });
    const month = budgetOf({ kind: "month" }, 1_000n, [
      [Date.UTC(2026, 10, 1), { spentMicros: 950n }],
    ]);
    expect(forecastBudget(month, spentSince(dayMs, 100n), nowMs)).toMatchObject({
      windowFrom: "2026-11-01T00:00:00.000Z",
      windowUntil: "2026-12-01T00:00:00.000Z",
      outlook: { kind: "runs-out", at: new Date(nowMs + dayMs / 2).toISOString() },
    });
  });

  it("lets spend leave a rolling window, part after part", () => {
    const window = { kind: "rolling", durationMs: 60 * hourMs } as const;
    // Of each hour of the last 60, 10 were spent; 600 count, 10 leave every hour.
    const counts = Array.from(
      { length: 60 },
      (_, index) => [nowMs - (index + 1) * hourMs, { spentMicros: 10n }] as const,
    );
    const recent = spentSince(dayMs, 240n);
    expect(forecastBudget(budgetOf(window, 700n, counts), recent, nowMs).outlook).toEqual({
      kind: "lasts",
      expectedMicros: "600",
    });
    // At twice the pace ten more than what leaves come every hour.
    const faster = forecastBudget(
      budgetOf(window, 700n, counts),
      spentSince(dayMs, 480n),
      nowMs,
    ).outlook;
    expect(faster).toMatchObject({ kind: "runs-out" });
    const atMs = faster.kind === "runs-out" ? Date.parse(faster.at) : 0;
    expect((atMs - nowMs) / hourMs).toBeGreaterThan(8);
    expect((atMs - nowMs) / hourMs).toBeLessThanOrEqual(11);
  });

  it("tells apart what is used up, what nobody spends, and what nobody can tell yet", () => {
    const budget = (spentMicros: bigint) =>
      budgetOf({ kind: "total" }, 100n, [[0, { spentMicros }]]);
    const outlook = (spentMicros: bigint, agoMs: number | undefined) =>
      forecastBudget(
        budget(spentMicros),
        agoMs === undefined ? { micros: 0n, firstMs: undefined } : spentSince(agoMs, 50n),
        nowMs,
      ).outlook.kind;
    expect(outlook(100n, dayMs)).toBe("used-up");
    expect(outlook(50n, undefined)).toBe("idle");
    expect(outlook(50n, 1_000)).toBe("too-early");
    expect(outlook(50n, dayMs)).toBe("runs-out");
  });

  it("stays exact with amounts that no double holds", () => {
    const limitMicros = 9_007_199_254_740_993_000n;
    const budget = budgetOf({ kind: "total" }, limitMicros, [[0, { spentMicros: 1n }]]);
    expect(forecastBudget(budget, spentSince(dayMs, 1n), nowMs)).toMatchObject({
      leftMicros: "9007199254740992999",
      outlook: { kind: "lasts", expectedMicros: "3661" },
    });
  });
});
