/** Charges a use: out of what is reserved for it, then out of other credit, and what is left is owed. */

import { spendInBudgets } from "./budgets.ts";
import type { Charge, ChargeResult } from "./commands.ts";
import {
  accountOf,
  coverDebt,
  lesser,
  type Reserved,
  takeFromLots,
  takePortions,
} from "./credit.ts";
import type { Draft } from "./draft.ts";
import type { Attribution, BudgetShare } from "./types.ts";

/** A hold or a lease that a use is charged to. */
export interface ChargedReserve extends Reserved {
  chargedMicros: bigint;
  readonly budgets: readonly BudgetShare[];
  /** Of a lost lease: what counts as spent, and in which uses may be found. */
  unreadMicros?: bigint;
}

/** Charges a use once: one that was charged before gives what was charged then. */
export function chargeUse(
  draft: Draft,
  reserve: ChargedReserve,
  use: { readonly charge: Charge; readonly attribution: Attribution },
): ChargeResult {
  const { charge, attribution } = use;
  const { usageId, amountMicros } = charge;
  const earlier = draft.state.uses.get(usageId);
  if (earlier !== undefined) {
    const { amountMicros: chargedMicros } = earlier;
    return { usageId, chargedMicros, beyondHoldMicros: 0n, debtMicros: 0n, isRepeated: true };
  }
  const reservedMicros = chargeReserved(draft, reserve, charge);
  const beyondHoldMicros =
    amountMicros - reservedMicros - findUnread(draft, reserve, { charge, reservedMicros });
  const debtMicros = beyondHoldMicros - chargeCredit(draft, reserve, { charge, beyondHoldMicros });
  chargeDebt(draft, reserve, { charge, debtMicros });
  reserve.chargedMicros += amountMicros;
  spendInBudgets(draft, reserve, { attribution, amountMicros });
  // What was held on the credit line is used now, and other credit may have come meanwhile.
  coverDebt(draft, reserve.currency);
  draft.state.uses.set(usageId, { usageId, holdId: reserve.id, amountMicros, atMs: draft.atMs });
  draft.touch("use", usageId);
  if (beyondHoldMicros > 0n) {
    const holdId = reserve.id;
    draft.notice({ kind: "charged-beyond-hold", usageId, holdId, beyondHoldMicros, debtMicros });
  }
  return { usageId, chargedMicros: amountMicros, beyondHoldMicros, debtMicros, isRepeated: false };
}

/** Charges what is reserved; gives how much that was. */
function chargeReserved(draft: Draft, reserve: ChargedReserve, charge: Charge): bigint {
  const { id: holdId, currency } = reserve;
  const { usageId, usageKind } = charge;
  let chargedMicros = 0n;
  for (const { lotId, amountMicros } of takePortions(reserve, charge.amountMicros, "front")) {
    chargedMicros += amountMicros;
    if (lotId === undefined) {
      accountOf(draft.state, currency).lineHeldMicros -= amountMicros;
      draft.touch("account", currency);
    }
    const movement = { from: "holds", to: `usage:${usageKind}`, reason: "charged" } as const;
    draft.transfer({ ...movement, currency, amountMicros, lotId, holdId, usageId });
  }
  return chargedMicros;
}

/** Names what a part of a lost lease was used for; gives how much that was. */
function findUnread(
  draft: Draft,
  reserve: ChargedReserve,
  { charge, reservedMicros }: { readonly charge: Charge; readonly reservedMicros: bigint },
): bigint {
  const { id: holdId, currency, unreadMicros = 0n } = reserve;
  const { usageId, usageKind } = charge;
  const amountMicros = lesser(unreadMicros, charge.amountMicros - reservedMicros);
  if (amountMicros === 0n) return 0n;
  reserve.unreadMicros = unreadMicros - amountMicros;
  const movement = { from: "usage:unread", to: `usage:${usageKind}` } as const;
  draft.transfer({ ...movement, reason: "journal-found", currency, amountMicros, holdId, usageId });
  return amountMicros;
}

interface Beyond {
  readonly charge: Charge;
  readonly beyondHoldMicros: bigint;
}

/** Charges credit that nobody reserved; gives how much there was. */
function chargeCredit(draft: Draft, reserve: ChargedReserve, beyond: Beyond): bigint {
  const { id: holdId, currency } = reserve;
  const { usageId, usageKind } = beyond.charge;
  const movement = { from: "credit", to: `usage:${usageKind}` } as const;
  const reason = "charged-beyond-hold";
  const { beyondHoldMicros: amountMicros } = beyond;
  const missingMicros = takeFromLots(draft, { currency, amountMicros }, (taken) =>
    draft.transfer({ ...movement, reason, currency, ...taken, holdId, usageId }),
  );
  return amountMicros - missingMicros;
}

interface Owed {
  readonly charge: Charge;
  readonly debtMicros: bigint;
}

function chargeDebt(draft: Draft, reserve: ChargedReserve, { charge, debtMicros }: Owed): void {
  const { id: holdId, currency } = reserve;
  const { usageId, usageKind } = charge;
  const movement = { from: "debt", to: `usage:${usageKind}` } as const;
  const reason = "charged-beyond-hold";
  draft.transfer({ ...movement, reason, currency, amountMicros: debtMicros, holdId, usageId });
}
