/** Accounts, and what gives or takes credit: grants, adjustments, conversions, the expiry of lots. */

import type { CommandOf, LedgerOutcome, Refusal } from "./commands.ts";
import { coverDebt, isExpired, takeFromLots, usableLots } from "./credit.ts";
import { balanceOf, type Draft } from "./draft.ts";
import { exhausted } from "./shortage.ts";
import { ledgerLimits } from "./limits.ts";
import { checkAmount, isRefusal, openAccount, refuse } from "./refuse.ts";
import type { AccountKind, Currency, TransferReason } from "./types.ts";

/** Opens the account of a currency, or opens it again; sets its credit line. */
export function openCreditAccount(
  draft: Draft,
  command: CommandOf<"open-account">,
): LedgerOutcome | Refusal {
  const { currency, limitMicros } = command;
  const invalid = checkAmount(limitMicros, 0n);
  if (invalid !== undefined) return invalid;
  const known = draft.state.accounts.get(currency);
  if (known === undefined) {
    const account = { currency, isOpen: true, limitMicros, lineHeldMicros: 0n };
    draft.state.accounts.set(currency, account);
  } else {
    known.isOpen = true;
    known.limitMicros = limitMicros;
  }
  draft.touch("account", currency);
  return { kind: "account-opened" };
}

/** Closes an account to what is new. What is held is settled or released as before. */
export function closeCreditAccount(
  draft: Draft,
  command: CommandOf<"close-account">,
): LedgerOutcome | Refusal {
  const account = openAccount(draft.state, command.currency);
  if (isRefusal(account)) return account;
  account.isOpen = false;
  draft.touch("account", command.currency);
  return { kind: "account-closed" };
}

/** Gives credit as a lot, which covers debt first. */
export function grantCredit(draft: Draft, command: CommandOf<"grant">): LedgerOutcome | Refusal {
  const { id, currency, amountMicros, priority, expiresAtMs } = command;
  const invalid = checkAmount(amountMicros, 1n) ?? checkNewLot(draft, currency);
  if (invalid !== undefined) return invalid;
  if (!Number.isSafeInteger(priority))
    return refuse("ledger_command_invalid", "The priority of a lot is a whole number.");
  if (expiresAtMs !== undefined && !Number.isSafeInteger(expiresAtMs))
    return refuse("ledger_command_invalid", "The expiry of a lot is a whole number.");
  if (expiresAtMs !== undefined && expiresAtMs <= draft.atMs)
    return refuse("lot_expired", `The lot would have expired at ${expiresAtMs} already.`);
  const source = { from: "grants", reason: "granted", priority, expiresAtMs } as const;
  addLot(draft, { id, currency, amountMicros, ...source });
  return { kind: "granted", lotId: id, coveredMicros: coverDebt(draft, currency) };
}

/** Corrects an account. What is taken beyond its credit is owed. */
export function adjustCredit(draft: Draft, command: CommandOf<"adjust">): LedgerOutcome | Refusal {
  const { id, currency, amountMicros, direction } = command;
  const invalid = checkAmount(amountMicros, 1n) ?? checkNewLot(draft, currency);
  if (invalid !== undefined) return invalid;
  if (direction === "give") {
    const source = { from: "adjustments", reason: "adjusted", priority: 0 } as const;
    addLot(draft, { id, currency, amountMicros, ...source, expiresAtMs: undefined });
    coverDebt(draft, currency);
    return { kind: "adjusted", debtMicros: -balanceOf(draft.state, "debt", currency) };
  }
  if (command.isCovered === true) {
    const short = shortOfLots(draft, currency, amountMicros);
    if (short !== undefined) return short;
  }
  const takenMicros = takeCredit(draft, { currency, amountMicros, to: "adjustments" });
  const owed = { from: "debt", to: "adjustments", reason: "adjusted" } as const;
  draft.transfer({ ...owed, currency, amountMicros: amountMicros - takenMicros });
  return { kind: "adjusted", debtMicros: -balanceOf(draft.state, "debt", currency) };
}

/** Enters what a provider invoiced. An account that is closed by then was used all the same. */
export function bookCost(draft: Draft, command: CommandOf<"book-cost">): LedgerOutcome | Refusal {
  const { currency, amountMicros } = command;
  const invalid = checkAmount(amountMicros, 1n);
  if (invalid !== undefined) return invalid;
  if (!draft.state.accounts.has(currency))
    return refuse("currency_mismatch", `There is no account in ${currency}.`);
  if (balanceOf(draft.state, "provider-cost", currency) >= ledgerLimits.balanceMicrosMax)
    return refuse("ledger_full", `${currency} holds as much provider cost as an account may.`);
  const booked = { from: "provider-invoices", to: "provider-cost", reason: "invoiced" } as const;
  draft.transfer({ ...booked, currency, amountMicros });
  return { kind: "cost-booked" };
}

