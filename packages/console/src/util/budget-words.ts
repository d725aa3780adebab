/** Budgets in words. */

import type { BudgetForecast, BudgetScope, BudgetWindow } from "@faultline/protocol";

import { coarse, formatDistance } from "./time.ts";

export function scopeText(scope: BudgetScope, keyNames: ReadonlyMap<string, string>): string {
  if (scope.kind === "tenant") return "the whole tenant";
  if (scope.kind === "key") return `key ${keyNames.get(scope.value) ?? scope.value}`;
  return `${scope.kind} ${scope.value}`;
}

export function windowText(window: BudgetWindow): string {
  switch (window.kind) {
    case "day":
      return "each day (UTC)";
    case "month":
      return "each month (UTC)";
    case "rolling":
      return `any ${coarse(window.durationSeconds * 1_000)}`;
    default:
      return "in all";
  }
}

export type OutlookTone = "good" | "warn" | "bad" | "plain";

/** What is to be expected of a budget, and how good that is. */
export function outlookText(
  outlook: BudgetForecast["outlook"],
  now: Date,
): { readonly text: string; readonly tone: OutlookTone } {
  switch (outlook.kind) {
    case "used-up":
      return { text: "used up", tone: "bad" };
    case "runs-out":
      return { text: `used up ${formatDistance(new Date(outlook.at), now)}`, tone: "warn" };
    case "lasts":
      return { text: "lasts", tone: "good" };
    case "idle":
      return { text: "nothing spent lately", tone: "plain" };
    default:
      return { text: "too early to tell", tone: "plain" };
  }
}
