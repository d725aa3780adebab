/** Refusals, and the checks of what a command says that all commands share. */

import type { Refusal, RefusalCode } from "./commands.ts";
import { ledgerLimits } from "./limits.ts";
import type { LedgerState } from "./ledger-state.ts";
import type { CreditAccount, Currency } from "./types.ts";

/** A refusal with its reason, in one sentence for the caller. */
export function refuse(code: Exclude<RefusalCode, "credit_exhausted">, detail: string): Refusal {
  return { kind: "refused", code, detail };
}

/** Refuses what is not an amount. `leastMicros` is 1 where nothing would make no sense. */
export function checkAmount(amountMicros: bigint, leastMicros: 0n | 1n): Refusal | undefined {
  // Who speaks JSON or SQL may have brought a number here against its type.
  if (typeof amountMicros !== "bigint")
    return refuse("amount_invalid", "An amount is a whole number of micros.");
  if (amountMicros >= leastMicros && amountMicros <= ledgerLimits.amountMicrosMax) return undefined;
  const range = `${leastMicros} to ${ledgerLimits.amountMicrosMax}`;
  return refuse("amount_invalid", `The amount is ${amountMicros} micros; it must be ${range}.`);
}

/** Refuses a duration that is no whole number of milliseconds, or too long. */
export function checkDuration(durationMs: number, durationMsMax: number): Refusal | undefined {
  if (Number.isSafeInteger(durationMs) && durationMs >= 1 && durationMs <= durationMsMax)
    return undefined;
  return refuse(
    "ledger_command_invalid",
    `The duration is ${durationMs} ms; it must be 1 to ${durationMsMax}.`,
  );
}

/** The open account of a currency, or why there is none to use. */
export function openAccount(state: LedgerState, currency: Currency): CreditAccount | Refusal {
  const account = state.accounts.get(currency);
  if (account === undefined) {
    const others = [...state.accounts.keys()].join(", ") || "none";
    return refuse(
      "currency_mismatch",
      `There is no account in ${currency}; the tenant's accounts are in: ${others}.`,
    );
  }
  if (!account.isOpen) return refuse("account_closed", `The account in ${currency} is closed.`);
  return account;
}

/** Whether it is a refusal rather than what was asked for. */
export function isRefusal(value: object | undefined): value is Refusal {
  return value !== undefined && "kind" in value && value.kind === "refused";
}
