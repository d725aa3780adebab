/** Spend over time, told apart by what the uses say of themselves. */

import type { SpendGroup, SpendGrouping, SpendSeries } from "@faultline/protocol";
import { type RawBuilder, sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import type { Currency } from "../rules/types.ts";
import { ofCurrency } from "./of-currency.ts";
import { showTime } from "./shown.ts";
import type { BookWindow } from "./window.ts";

export interface SpendSeriesRequest extends BookWindow {
  readonly by: SpendGrouping;
  readonly currency: Currency;
  readonly bucketCount: number;
  /** Groups that are told by name. */
  readonly groupCount: number;
}

interface SpendRow {
  /** NULL for all that are not told by name; empty where the uses do not say. */
  readonly name: string | null;
  readonly slot: number;
  readonly uses: string;
  readonly micros: string;
  readonly input: string;
  readonly output: string;
}

const detailOf = {
  model: "model",
  provider: "provider",
  key: "keyId",
  user: "userId",
  bundle: "bundleHash",
} as const satisfies Record<Exclude<SpendGrouping, "tag">, string>;

/** Sums what was charged in each bucket of the window; the dearest group first, the others last. */
export async function readSpendSeries(
  reader: Reader,
  request: SpendSeriesRequest,
): Promise<SpendSeries> {
  const { by, currency, bucketCount, groupCount, fromMs, untilMs } = request;
  const bucketMs = Math.max(1, Math.ceil((untilMs - fromMs) / bucketCount));
  const isCounted = sql`at_ms >= ${fromMs} and at_ms < ${untilMs} and ${await ofCurrency(reader, currency)}`;
  const { rows } = await sql<SpendRow>`
    with part as materialized (
      select ${nameOf(by)} as name, ((at_ms - ${fromMs}::bigint) / ${bucketMs}::bigint)::integer as slot, count(*) as uses,
        sum(amount_micros) as micros, coalesce(sum((details ->> 'inputTokens')::bigint), 0) as input,
        coalesce(sum((details ->> 'outputTokens')::bigint), 0) as output
      from ledger_use ${by === "tag" ? eachTag : sql``} where ${isCounted} group by 1, 2
    ), dearest as (
      select name from part group by name order by sum(micros) desc, name limit ${groupCount}
    )
    select dearest.name, slot, sum(uses) as uses, sum(micros) as micros, sum(input) as input, sum(output) as output
    from part left join dearest on dearest.name = part.name group by 1, 2`.execute(reader.executor);
  const groups = [...Map.groupBy(rows, (row) => row.name)]
    .map(([name, ofName]) => groupOf(name, ofName, bucketCount))
    .toSorted(dearestFirst);
  return {
    by,
    currency,
    from: showTime(fromMs),
    until: showTime(untilMs),
    buckets: Array.from({ length: bucketCount }, (_, slot) => showTime(fromMs + slot * bucketMs)),
    ...(by === "tag" ? await readTotal(reader, isCounted) : totalOf(groups)),
    groups,
  };
}

const eachTag = sql`left join lateral jsonb_array_elements_text(details -> 'tags') tag (name) on true`;

function nameOf(by: SpendGrouping): RawBuilder<string> {
  if (by === "tag") return sql<string>`coalesce(tag.name, '')`;
  return sql<string>`coalesce(details ->> ${sql.lit(detailOf[by])}, '')`;
}

function groupOf(name: string | null, rows: readonly SpendRow[], bucketCount: number): SpendGroup {
  const bySlot = new Map(rows.map((row) => [row.slot, row]));
  return {
    kind: name === null ? "others" : name === "" ? "unnamed" : "named",
    name: name ?? "",
    useCount: rows.reduce((sum, row) => sum + Number(row.uses), 0),
    totalMicros: String(rows.reduce((sum, row) => sum + BigInt(row.micros), 0n)),
    inputTokens: rows.reduce((sum, row) => sum + Number(row.input), 0),
    outputTokens: rows.reduce((sum, row) => sum + Number(row.output), 0),
    bucketMicros: Array.from({ length: bucketCount }, (_, slot) => bySlot.get(slot)?.micros ?? "0"),
  };
}

function dearestFirst(left: SpendGroup, right: SpendGroup): number {
  if ((left.kind === "others") !== (right.kind === "others"))
    return left.kind === "others" ? 1 : -1;
  const difference = BigInt(right.totalMicros) - BigInt(left.totalMicros);
  if (difference !== 0n) return difference > 0n ? 1 : -1;
  return left.name < right.name ? -1 : 1;
}

function totalOf(groups: readonly SpendGroup[]): Pick<SpendSeries, "totalMicros" | "useCount"> {
  return {
    totalMicros: String(groups.reduce((sum, group) => sum + BigInt(group.totalMicros), 0n)),
    useCount: groups.reduce((sum, group) => sum + group.useCount, 0),
  };
}

/** Of every use once: those with several tags stand in several groups. */
async function readTotal(
  reader: Reader,
  isCounted: RawBuilder<unknown>,
): Promise<Pick<SpendSeries, "totalMicros" | "useCount">> {
  const { rows } = await sql<{ uses: string; micros: string }>`
    select count(*) as uses, coalesce(sum(amount_micros), 0) as micros from ledger_use where ${isCounted}`.execute(
    reader.executor,
  );
  return { totalMicros: rows[0]?.micros ?? "0", useCount: Number(rows[0]?.uses ?? 0) };
}
