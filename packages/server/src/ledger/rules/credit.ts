/** What credit there is: lots in the order of their use, the credit line, and debt. */

import { assert } from "#kernel/index.ts";

import { balanceOf, type Draft } from "./draft.ts";
import type { LedgerState } from "./ledger-state.ts";
import type { CreditAccount, Currency, Lot, Portion } from "./types.ts";

/** Whether nothing of a lot can be used any more. */
export function isExpired(lot: Lot, atMs: number): boolean {
  return lot.expiresAtMs !== undefined && lot.expiresAtMs <= atMs;
}

/** Lots with something left in them, earliest expiry first; among those, lower priority, then older, first. */
export function usableLots(state: LedgerState, currency: Currency): Lot[] {
  const lots: Lot[] = [];
  for (const lot of state.lots.values()) {
    if (lot.currency !== currency || lot.remainingMicros === 0n) continue;
    if (!isExpired(lot, state.timeMs)) lots.push(lot);
  }
  return lots.sort(compareLots);
}

function compareLots(left: Lot, right: Lot): number {
  const leftExpiry = left.expiresAtMs ?? Number.POSITIVE_INFINITY;
  const rightExpiry = right.expiresAtMs ?? Number.POSITIVE_INFINITY;
  if (leftExpiry !== rightExpiry) return leftExpiry < rightExpiry ? -1 : 1;
  if (left.priority !== right.priority) return left.priority - right.priority;
  if (left.grantedAtMs !== right.grantedAtMs) return left.grantedAtMs - right.grantedAtMs;
  return left.id < right.id ? -1 : 1;
}

/** Use beyond all credit and beyond the credit line, which blocks the account; zero when there is none. */
export function blockingDebt(state: LedgerState, account: CreditAccount): bigint {
  const debtMicros = -balanceOf(state, "debt", account.currency);
  return debtMicros > account.limitMicros ? debtMicros - account.limitMicros : 0n;
}

/** What could be held now. */
export function availableMicros(state: LedgerState, account: CreditAccount): bigint {
  const lineLeft = account.limitMicros + balanceOf(state, "debt", account.currency);
  let sumMicros = lineLeft > 0n ? lineLeft : 0n;
  for (const lot of usableLots(state, account.currency)) sumMicros += lot.remainingMicros;
  return sumMicros;
}

/** Takes so much out of lots in the order of their use, and tells what of each; gives how much they had not. */
export function takeFromLots(
  draft: Draft,
  request: { readonly currency: Currency; readonly amountMicros: bigint },
  onTaken: (taken: { readonly lotId: string; readonly amountMicros: bigint }) => void,
): bigint {
  let missingMicros = request.amountMicros;
  for (const lot of usableLots(draft.state, request.currency)) {
    if (missingMicros === 0n) break;
    const amountMicros = lesser(missingMicros, lot.remainingMicros);
    lot.remainingMicros -= amountMicros;
    missingMicros -= amountMicros;
    draft.touch("lot", lot.id);
    onTaken({ lotId: lot.id, amountMicros });
  }
  return missingMicros;
}

/** Reserves what is available, lots first and then the credit line. The caller has seen that it suffices. */
export function drawIntoHold(
  draft: Draft,
  account: CreditAccount,
  request: { readonly amountMicros: bigint; readonly holdId: string },
): Portion[] {
  const { currency } = account;
  const { amountMicros, holdId } = request;
  const portions: Portion[] = [];
  const missingMicros = takeFromLots(draft, { currency, amountMicros }, (taken) => {
    const movement = { from: "credit", to: "holds", reason: "held" } as const;
    draft.transfer({ ...movement, currency, ...taken, holdId });
    portions.push({ ...taken });
  });
  if (missingMicros > 0n) {
    account.lineHeldMicros += missingMicros;
    draft.touch("account", currency);
    const movement = { from: "debt", to: "holds", reason: "held" } as const;
    draft.transfer({ ...movement, currency, amountMicros: missingMicros, holdId });
    portions.push({ lotId: undefined, amountMicros: missingMicros });
  }
  const isSound = amountMicros === 0n || blockingDebt(draft.state, account) === 0n;
  assert(isSound, "a hold stays within the credit line");
  return portions;
}

