/** The auditor's own count of budgets: a list of everything that was ever admitted, looked through each time. */

import type { LeaseCharge } from "@faultline/server/ledger/rules/commands.ts";
import type { Attribution, BudgetTerms } from "@faultline/server/ledger/rules/types.ts";

interface Counted {
  readonly budgetId: string;
  readonly reserveId: string;
  readonly atMs: number;
  open: bigint;
  spent: bigint;
  /** Spent without a use: of a lost lease. */
  lost: bigint;
}

const dayMs = 86_400_000;

export class AuditBudgets {
  readonly terms = new Map<string, BudgetTerms>();
  #counted: Counted[] = [];

  /** Sets a budget. What counted in another scope or window of that name is forgotten. */
  set(terms: BudgetTerms, spent: bigint, atMs: number): void {
    const { budgetId, scope, window } = terms;
    const known = this.terms.get(budgetId);
    const isSame =
      known !== undefined &&
      known.currency === terms.currency &&
      JSON.stringify([known.scope, known.window]) === JSON.stringify([scope, window]);
    this.terms.set(budgetId, terms);
    if (isSame) return;
    this.#forget(budgetId);
    this.#counted.push({ budgetId, reserveId: "", atMs, open: 0n, spent, lost: 0n });
  }

  /** Removes a budget. */
  remove(budgetId: string): void {
    this.terms.delete(budgetId);
    this.#forget(budgetId);
  }

  /** The budgets of an operation. */
  of(attribution: Attribution): BudgetTerms[] {
    return [...this.terms.values()].filter(({ scope }) => {
      if (scope.kind === "tenant") return true;
      if (scope.kind === "tag") return attribution.tags?.includes(scope.value) === true;
      const names = { key: attribution.keyId, user: attribution.userId, model: attribution.model };
      return names[scope.kind] === scope.value;
    });
  }

  /** Spend and open holds of a budget in its window. */
  used({ budgetId, window }: BudgetTerms, nowMs: number): bigint {
    let used = 0n;
    for (const counted of this.#counted) {
      if (counted.budgetId !== budgetId) continue;
      const isWithin =
        window.kind === "total" ||
        (window.kind === "rolling" && counted.atMs > nowMs - window.durationMs) ||
        (window.kind === "day" && sameDay(counted.atMs, nowMs)) ||
        (window.kind === "month" && sameMonth(counted.atMs, nowMs));
      if (isWithin) used += counted.spent + counted.lost + counted.open;
      else if (window.kind === "rolling") used += counted.open;
    }
    return used;
  }

  /** Counts an amount as open. */
  open(reserveId: string, budgetId: string, admitted: { atMs: number; micros: bigint }): void {
    const { atMs, micros } = admitted;
    this.#counted.push({ budgetId, reserveId, atMs, open: micros, spent: 0n, lost: 0n });
  }

  /** Counts a charge: out of what is open for it, the rest beside. */
  spend(
    reserveId: string,
    charge: Pick<LeaseCharge, "amountMicros" | "attribution">,
    nowMs: number,
  ): void {
    for (const { budgetId } of this.of(charge.attribution)) {
      let missing = charge.amountMicros;
      for (const counted of this.#counted) {
        if (counted.budgetId !== budgetId || counted.reserveId !== reserveId) continue;
        const part = counted.open < missing ? counted.open : missing;
        counted.open -= part;
        counted.spent += part;
        missing -= part;
        const found = counted.lost < missing ? counted.lost : missing;
        counted.lost -= found;
        counted.spent += found;
        missing -= found;
      }
      if (missing === 0n) continue;
      this.#counted.push({
        budgetId,
        reserveId,
        atMs: nowMs,
        open: 0n,
        spent: missing,
        lost: 0n,
      });
    }
  }

  /** Counts what is open of a lost lease as spent. */
  lose(reserveId: string): void {
    for (const counted of this.#counted) {
      if (counted.reserveId !== reserveId) continue;
      counted.lost += counted.open;
      counted.open = 0n;
    }
  }

  /** Closes what is open of a reserve, or a part of it. */
  close(reserveId: string, part?: { budgetId: string; micros: bigint }): void {
    let missing = part?.micros;
    for (const counted of this.#counted) {
      if (counted.reserveId !== reserveId) continue;
      if (part !== undefined && counted.budgetId !== part.budgetId) continue;
      const closed = missing === undefined || counted.open < missing ? counted.open : missing;
      counted.open -= closed;
      if (missing !== undefined) missing -= closed;
    }
  }

  #forget(budgetId: string): void {
    this.#counted = this.#counted.filter((counted) => counted.budgetId !== budgetId);
  }
}

function sameDay(one: number, other: number): boolean {
  return Math.floor(one / dayMs) === Math.floor(other / dayMs);
}

function sameMonth(one: number, other: number): boolean {
  const [first, second] = [new Date(one), new Date(other)];
  const isSameYear = first.getUTCFullYear() === second.getUTCFullYear();
  return isSameYear && first.getUTCMonth() === second.getUTCMonth();
}
