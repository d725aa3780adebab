/** What stands in the way of an amount, and what would be given instead. */

import type { Refusal, Shortage } from "./commands.ts";
import { availableMicros, blockingDebt, reservedMicros } from "./credit.ts";
import type { LedgerState } from "./ledger-state.ts";
import type { CreditAccount, Currency } from "./types.ts";

/** Whether the account gives an amount, and if not, what it would give. */
export function creditShortage(
  state: LedgerState,
  account: CreditAccount,
  amountMicros: bigint,
): Shortage | undefined {
  const { currency } = account;
  const debtMicros = blockingDebt(state, account);
  if (debtMicros > 0n) return { obstacle: { kind: "debt", debtMicros }, leftMicros: 0n };
  const leftMicros = availableMicros(state, account);
  if (leftMicros >= amountMicros) return undefined;
  return { obstacle: { kind: "account", currency }, leftMicros };
}

/** The one that leaves less. */
export function tighter(
  left: Shortage | undefined,
  right: Shortage | undefined,
): Shortage | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return left.leftMicros <= right.leftMicros ? left : right;
}

/** A refusal for want of credit. */
export function exhausted(
  state: LedgerState,
  currency: Currency,
  want: Shortage & { readonly amountMicros: bigint },
): Refusal {
  let leasedMicros = 0n;
  for (const lease of state.leases.values()) {
    if (lease.state === "open" && lease.currency === currency)
      leasedMicros += reservedMicros(lease);
  }
  return {
    kind: "refused",
    code: "credit_exhausted",
    obstacle: want.obstacle,
    askedMicros: want.amountMicros,
    leftMicros: want.leftMicros,
    leasedMicros,
  };
}
