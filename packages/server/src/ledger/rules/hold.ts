/** Holds: credit reserved for one operation that is about to be made. */

import { closeShare, matchingBudgets, openShare, tightestBudget } from "./budgets.ts";
import { chargeUse } from "./charge.ts";
import type { CommandOf, LedgerOutcome, Refusal } from "./commands.ts";
import { drawIntoHold, reservedMicros, returnReserved } from "./credit.ts";
import type { Draft } from "./draft.ts";
import { ledgerLimits } from "./limits.ts";
import { creditShortage, exhausted, tighter } from "./shortage.ts";
import { checkAmount, checkDuration, isRefusal, openAccount, refuse } from "./refuse.ts";
import type { Hold, HoldEnd } from "./types.ts";

/** Reserves an amount, or says what stands in the way and what would fit. */
export function placeHold(draft: Draft, command: CommandOf<"hold">): LedgerOutcome | Refusal {
  const { state, atMs } = draft;
  const { id, currency, amountMicros, durationMs, attribution } = command;
  const invalid =
    checkAmount(amountMicros, 1n) ?? checkDuration(durationMs, ledgerLimits.holdDurationMsMax);
  if (invalid !== undefined) return invalid;
  const account = openAccount(state, currency);
  if (isRefusal(account)) return account;
  if (state.openHoldCount >= ledgerLimits.openHoldCountMax)
    return refuse("ledger_full", `${ledgerLimits.openHoldCountMax} holds are open.`);
  const budgets = matchingBudgets(state, currency, attribution);
  const shortage = tighter(
    creditShortage(state, account, amountMicros),
    tightestBudget(budgets, amountMicros, atMs),
  );
  if (shortage !== undefined) return exhausted(state, currency, { ...shortage, amountMicros });
  const expiresAtMs = atMs + durationMs;
  state.holds.set(id, {
    id,
    currency,
    attribution,
    portions: drawIntoHold(draft, account, { amountMicros, holdId: id }),
    heldMicros: amountMicros,
    chargedMicros: 0n,
    placedAtMs: atMs,
    expiresAtMs,
    budgets: budgets.map((budget) => openShare(draft, budget, amountMicros)),
    state: "open",
  });
  state.openHoldCount += 1;
  draft.touch("hold", id);
  return { kind: "held", holdId: id, expiresAtMs };
}

/** Moves the expiry of a hold whose work goes on. Never earlier than it was. */
export function renewHold(draft: Draft, command: CommandOf<"renew">): LedgerOutcome | Refusal {
  const { durationMs, holdId } = command;
  const invalid = checkDuration(durationMs, ledgerLimits.holdDurationMsMax);
  if (invalid !== undefined) return invalid;
  const hold = draft.state.holds.get(holdId);
  if (hold === undefined) return notFound(holdId);
  if (hold.state !== "open") return refuse("hold_ended", `The hold is ${hold.state} already.`);
  hold.expiresAtMs = Math.max(hold.expiresAtMs, draft.atMs + durationMs);
  draft.touch("hold", holdId);
  return { kind: "renewed", expiresAtMs: hold.expiresAtMs };
}

/**
 * Charges what an operation used. A use that comes after its hold ended was made all the same: it is paid out of other
 * credit, or owed.
 */
export function settleHold(draft: Draft, command: CommandOf<"settle">): LedgerOutcome | Refusal {
  const { holdId, charge, isFinal } = command;
  const invalid = checkAmount(charge.amountMicros, 0n);
  if (invalid !== undefined) return invalid;
  const hold = draft.state.holds.get(holdId);
  if (hold === undefined) return notFound(holdId);
  const isLate = hold.state !== "open";
  const result = chargeUse(draft, hold, { charge, attribution: hold.attribution });
  const releasedMicros = isFinal && !isLate ? endHold(draft, hold, "settled") : 0n;
  draft.touch("hold", holdId);
  return { kind: "settled", releasedMicros, isLate, ...result };
}

/** Frees a hold whose operation used nothing more. */
export function releaseHold(draft: Draft, command: CommandOf<"release">): LedgerOutcome | Refusal {
  const hold = draft.state.holds.get(command.holdId);
  if (hold === undefined) return notFound(command.holdId);
  if (hold.state !== "open") return { kind: "released", releasedMicros: 0n };
  return { kind: "released", releasedMicros: endHold(draft, hold, "released") };
}

/** Frees the holds that nobody renewed. */
export function expireHolds(draft: Draft): LedgerOutcome {
  const holdIds: string[] = [];
  for (const hold of draft.state.holds.values()) {
    if (hold.state !== "open" || hold.expiresAtMs > draft.atMs) continue;
    endHold(draft, hold, "expired");
    holdIds.push(hold.id);
  }
  return { kind: "holds-expired", holdIds };
}

function endHold(draft: Draft, hold: Hold, end: HoldEnd): bigint {
  for (const share of hold.budgets) closeShare(draft, share, share.openMicros);
  hold.state = end;
  draft.state.openHoldCount -= 1;
  draft.touch("hold", hold.id);
  return returnReserved(draft, hold, reservedMicros(hold));
}

function notFound(holdId: string): Refusal {
  return refuse("hold_not_found", `There is no hold '${holdId}'.`);
}
