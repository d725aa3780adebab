/** Which uses were charged in a currency. */

import { type RawBuilder, sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import type { Currency } from "../rules/types.ts";

/**
 * A condition on rows of `ledger_use`, by the hold or lease that paid. A tenant with one account, as most have, needs no look
 * at those.
 */
export async function ofCurrency(reader: Reader, currency: Currency): Promise<RawBuilder<boolean>> {
  const accounts = await reader.selectFrom("ledger_credit").select("currency").execute();
  if (accounts.every((account) => account.currency === currency)) return sql<boolean>`true`;
  if (!accounts.some((account) => account.currency === currency)) return sql<boolean>`false`;
  return sql<boolean>`exists (select from ledger_hold hold
    where hold.id = ledger_use.hold_id and hold.record ->> 'currency' = ${currency})`;
}
