/** What of a ledger has to be loud: what blocks calls now, what was refused, and what will soon be lost or gone. */

import type { BudgetForecast, LedgerBalance, RefusedCalls } from "@faultline/protocol";

import type { Currency } from "./money.ts";

/** Lots that expire sooner are told of. */
const expiryNoticeMs = 3 * 86_400_000;

export type LedgerAlarm =
  | {
      readonly kind: "debt-blocks";
      readonly currency: Currency;
      readonly debtMicros: bigint;
      readonly limitMicros: bigint;
    }
  | {
      readonly kind: "debt-owed";
      readonly currency: Currency;
      readonly debtMicros: bigint;
      readonly limitMicros: bigint;
    }
  | { readonly kind: "account-closed"; readonly currency: Currency }
  | { readonly kind: "credit-gone"; readonly currency: Currency }
  | { readonly kind: "calls-refused"; readonly refused: RefusedCalls }
  | { readonly kind: "budget-used-up"; readonly forecast: BudgetForecast; readonly isHard: boolean }
  | {
      readonly kind: "lot-expires";
      readonly currency: Currency;
      readonly remainingMicros: bigint;
      readonly expiresAt: string;
    };

/** Those that hold, the worst first. Pure; what is not known yet says nothing. */
export function ledgerAlarms(
  known: {
    readonly balance: LedgerBalance | undefined;
    readonly refused: RefusedCalls | undefined;
    readonly forecasts: readonly BudgetForecast[];
    /** Ids of budgets that refuse. */
    readonly hardBudgetIds: ReadonlySet<string>;
  },
  nowMs: number,
): LedgerAlarm[] {
  const accounts = known.balance?.accounts ?? [];
  const usedUp = known.forecasts
    .filter(({ outlook }) => outlook.kind === "used-up")
    .map((forecast): LedgerAlarm => ({
      kind: "budget-used-up",
      forecast,
      isHard: known.hardBudgetIds.has(forecast.budgetId),
    }));
  return [
    ...accounts.flatMap((account) => accountAlarm(account)),
    ...(known.refused === undefined || known.refused.count === 0
      ? []
      : [{ kind: "calls-refused", refused: known.refused } as const]),
    ...usedUp,
    ...(known.balance?.lots ?? []).flatMap((lot) => lotAlarm(lot, nowMs)),
  ];
}

function accountAlarm(account: LedgerBalance["accounts"][number]): LedgerAlarm[] {
  const { currency, isOpen } = account;
  const debtMicros = BigInt(account.debtMicros);
  const limitMicros = BigInt(account.limitMicros);
  const closed: LedgerAlarm[] = isOpen ? [] : [{ kind: "account-closed", currency }];
  if (debtMicros > 0n) {
    const kind = debtMicros > limitMicros ? "debt-blocks" : "debt-owed";
    return [{ kind, currency, debtMicros, limitMicros }, ...closed];
  }
  if (isOpen && BigInt(account.availableMicros) === 0n) return [{ kind: "credit-gone", currency }];
  return closed;
}

function lotAlarm(lot: LedgerBalance["lots"][number], nowMs: number): LedgerAlarm[] {
  if (lot.expiresAt === undefined) return [];
  const leftMs = Date.parse(lot.expiresAt) - nowMs;
  const { currency, expiresAt } = lot;
  const remainingMicros = BigInt(lot.remainingMicros);
  if (leftMs > expiryNoticeMs || remainingMicros === 0n) return [];
  return [{ kind: "lot-expires", currency, remainingMicros, expiresAt }];
}
