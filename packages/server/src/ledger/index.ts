/** Credit that cannot be overspent: accounts, lots, holds, leases, budgets, and the transfers between them. */

export { LedgerBooks } from "./books/ledger-books.ts";
export { Ledger } from "./service/ledger.ts";
export type { LedgerAnswer, LedgerRequest } from "./service/ledger-request.ts";
export { readAmount, readCurrency } from "./service/read-amount.ts";
export { refusalError } from "./service/refusal-error.ts";
