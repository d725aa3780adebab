/** Forecasts of budgets: how long each lasts when the spend of its scope goes on as it went lately. Pure. */

import type { BudgetForecast } from "@faultline/protocol";

import { rollingPartMs, usedMicros, windowStartOf } from "../rules/budget-window.ts";
import type { Budget, BudgetWindow } from "../rules/types.ts";
import { showTime } from "./shown.ts";

const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** Short windows are judged by the last day, longer ones by the last week. */
const shortWindowMsMax = 2 * dayMs;
export const lookBackMs = { short: dayMs, long: 7 * dayMs } as const;
/** Less than this tells nothing of a pace. */
const evidenceMsMin = 5 * 60_000;
/** Farther ahead a date says no more than "lasts". */
const horizonMsMax = 3_660 * dayMs;

/** What a scope spent since a moment. */
export interface RecentSpend {
  readonly micros: bigint;
  /** Of the first use that counts; `undefined` where there was none. */
  readonly firstMs: number | undefined;
}

/** By which stretch of the past a window is judged. */
export function lookBackOf(window: BudgetWindow): keyof typeof lookBackMs {
  if (window.kind === "day") return "short";
  return window.kind === "rolling" && window.durationMs <= shortWindowMsMax ? "short" : "long";
}

/** Forecasts a budget from what its scope spent lately. */
export function forecastBudget(budget: Budget, recent: RecentSpend, nowMs: number): BudgetForecast {
  const { budgetId, currency, window, limitMicros } = budget.terms;
  const used = usedMicros(budget, nowMs);
  const openMicros = openOf(budget, nowMs);
  const pace = paceOf(recent, nowMs);
  const calendar = calendarOf(window, nowMs);
  return {
    budgetId,
    currency,
    window:
      window.kind === "rolling"
        ? { kind: "rolling", durationSeconds: Math.ceil(window.durationMs / 1_000) }
        : window,
    limitMicros: String(limitMicros),
    spentMicros: String(used - openMicros),
    openMicros: String(openMicros),
    leftMicros: String(limitMicros > used ? limitMicros - used : 0n),
    ...(calendar === undefined
      ? {}
      : { windowFrom: showTime(calendar.fromMs), windowUntil: showTime(calendar.untilMs) }),
    ...(pace === undefined
      ? {}
      : {
          pace: {
            from: showTime(nowMs - Number(pace.elapsedMs)),
            spentMicros: String(pace.micros),
            perDayMicros: String((pace.micros * BigInt(dayMs)) / pace.elapsedMs),
          },
        }),
    outlook: outlookOf(budget, { used, pace, nowMs, untilMs: calendar?.untilMs }),
    method: methodOf(window),
  };
}

interface Pace {
  readonly micros: bigint;
  /** In which that was spent. */
  readonly elapsedMs: bigint;
}

function paceOf({ micros, firstMs }: RecentSpend, nowMs: number): Pace | undefined {
  if (firstMs === undefined || micros === 0n) return undefined;
  return { micros, elapsedMs: BigInt(Math.max(1, nowMs - firstMs)) };
}

interface Facts {
  readonly used: bigint;
  readonly pace: Pace | undefined;
  readonly nowMs: number;
  readonly untilMs: number | undefined;
}

function outlookOf(budget: Budget, facts: Facts): BudgetForecast["outlook"] {
  const { limitMicros, window } = budget.terms;
  const { used, pace, nowMs, untilMs } = facts;
  if (used >= limitMicros) return { kind: "used-up" };
  if (pace === undefined) return { kind: "idle" };
  if (pace.elapsedMs < BigInt(evidenceMsMin)) return { kind: "too-early" };
  const endMs =
    window.kind === "rolling" ? nowMs + window.durationMs : (untilMs ?? nowMs + horizonMsMax);
  const atMs = runsOutAt(budget, facts, { pace, endMs });
  if (atMs !== undefined) return { kind: "runs-out", at: showTime(atMs) };
  const spanMs = BigInt(endMs - nowMs);
  const spend = (pace.micros * spanMs) / pace.elapsedMs;
  return {
    kind: "lasts",
    expectedMicros: String(window.kind === "rolling" ? spend : used + spend),
  };
}

/** When the limit is reached; `undefined` when that is not before the end. */
function runsOutAt(
  budget: Budget,
  { used, nowMs }: Facts,
  { pace, endMs }: { readonly pace: Pace; readonly endMs: number },
): number | undefined {
  const { limitMicros } = budget.terms;
  let leftMicros = limitMicros - used;
  let fromMs = nowMs;
  for (const leaving of [...leavingSpend(budget, nowMs), { atMs: endMs, micros: 0n }]) {
    if (leaving.atMs > endMs) break;
    // Rounded up: the limit is reached when the last micro of it is spent.
    const neededMs = (leftMicros * pace.elapsedMs + pace.micros - 1n) / pace.micros;
    if (neededMs <= BigInt(leaving.atMs - fromMs)) return fromMs + Number(neededMs);
    leftMicros += leaving.micros - (pace.micros * BigInt(leaving.atMs - fromMs)) / pace.elapsedMs;
    fromMs = leaving.atMs;
  }
  return undefined;
}

/** Spend that leaves a rolling window, in the order in which it does. */
function leavingSpend(
  budget: Budget,
  nowMs: number,
): { readonly atMs: number; readonly micros: bigint }[] {
  const { window } = budget.terms;
  if (window.kind !== "rolling") return [];
  const partMs = rollingPartMs(window.durationMs);
  return [...budget.counts]
    .map(([startMs, count]) => ({
      atMs: startMs + partMs + window.durationMs,
      micros: count.spentMicros,
    }))
    .filter(({ atMs, micros }) => atMs > nowMs && micros > 0n)
    .toSorted((left, right) => left.atMs - right.atMs);
}

function openOf(budget: Budget, nowMs: number): bigint {
  const { window } = budget.terms;
  if (window.kind !== "rolling")
    return budget.counts.get(windowStartOf(window, nowMs))?.openMicros ?? 0n;
  return [...budget.counts.values()].reduce((sum, count) => sum + count.openMicros, 0n);
}

function calendarOf(
  window: BudgetWindow,
  nowMs: number,
): { readonly fromMs: number; readonly untilMs: number } | undefined {
  if (window.kind === "rolling" || window.kind === "total") return undefined;
  const fromMs = windowStartOf(window, nowMs);
  if (window.kind === "day") return { fromMs, untilMs: fromMs + dayMs };
  const start = new Date(fromMs);
  return { fromMs, untilMs: Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1) };
}

function methodOf(window: BudgetWindow): string {
  const stretch = lookBackOf(window) === "short" ? "24 hours" : "7 days";
  const pace = `What the scope spent in the last ${stretch}, or since its first use if that is less, goes on evenly`;
  switch (window.kind) {
    case "day":
    case "month":
      return `${pace} until the ${window.kind} (UTC) ends. What is held counts as spent.`;
    case "rolling":
      return `${pace}, while spend older than ${hoursOf(window.durationMs)} leaves the window. What is held counts as spent.`;
    default:
      return `${pace}. What is held counts as spent.`;
  }
}

function hoursOf(durationMs: number): string {
  if (durationMs % dayMs === 0) return `${durationMs / dayMs} days`;
  return durationMs % hourMs === 0
    ? `${durationMs / hourMs} hours`
    : `${durationMs / 1_000} seconds`;
}
