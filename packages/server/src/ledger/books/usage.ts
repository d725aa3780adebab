/** What was used in a window, summed by what the uses say of themselves. */

import type { LedgerUsage, UsageGrouping } from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import type { Currency } from "../rules/types.ts";
import { groupingDetails } from "./grouping-details.ts";
import { bookLimits } from "./limits.ts";
import { ofCurrency } from "./of-currency.ts";
import { showTime } from "./shown.ts";
import type { BookWindow } from "./window.ts";

const detailOf = {
  ...groupingDetails,
  price: "priceVersion",
} as const satisfies Record<UsageGrouping, string>;

interface UsageRow {
  readonly name: string;
  readonly uses: string;
  readonly micros: string;
  readonly input: string;
  readonly output: string;
}

interface UsageWindow extends BookWindow {
  readonly by: UsageGrouping;
  /** Without one: of each in which the tenant has an account, apart. */
  readonly currency: Currency | undefined;
}

/** Sums the uses that were charged from `fromMs` on and before `untilMs`; by currency, the dearest first. */
export async function readUsage(reader: Reader, window: UsageWindow): Promise<LedgerUsage> {
  const { by, fromMs, untilMs } = window;
  const accounts = await reader
    .selectFrom("ledger_credit")
    .select("currency")
    .orderBy("currency")
    .execute();
  const rows: LedgerUsage["rows"] = [];
  for (const { currency } of accounts) {
    if (window.currency !== undefined && currency !== window.currency) continue;
    // The ledger opens accounts in no others.
    rows.push(...(await readRows(reader, window, currency as Currency)));
  }
  return { by, from: showTime(fromMs), until: showTime(untilMs), rows };
}

async function readRows(
  reader: Reader,
  { by, fromMs, untilMs }: UsageWindow,
  currency: Currency,
): Promise<LedgerUsage["rows"]> {
  const detail = detailOf[by];
  const { rows } = await sql<UsageRow>`
    select coalesce(details ->> ${detail}, '') as name, count(*) as uses, sum(amount_micros) as micros,
      coalesce(sum((details ->> 'inputTokens')::numeric), 0) as input,
      coalesce(sum((details ->> 'outputTokens')::numeric), 0) as output
    from ledger_use where at_ms >= ${fromMs} and at_ms < ${untilMs} and ${await ofCurrency(reader, currency)}
    group by 1 order by sum(amount_micros) desc, 1 limit ${bookLimits.usageRowCountMax}`.execute(
    reader.executor,
  );
  return rows.map((row) => ({
    name: row.name,
    currency,
    useCount: Number(row.uses),
    chargedMicros: row.micros,
    inputTokens: countOf(row.input),
    outputTokens: countOf(row.output),
  }));
}

/** Whoever reports uses says their tokens: a sum may be beyond what a number counts exactly. */
function countOf(sum: string): number {
  return Math.min(Number(sum), Number.MAX_SAFE_INTEGER);
}
