/** What was used in a window, summed by what the uses say of themselves. */

import type { LedgerUsage, UsageGrouping } from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import { groupingDetails } from "./grouping-details.ts";
import { bookLimits } from "./limits.ts";
import { showTime } from "./shown.ts";

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

/** Sums the uses that were charged from `fromMs` on and before `untilMs`; the dearest first. */
export async function readUsage(
  reader: Reader,
  window: { readonly by: UsageGrouping; readonly fromMs: number; readonly untilMs: number },
): Promise<LedgerUsage> {
  const { by, fromMs, untilMs } = window;
  const detail = detailOf[by];
  const { rows } = await sql<UsageRow>`
    select coalesce(details ->> ${detail}, '') as name, count(*) as uses, sum(amount_micros) as micros,
      coalesce(sum((details ->> 'inputTokens')::bigint), 0) as input,
      coalesce(sum((details ->> 'outputTokens')::bigint), 0) as output
    from ledger_use where at_ms >= ${fromMs} and at_ms < ${untilMs}
    group by 1 order by sum(amount_micros) desc, 1 limit ${bookLimits.usageRowCountMax}`.execute(
    reader.executor,
  );
  return {
    by,
    from: showTime(fromMs),
    until: showTime(untilMs),
    rows: rows.map((row) => ({
      name: row.name,
      useCount: Number(row.uses),
      chargedMicros: row.micros,
      inputTokens: Number(row.input),
      outputTokens: Number(row.output),
    })),
  };
}
