/** What the URLs of the ledger carry. */

import type { SpendGrouping } from "@faultline/protocol";

import type { Currency } from "./money.ts";
import { oneOf, present, text } from "./search.ts";

export const ledgerWindows = ["24h", "7d", "30d", "90d"] as const;
export type LedgerWindow = (typeof ledgerWindows)[number];

const hourMs = 3_600_000;
/** How long each window is, and in how many steps a chart shows it: of half an hour, three hours, half a day, a day. */
export const windowParts: Readonly<
  Record<LedgerWindow, { readonly durationMs: number; readonly stepCount: number }>
> = {
  "24h": { durationMs: 24 * hourMs, stepCount: 48 },
  "7d": { durationMs: 168 * hourMs, stepCount: 56 },
  "30d": { durationMs: 720 * hourMs, stepCount: 60 },
  "90d": { durationMs: 2_160 * hourMs, stepCount: 90 },
};

export const spendGroupings = [
  "model",
  "provider",
  "key",
  "user",
  "tag",
  "bundle",
] as const satisfies readonly SpendGrouping[];

export interface LedgerSearch {
  currency?: Currency;
  window?: LedgerWindow;
}

export interface SpendSearch extends LedgerSearch {
  by?: SpendGrouping;
}

export interface EntriesSearch {
  account?: string;
}

export interface BudgetsSearch {
  /** The budget that is being changed; `new` for one that is made. */
  edit?: string;
}

type Raw = Record<string, unknown>;
const currencies = ["USD", "credits"] as const satisfies readonly Currency[];

export function readLedgerSearch(raw: Raw): LedgerSearch {
  return present({
    currency: oneOf(currencies, raw["currency"]),
    window: oneOf(ledgerWindows, raw["window"]),
  });
}

export function readSpendSearch(raw: Raw): SpendSearch {
  return { ...readLedgerSearch(raw), ...present({ by: oneOf(spendGroupings, raw["by"]) }) };
}

export function readEntriesSearch(raw: Raw): EntriesSearch {
  return present({ account: text(raw["account"]) });
}

export function readBudgetsSearch(raw: Raw): BudgetsSearch {
  return present({ edit: text(raw["edit"]) });
}
