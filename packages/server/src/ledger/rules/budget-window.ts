/** Which spend counts in a budget now. Spend is dated by when it was admitted, not by when it was reported. */

import { unreachable } from "#kernel/index.ts";

import { ledgerLimits } from "./limits.ts";
import type { Budget, BudgetCount, BudgetWindow } from "./types.ts";

const dayMs = 86_400_000;

/** The start of the window, or of the part of a rolling one, in which something is admitted now. */
export function windowStartOf(window: BudgetWindow, atMs: number): number {
  switch (window.kind) {
    case "total":
      return 0;
    case "day":
      return Math.floor(atMs / dayMs) * dayMs;
    case "month": {
      const date = new Date(atMs);
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
    }
    case "rolling": {
      const partMs = rollingPartMs(window.durationMs);
      return Math.floor(atMs / partMs) * partMs;
    }
    default:
      return unreachable(window);
  }
}

/** Spend and open holds that count now. */
export function usedMicros(budget: Budget, atMs: number): bigint {
  if (budget.terms.window.kind !== "rolling") {
    const count = budget.counts.get(windowStartOf(budget.terms.window, atMs));
    return count === undefined ? 0n : count.spentMicros + count.openMicros;
  }
  let sumMicros = 0n;
  for (const [windowStartMs, count] of budget.counts) {
    // What is still open counts, however long ago it was admitted.
    sumMicros += count.openMicros;
    if (isLive(budget, windowStartMs, atMs)) sumMicros += count.spentMicros;
  }
  return sumMicros;
}

/** The highest threshold that was told of the window. */
export function toldPercentOf(budget: Budget, atMs: number): number {
  let percent = 0;
  for (const [windowStartMs, { toldPercent }] of budget.counts) {
    if (toldPercent > percent && isLive(budget, windowStartMs, atMs)) percent = toldPercent;
  }
  return percent;
}

/** The count of a window; there is one from here on. */
export function countAt(budget: Budget, windowStartMs: number): BudgetCount {
  const known = budget.counts.get(windowStartMs);
  if (known !== undefined) return known;
  const count = { spentMicros: 0n, openMicros: 0n, toldPercent: 0 };
  budget.counts.set(windowStartMs, count);
  return count;
}

/** Drops counts that say nothing any more. */
export function dropOldCounts(budget: Budget, atMs: number): void {
  for (const [windowStartMs, count] of budget.counts) {
    if (count.openMicros === 0n && !isLive(budget, windowStartMs, atMs))
      budget.counts.delete(windowStartMs);
  }
}

function isLive(budget: Budget, windowStartMs: number, atMs: number): boolean {
  const { window } = budget.terms;
  if (window.kind !== "rolling") return windowStartMs === windowStartOf(window, atMs);
  const partMs = rollingPartMs(window.durationMs);
  return windowStartMs + partMs + window.durationMs > atMs;
}

/** A rolling window is counted in parts of this length; spend leaves it with its whole part. */
export function rollingPartMs(durationMs: number): number {
  return Math.max(1, Math.ceil(durationMs / ledgerLimits.rollingWindowParts));
}
