/** The names of accounts: a kind, a stroke and a currency. */

/** `USD` of `credit/USD`. */
export function currencyOf(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

/** Whether credit is reserved in it. */
export function isHoldsAccount(id: string): boolean {
  return id.startsWith("holds/");
}

/** Whether what is in it was used. */
export function isUsageAccount(id: string): boolean {
  return id.startsWith("usage:");
}
