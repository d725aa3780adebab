/** Budgets: which ones an operation counts in, what they refuse, and what counts. */

import type { Shortage } from "./commands.ts";
import {
  countAt,
  dropOldCounts,
  toldPercentOf,
  usedMicros,
  windowStartOf,
} from "./budget-window.ts";
import { lesser } from "./credit.ts";
import type { Draft } from "./draft.ts";
import type { LedgerState } from "./ledger-state.ts";
import type { Attribution, Budget, BudgetScope, BudgetShare, Currency } from "./types.ts";

/** The budgets that an operation counts in. */
export function matchingBudgets(
  state: LedgerState,
  currency: Currency,
  attribution: Attribution,
): Budget[] {
  const matching: Budget[] = [];
  for (const budget of state.budgets.values()) {
    const { terms } = budget;
    if (terms.currency === currency && isInScope(terms.scope, attribution)) matching.push(budget);
  }
  return matching;
}

function isInScope(scope: BudgetScope, attribution: Attribution): boolean {
  switch (scope.kind) {
    case "tenant":
      return true;
    case "key":
      return attribution.keyId === scope.value;
    case "user":
      return attribution.userId === scope.value;
    case "model":
      return attribution.model === scope.value;
    default:
      return attribution.tags?.includes(scope.value) ?? false;
  }
}

/** What a budget leaves; a soft one leaves everything. */
export function budgetLeftMicros(budget: Budget, atMs: number): bigint {
  const leftMicros = budget.terms.limitMicros - usedMicros(budget, atMs);
  return leftMicros > 0n ? leftMicros : 0n;
}

/** The hard budget that leaves least, if that is less than the amount. */
export function tightestBudget(
  budgets: readonly Budget[],
  amountMicros: bigint,
  atMs: number,
): Shortage | undefined {
  let tightest: Shortage | undefined;
  for (const budget of budgets) {
    const { budgetId, isHard, scope } = budget.terms;
    if (!isHard) continue;
    const leftMicros = budgetLeftMicros(budget, atMs);
    if (leftMicros < (tightest?.leftMicros ?? amountMicros))
      tightest = { obstacle: { kind: "budget", budgetId, scope }, leftMicros };
  }
  return tightest;
}

/** Counts an amount as open in a budget, now. */
export function openShare(draft: Draft, budget: Budget, openMicros: bigint): BudgetShare {
  const windowStartMs = windowStartOf(budget.terms.window, draft.atMs);
  dropOldCounts(budget, draft.atMs);
  countAt(budget, windowStartMs).openMicros += openMicros;
  draft.touch("budget", budget.terms.budgetId);
  tellThresholds(draft, budget);
  return { budgetId: budget.terms.budgetId, windowStartMs, openMicros, isSpent: false };
}

/** What of a share is not open any more. The budget may be gone meanwhile. */
export function closeShare(draft: Draft, share: BudgetShare, amountMicros: bigint): void {
  const closedMicros = lesser(share.openMicros, amountMicros);
  share.openMicros -= closedMicros;
  const budget = draft.state.budgets.get(share.budgetId);
  const count = budget?.counts.get(share.windowStartMs);
  // A budget that was removed and set again knows nothing of what was open before.
  if (count === undefined) return;
  count.openMicros -= lesser(count.openMicros, closedMicros);
  draft.touch("budget", share.budgetId);
}

/**
 * Counts a charge in every budget of an operation: out of the shares that were opened for it, and in the window of now where
 * there is none.
 */
export function spendInBudgets(
  draft: Draft,
  reserved: { readonly currency: Currency; readonly budgets: readonly BudgetShare[] },
  charge: { readonly attribution: Attribution; readonly amountMicros: bigint },
): void {
  const { attribution, amountMicros } = charge;
  for (const budget of matchingBudgets(draft.state, reserved.currency, attribution)) {
    const { budgetId, window } = budget.terms;
    let missingMicros = amountMicros;
    for (const share of reserved.budgets) {
      if (share.budgetId !== budgetId) continue;
      const partMicros = lesser(missingMicros, share.openMicros);
      if (partMicros === 0n) continue;
      missingMicros -= partMicros;
      if (share.isSpent) {
        share.openMicros -= partMicros;
      } else {
        closeShare(draft, share, partMicros);
        countAt(budget, share.windowStartMs).spentMicros += partMicros;
      }
    }
    if (missingMicros > 0n)
      countAt(budget, windowStartOf(window, draft.atMs)).spentMicros += missingMicros;
    draft.touch("budget", budgetId);
    tellThresholds(draft, budget);
  }
}

/** Counts a share as spent although nobody said so. */
export function spendShare(draft: Draft, share: BudgetShare): void {
  const budget = draft.state.budgets.get(share.budgetId);
  const count = budget?.counts.get(share.windowStartMs);
  share.isSpent = true;
  if (count === undefined) return;
  count.openMicros -= lesser(count.openMicros, share.openMicros);
  count.spentMicros += share.openMicros;
  draft.touch("budget", share.budgetId);
}

function tellThresholds(draft: Draft, budget: Budget): void {
  const { budgetId, limitMicros, thresholdPercents, window } = budget.terms;
  if (thresholdPercents.length === 0) return;
  const used = usedMicros(budget, draft.atMs);
  const told = toldPercentOf(budget, draft.atMs);
  let passed = told;
  for (const percent of thresholdPercents) {
    if (percent > passed && used * 100n >= limitMicros * BigInt(percent)) passed = percent;
  }
  if (passed === told) return;
  const windowStartMs = windowStartOf(window, draft.atMs);
  countAt(budget, windowStartMs).toldPercent = passed;
  draft.notice({
    kind: "budget-threshold-passed",
    budgetId,
    percent: passed,
    windowStartMs,
    usedMicros: used,
  });
}
