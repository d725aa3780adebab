/** A copy of a ledger that shares nothing with it that changes. */

import type { LedgerState } from "@faultline/server/ledger/rules/ledger-state.ts";

/** Copies what may change, and shares what never does. */
export function copyLedger(state: LedgerState): LedgerState {
  return {
    ...state,
    balances: new Map(state.balances),
    accounts: copyValues(state.accounts, (account) => ({ ...account })),
    lots: copyValues(state.lots, (lot) => ({ ...lot })),
    holds: copyValues(state.holds, copyReserve),
    leases: copyValues(state.leases, copyReserve),
    workerEpochs: new Map(state.workerEpochs),
    budgets: copyValues(state.budgets, ({ terms, counts }) => ({
      terms,
      counts: copyValues(counts, (count) => ({ ...count })),
    })),
    uses: new Map(state.uses),
    commands: new Map(state.commands),
  };
}

function copyReserve<
  Reserve extends { readonly portions: readonly object[]; readonly budgets: readonly object[] },
>(reserve: Reserve): Reserve {
  return {
    ...reserve,
    portions: reserve.portions.map((portion) => ({ ...portion })),
    budgets: reserve.budgets.map((share) => ({ ...share })),
  };
}

function copyValues<Key, Value>(
  map: ReadonlyMap<Key, Value>,
  copy: (value: Value) => Value,
): Map<Key, Value> {
  return new Map([...map].map(([key, value]) => [key, copy(value)]));
}
