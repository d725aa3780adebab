/** What the form of a budget holds, and the request that it becomes. */

import type { BudgetScope, BudgetWindow, LedgerBudget } from "@faultline/protocol";

import { type Currency, fromDecimalField, toDecimalField } from "../util/money.ts";

const secondsPer = { hours: 3_600, days: 86_400 } as const;
const thresholdCountMax = 8;
const thresholdPercentMax = 1_000;

export interface BudgetDraft {
  readonly budgetId: string;
  readonly currency: Currency;
  readonly scopeKind: BudgetScope["kind"];
  readonly scopeValue: string;
  readonly windowKind: BudgetWindow["kind"];
  readonly rollingCount: string;
  readonly rollingUnit: keyof typeof secondsPer;
  readonly limit: string;
  readonly kind: "hard" | "soft";
  readonly thresholds: string;
}

/** The draft of a budget that is changed, or of a new one. */
export function draftOf(budget: LedgerBudget | undefined): BudgetDraft {
  if (budget === undefined) {
    return {
      budgetId: "",
      currency: "USD",
      scopeKind: "tenant",
      scopeValue: "",
      windowKind: "month",
      rollingCount: "24",
      rollingUnit: "hours",
      limit: "",
      kind: "hard",
      thresholds: "80, 100",
    };
  }
  const { scope, window } = budget;
  const seconds = window.kind === "rolling" ? window.durationSeconds : secondsPer.days;
  const rollingUnit = seconds % secondsPer.days === 0 ? "days" : "hours";
  return {
    budgetId: budget.budgetId,
    currency: budget.currency,
    scopeKind: scope.kind,
    scopeValue: scope.kind === "tenant" ? "" : scope.value,
    windowKind: window.kind,
    rollingCount: String(seconds / secondsPer[rollingUnit]),
    rollingUnit,
    limit: toDecimalField(budget.limitMicros),
    kind: budget.isHard ? "hard" : "soft",
    thresholds: budget.thresholdPercents.join(", "),
  };
}

/** What the ledger is asked to set; or, in words, what is still wrong with the draft. */
export function requestOf(draft: BudgetDraft) {
  const limitMicros = fromDecimalField(draft.limit);
  if (limitMicros === undefined) return "A limit has digits and up to six decimals.";
  const thresholdPercents = readThresholds(draft.thresholds);
  if (thresholdPercents === undefined)
    return `Thresholds are at most ${thresholdCountMax} whole per cents from 1 to ${thresholdPercentMax}, with commas between them.`;
  const value = draft.scopeValue.trim();
  if (draft.scopeKind !== "tenant" && value === "") return `Name the ${draft.scopeKind}.`;
  const durationSeconds = Math.round(Number(draft.rollingCount) * secondsPer[draft.rollingUnit]);
  if (draft.windowKind === "rolling" && !(durationSeconds >= 1))
    return "A rolling window has a length.";
  return {
    budgetId: draft.budgetId.trim(),
    currency: draft.currency,
    scope:
      draft.scopeKind === "tenant" ? { kind: draft.scopeKind } : { kind: draft.scopeKind, value },
    window:
      draft.windowKind === "rolling"
        ? { kind: draft.windowKind, durationSeconds }
        : { kind: draft.windowKind },
    limitMicros: String(limitMicros),
    isHard: draft.kind === "hard",
    thresholdPercents,
  };
}

function readThresholds(text: string): number[] | undefined {
  const parts = text.split(",").map((part) => part.trim().replace(/\s*%$/, ""));
  if (parts.length === 1 && parts[0] === "") return [];
  const percents = parts.map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN));
  const fits = percents.every((percent) => percent >= 1 && percent <= thresholdPercentMax);
  if (!fits || percents.length > thresholdCountMax) return undefined;
  return [...new Set(percents)].toSorted((left, right) => left - right);
}

/** Whether what the budget has counted so far would be forgotten. */
export function countsAnew(budget: LedgerBudget, request: ReturnType<typeof requestOf>): boolean {
  if (typeof request === "string") return false;
  const { scope, window, currency } = budget;
  return (
    JSON.stringify([scope, window, currency]) !==
    JSON.stringify([request.scope, request.window, request.currency])
  );
}