/** What a hold or a lease has in common here. */
export interface Reserved {
  readonly id: string;
  readonly currency: Currency;
  portions: Portion[];
}

/** What is still reserved. */
export function reservedMicros({ portions }: Reserved): bigint {
  let sumMicros = 0n;
  for (const { amountMicros } of portions) sumMicros += amountMicros;
  return sumMicros;
}

/** A part of one portion that leaves what is reserved. */
export interface TakenPortion {
  readonly lotId: string | undefined;
  readonly amountMicros: bigint;
}

/** Takes at most `amountMicros` out of what is reserved, from the front or, to give back, from the end. */
export function takePortions(
  reserved: Reserved,
  amountMicros: bigint,
  side: "front" | "end",
): TakenPortion[] {
  const taken: TakenPortion[] = [];
  let missingMicros = amountMicros;
  const order = side === "front" ? reserved.portions : reserved.portions.toReversed();
  for (const portion of order) {
    if (missingMicros === 0n) break;
    const partMicros = lesser(missingMicros, portion.amountMicros);
    portion.amountMicros -= partMicros;
    missingMicros -= partMicros;
    taken.push({ lotId: portion.lotId, amountMicros: partMicros });
  }
  reserved.portions = reserved.portions.filter((portion) => portion.amountMicros > 0n);
  return taken;
}

/** Frees a part of what is reserved: it goes back to its lot, or expires with it; then debts are covered. */
export function returnReserved(draft: Draft, reserved: Reserved, amountMicros: bigint): bigint {
  const { currency, id: holdId } = reserved;
  const { state } = draft;
  let returnedMicros = 0n;
  // What expires last goes back first, so that what stays reserved is what would be lost soonest.
  for (const { lotId, amountMicros: part } of takePortions(reserved, amountMicros, "end")) {
    returnedMicros += part;
    if (lotId === undefined) {
      accountOf(state, currency).lineHeldMicros -= part;
      draft.touch("account", currency);
      const movement = { from: "holds", to: "debt", reason: "released" } as const;
      draft.transfer({ ...movement, currency, amountMicros: part, holdId });
      continue;
    }
    const lot = state.lots.get(lotId);
    assert(lot !== undefined, "a lot is known as long as something is reserved of it");
    if (isExpired(lot, draft.atMs)) {
      const movement = { from: "holds", to: "expiry", reason: "lot-expired" } as const;
      draft.transfer({ ...movement, currency, amountMicros: part, lotId, holdId });
    } else {
      lot.remainingMicros += part;
      draft.touch("lot", lot.id);
      const movement = { from: "holds", to: "credit", reason: "released" } as const;
      draft.transfer({ ...movement, currency, amountMicros: part, lotId, holdId });
    }
  }
  coverDebt(draft, currency);
  return returnedMicros;
}

/** Pays what was used beyond all credit out of credit that is there now. Gives what was paid. */
export function coverDebt(draft: Draft, currency: Currency): bigint {
  const { state } = draft;
  const account = accountOf(state, currency);
  const owedMicros = -balanceOf(state, "debt", currency) - account.lineHeldMicros;
  if (owedMicros <= 0n) return 0n;
  const movement = { from: "credit", to: "debt", reason: "debt-covered" } as const;
  const missingMicros = takeFromLots(draft, { currency, amountMicros: owedMicros }, (taken) => {
    draft.transfer({ ...movement, currency, ...taken });
  });
  return owedMicros - missingMicros;
}

/** The account of something that was reserved in it, open or closed. */
export function accountOf(state: LedgerState, currency: Currency): CreditAccount {
  const account = state.accounts.get(currency);
  assert(account !== undefined, "what is reserved has an account");
  return account;
}

/** The lesser of two amounts. */
export function lesser(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}
