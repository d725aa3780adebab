/** The names of accounts: a kind and a currency, such as `usage:tokens/USD`. */

import type { Currency } from "./money.ts";

/** There are two currencies; an account of `credits` says so at its end. */
export function currencyOfAccount(account: string): Currency {
  return account.endsWith("/credits") ? "credits" : "USD";
}

/** The kind alone. */
export function kindOfAccount(account: string): string {
  return account.slice(0, account.lastIndexOf("/"));
}