/** Turns credit of one currency into a lot of another, at the rate that the command records. */
export function convertCredit(
  draft: Draft,
  command: CommandOf<"convert">,
): LedgerOutcome | Refusal {
  const { id, currency, toCurrency, amountMicros, rateNumerator, rateDenominator } = command;
  const invalid =
    checkAmount(amountMicros, 1n) ??
    checkAmount(rateNumerator, 1n) ??
    checkAmount(rateDenominator, 1n) ??
    checkNewLot(draft, toCurrency);
  if (invalid !== undefined) return invalid;
  const account = openAccount(draft.state, currency);
  if (isRefusal(account)) return account;
  if (currency === toCurrency)
    return refuse("currency_mismatch", `${currency} is converted into another currency only.`);
  const convertedMicros = (amountMicros * rateNumerator) / rateDenominator;
  const unfit = checkAmount(convertedMicros, 1n);
  if (unfit !== undefined) return unfit;
  const short = shortOfLots(draft, currency, amountMicros);
  if (short !== undefined) return short;
  // The soonest expiry is kept, so that no credit lives longer by being converted.
  const expiresAtMs = usableLots(draft.state, currency)[0]?.expiresAtMs;
  takeCredit(draft, { currency, amountMicros, to: "conversion" });
  const source = { from: "conversion", reason: "converted", priority: 0, expiresAtMs } as const;
  addLot(draft, { id, currency: toCurrency, amountMicros: convertedMicros, ...source });
  coverDebt(draft, toCurrency);
  return { kind: "converted", lotId: id, convertedMicros };
}

/** Takes what is left in lots that are past their expiry. What is held of them stays held. */
export function expireLots(draft: Draft): LedgerOutcome {
  const lotIds: string[] = [];
  for (const lot of draft.state.lots.values()) {
    if (lot.remainingMicros === 0n || !isExpired(lot, draft.atMs)) continue;
    const { currency, remainingMicros: amountMicros, id: lotId } = lot;
    lot.remainingMicros = 0n;
    draft.touch("lot", lotId);
    const movement = { from: "credit", to: "expiry", reason: "lot-expired" } as const;
    draft.transfer({ ...movement, currency, amountMicros, lotId });
    lotIds.push(lotId);
  }
  return { kind: "lots-expired", lotIds };
}

/** Refuses an amount that does not lie in usable lots; the credit line does not count. */
function shortOfLots(draft: Draft, currency: Currency, amountMicros: bigint): Refusal | undefined {
  let leftMicros = 0n;
  for (const lot of usableLots(draft.state, currency)) leftMicros += lot.remainingMicros;
  if (leftMicros >= amountMicros) return undefined;
  const shortage = { obstacle: { kind: "account", currency }, leftMicros } as const;
  return exhausted(draft.state, currency, { ...shortage, amountMicros });
}

function checkNewLot(draft: Draft, currency: Currency): Refusal | undefined {
  const account = openAccount(draft.state, currency);
  if (isRefusal(account)) return account;
  if (draft.state.lots.size >= ledgerLimits.openLotCountMax)
    return refuse("ledger_full", `${ledgerLimits.openLotCountMax} lots are in use.`);
  if (balanceOf(draft.state, "credit", currency) < ledgerLimits.balanceMicrosMax) return undefined;
  return refuse("ledger_full", `The account in ${currency} holds as much as an account may.`);
}

function addLot(
  draft: Draft,
  lot: {
    readonly id: string;
    readonly currency: Currency;
    readonly amountMicros: bigint;
    readonly from: AccountKind;
    readonly reason: TransferReason;
    readonly priority: number;
    readonly expiresAtMs: number | undefined;
  },
): void {
  const { id, currency, amountMicros, from, reason, priority, expiresAtMs } = lot;
  draft.state.lots.set(id, {
    id,
    currency,
    grantedMicros: amountMicros,
    remainingMicros: amountMicros,
    priority,
    grantedAtMs: draft.atMs,
    expiresAtMs,
  });
  draft.touch("lot", id);
  draft.transfer({ from, to: "credit", reason, currency, amountMicros, lotId: id });
}

/** Takes credit that nobody reserved; gives how much there was. */
function takeCredit(
  draft: Draft,
  request: {
    readonly currency: Currency;
    readonly amountMicros: bigint;
    readonly to: "adjustments" | "conversion";
  },
): bigint {
  const { currency, to } = request;
  const reason = to === "adjustments" ? "adjusted" : "converted";
  const missingMicros = takeFromLots(draft, request, (taken) =>
    draft.transfer({ from: "credit", to, reason, currency, ...taken }),
  );
  return request.amountMicros - missingMicros;
}
