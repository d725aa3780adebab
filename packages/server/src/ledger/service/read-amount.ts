/** Amounts and currencies as they come from outside: each fault has a code of its own. */

import { PlatformError } from "@faultline/protocol";

import { ledgerLimits } from "../rules/limits.ts";
import type { Currency } from "../rules/types.ts";

const currencies: readonly Currency[] = ["USD", "credits"];

/**
 * Reads micros from decimal text. Throws `amount_negative`, `amount_zero` (unless zero is allowed), `amount_fractional`,
 * `amount_too_large` or `amount_invalid`, with the place in the request.
 */
export function readAmount(text: string, where: string, zero: "refused" | "allowed"): bigint {
  const hint = "Amounts are whole micros, millionths of a unit, as decimal text: 1 USD is 1000000.";
  const options = { where, hint };
  if (/^-\d+(?:\.\d+)?$/.test(text))
    throw new PlatformError("amount_negative", `The amount ${text} is below zero.`, options);
  if (/^\d*\.\d+$|^\d+(?:\.\d*)?e-?\d+$/i.test(text))
    throw new PlatformError("amount_fractional", `The amount ${text} is not whole.`, options);
  if (!/^\d+$/.test(text))
    throw new PlatformError("amount_invalid", `'${text}' is not an amount.`, options);
  const micros = BigInt(text);
  if (micros === 0n && zero === "refused")
    throw new PlatformError("amount_zero", "The amount is zero.", options);
  if (micros > ledgerLimits.amountMicrosMax) {
    throw new PlatformError(
      "amount_too_large",
      `The amount ${text} is beyond ${ledgerLimits.amountMicrosMax}.`,
      options,
    );
  }
  return micros;
}

/** Reads a currency. Throws `currency_mismatch` for one in which no account can be. */
export function readCurrency(text: string, where: string): Currency {
  const currency = currencies.find((known) => known === text);
  if (currency !== undefined) return currency;
  throw new PlatformError(
    "currency_mismatch",
    `There are no accounts in '${text}'; there are some in ${currencies.join(" and ")}.`,
    { where, hint: "Conversions are explicit: grant in the currency of the account." },
  );
}
