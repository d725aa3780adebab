/** What must hold of a ledger after every command, as sentences about where it does not. */

import { accountId, type Currency } from "./types.ts";
import { balanceOf } from "./draft.ts";
import type { LedgerState } from "./ledger-state.ts";

/** The invariants that are broken: empty, unless we are wrong or the records were changed by somebody else. */
export function brokenInvariants(state: LedgerState): string[] {
  const broken: string[] = [];
  const expectEqual = (what: string, actual: bigint, expected: bigint): void => {
    if (actual !== expected) broken.push(`${what} is ${actual} and must be ${expected}`);
  };
  for (const account of state.accounts.values()) {
    const { currency } = account;
    const sums = sumsOf(state, currency);
    expectEqual(`the sum of all accounts in ${currency}`, sums.allMicros, 0n);
    expectEqual(
      accountId("credit", currency),
      balanceOf(state, "credit", currency),
      sums.lotMicros,
    );
    expectEqual(accountId("holds", currency), balanceOf(state, "holds", currency), sums.heldMicros);
    expectEqual(`held on the line of ${currency}`, account.lineHeldMicros, sums.lineHeldMicros);
    const debtMicros = -balanceOf(state, "debt", currency);
    if (debtMicros < account.lineHeldMicros)
      broken.push(`the debt in ${currency} is ${debtMicros}, less than what is held of it`);
  }
  for (const lot of state.lots.values()) {
    if (lot.remainingMicros < 0n || lot.remainingMicros > lot.grantedMicros)
      broken.push(`lot ${lot.id} has ${lot.remainingMicros} left of ${lot.grantedMicros}`);
  }
  for (const reserved of [...state.holds.values(), ...state.leases.values()]) {
    const hasPortions = reserved.portions.length > 0;
    if (reserved.state !== "open" && hasPortions)
      broken.push(`${reserved.id} is ${reserved.state} and still reserves credit`);
    if (reserved.portions.some(({ amountMicros }) => amountMicros <= 0n))
      broken.push(`${reserved.id} has a portion of nothing`);
  }
  const openCount = [...state.holds.values()].filter((hold) => hold.state === "open").length;
  expectEqual("the count of open holds", BigInt(state.openHoldCount), BigInt(openCount));
  return [...broken, ...brokenBudgets(state)];
}

function brokenBudgets(state: LedgerState): string[] {
  const broken: string[] = [];
  for (const [budgetId, { counts }] of state.budgets) {
    for (const [windowStartMs, { openMicros, spentMicros }] of counts) {
      const where = `budget ${budgetId} in the window of ${windowStartMs}`;
      if (openMicros < 0n || spentMicros < 0n) broken.push(`${where} counts below zero`);
    }
  }
  return broken;
}

function sumsOf(
  state: LedgerState,
  currency: Currency,
): { allMicros: bigint; lotMicros: bigint; heldMicros: bigint; lineHeldMicros: bigint } {
  const sums = { allMicros: 0n, lotMicros: 0n, heldMicros: 0n, lineHeldMicros: 0n };
  for (const [id, micros] of state.balances) {
    if (id.endsWith(`/${currency}`)) sums.allMicros += micros;
  }
  for (const lot of state.lots.values()) {
    if (lot.currency === currency) sums.lotMicros += lot.remainingMicros;
  }
  for (const reserved of [...state.holds.values(), ...state.leases.values()]) {
    if (reserved.currency !== currency) continue;
    for (const { lotId, amountMicros } of reserved.portions) {
      sums.heldMicros += amountMicros;
      if (lotId === undefined) sums.lineHeldMicros += amountMicros;
    }
  }
  return sums;
}
