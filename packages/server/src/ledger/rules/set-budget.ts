/** Sets, changes and removes budgets. */

import { countAt, toldPercentOf, usedMicros, windowStartOf } from "./budget-window.ts";
import type { CommandOf, LedgerOutcome, Refusal } from "./commands.ts";
import type { Draft } from "./draft.ts";
import { ledgerLimits } from "./limits.ts";
import { checkAmount, checkDuration, refuse } from "./refuse.ts";
import type { Budget, BudgetTerms } from "./types.ts";

/** Sets a budget, or changes its limit and thresholds; another scope, window or currency makes it a new one. */
export function setBudget(draft: Draft, command: CommandOf<"set-budget">): LedgerOutcome | Refusal {
  const { terms, spentMicros } = command;
  const invalid =
    checkAmount(terms.limitMicros, 0n) ?? checkAmount(spentMicros, 0n) ?? checkTerms(terms);
  if (invalid !== undefined) return invalid;
  const { state, atMs } = draft;
  const known = state.budgets.get(terms.budgetId);
  if (known === undefined && state.budgets.size >= ledgerLimits.budgetCountMax)
    return refuse("ledger_full", `${ledgerLimits.budgetCountMax} budgets are set.`);
  if (known !== undefined && isSameCount(known.terms, terms)) {
    known.terms = terms;
  } else {
    const budget: Budget = { terms, counts: new Map() };
    state.budgets.set(terms.budgetId, budget);
    const count = countAt(budget, windowStartOf(terms.window, atMs));
    count.spentMicros = spentMicros;
  }
  draft.touch("budget", terms.budgetId);
  let effectiveAtMs = atMs;
  for (const lease of state.leases.values()) {
    if (lease.state === "open") effectiveAtMs = Math.max(effectiveAtMs, lease.deadlineMs);
  }
  return { kind: "budget-set", effectiveAtMs };
}

/** Removes a budget and all that it counted. */
export function removeBudget(
  draft: Draft,
  command: CommandOf<"remove-budget">,
): LedgerOutcome | Refusal {
  const { budgetId } = command;
  if (!draft.state.budgets.delete(budgetId))
    return refuse("budget_not_found", `There is no budget '${budgetId}'.`);
  draft.touch("budget", budgetId);
  return { kind: "budget-removed" };
}

/** How a budget stands at a time. */
export interface BudgetStanding {
  readonly usedMicros: bigint;
  readonly leftMicros: bigint;
  readonly toldPercent: number;
}

/** Reads what a budget has used and what it leaves. */
export function budgetStanding(budget: Budget, atMs: number): BudgetStanding {
  const used = usedMicros(budget, atMs);
  const leftMicros = budget.terms.limitMicros - used;
  return {
    usedMicros: used,
    leftMicros: leftMicros > 0n ? leftMicros : 0n,
    toldPercent: toldPercentOf(budget, atMs),
  };
}

function isSameCount(left: BudgetTerms, right: BudgetTerms): boolean {
  const text = ({ currency, scope, window }: BudgetTerms): string =>
    JSON.stringify([
      currency,
      scope.kind,
      scope.kind === "tenant" ? "" : scope.value,
      window.kind,
      window.kind === "rolling" ? window.durationMs : 0,
    ]);
  return text(left) === text(right);
}

function checkTerms(terms: BudgetTerms): Refusal | undefined {
  const { thresholdPercents, window, scope } = terms;
  if (scope.kind !== "tenant" && !isId(scope.value))
    return refuse(
      "ledger_command_invalid",
      "The scope of a budget has a name of 1 to 128 letters.",
    );
  const isInOrder =
    thresholdPercents.length <= ledgerLimits.budgetThresholdCountMax &&
    thresholdPercents.every((percent) => Number.isSafeInteger(percent) && percent >= 1);
  if (!isInOrder)
    return refuse(
      "ledger_command_invalid",
      `A budget has at most ${ledgerLimits.budgetThresholdCountMax} thresholds, whole per cents from 1 on.`,
    );
  if (window.kind !== "rolling") return undefined;
  return checkDuration(window.durationMs, ledgerLimits.rollingWindowMsMax);
}

function isId(text: string): boolean {
  return text.length >= 1 && text.length <= ledgerLimits.idLengthMax;
}
