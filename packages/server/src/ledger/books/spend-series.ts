/** Spend over time, told apart by what the uses say of themselves. */

import type { SpendGroup, SpendGrouping, SpendSeries } from "@faultline/protocol";
import { type RawBuilder, sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import type { Currency } from "../rules/types.ts";
import { groupingDetails } from "./grouping-details.ts";
import { ofCurrency } from "./of-currency.ts";
import { showTime } from "./shown.ts";
import type { SteppedWindow } from "./summaries.ts";

export interface SpendSeriesRequest extends SteppedWindow {
  readonly by: SpendGrouping;
  readonly currency: Currency;
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
  ...groupingDetails,
  tag: "tag",
  all: "all",
} as const satisfies Record<SpendGrouping | "all", string>;

/** Sums what was charged in each step of the window; the dearest group first, the others last. */
export async function readSpendSeries(
  reader: Reader,
  request: SpendSeriesRequest,
): Promise<SpendSeries> {
  const { by, currency, groupCount, fromMs, untilMs, stepMs, stepCount } = request;
  const part = await readPart(reader, request);
  const { rows } = await sql<SpendRow>`
    with part as materialized (${part}), dearest as (
      select name from part group by name order by sum(micros) desc, name limit ${groupCount}
    )
    select dearest.name, slot, sum(uses) as uses, sum(micros) as micros, sum(input) as input, sum(output) as output
    from part left join dearest on dearest.name = part.name group by 1, 2`.execute(reader.executor);
  const groups = [...Map.groupBy(rows, (row) => row.name)]
    .map(([name, ofName]) => groupOf(name, ofName, stepCount))
    .toSorted(dearestFirst);
  return {
    by,
    currency,
    from: showTime(fromMs),
    until: showTime(untilMs),
    buckets: Array.from({ length: stepCount }, (_, slot) => showTime(fromMs + slot * stepMs)),
    ...(by === "tag" ? await readTotal(reader, request) : totalOf(groups)),
    groups,
  };
}

/** Sums by name and step: of hours that are over from their sums, of the rest from the uses. */
async function readPart(
  reader: Reader,
  request: SteppedWindow & { readonly by: SpendGrouping | "all"; readonly currency: Currency },
): Promise<RawBuilder<unknown>> {
  const { by, currency, fromMs, untilMs, stepMs, summedUntilMs } = request;
  const slotOf = (column: "hour_ms" | "at_ms") =>
    sql`((${sql.ref(column)} - ${fromMs}::bigint) / ${stepMs}::bigint)::integer`;
  // Only the few values that are summed are carried on, not the details as a whole.
  return sql`
    select name, slot, sum(uses)::bigint as uses, sum(micros)::bigint as micros, sum(input)::bigint as input,
      sum(output)::bigint as output
    from (
      select name, ${slotOf("hour_ms")} as slot, use_count as uses, micros, input_tokens as input, output_tokens as output
      from ledger_spend_hour
      where currency = ${currency} and detail = ${detailOf[by]} and hour_ms >= ${fromMs} and hour_ms < ${summedUntilMs}
      union all
      select ${nameOf(by)}, ${slotOf("at_ms")}, 1, amount_micros, coalesce((details ->> 'inputTokens')::bigint, 0),
        coalesce((details ->> 'outputTokens')::bigint, 0)
      from ledger_use ${by === "tag" ? eachTag : sql``}
      where at_ms >= ${summedUntilMs} and at_ms < ${untilMs} and ${await ofCurrency(reader, currency)}
    ) piece group by 1, 2`;
}

const eachTag = sql`left join lateral jsonb_array_elements_text(details -> 'tags') tag (name) on true`;

function nameOf(by: SpendGrouping | "all"): RawBuilder<string> {
  if (by === "all") return sql<string>`''`;
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
  request: SpendSeriesRequest,
): Promise<Pick<SpendSeries, "totalMicros" | "useCount">> {
  const part = await readPart(reader, { ...request, by: "all" });
  const { rows } = await sql<{ uses: string; micros: string }>`
    select coalesce(sum(uses), 0) as uses, coalesce(sum(micros), 0) as micros from (${part}) part`.execute(
    reader.executor,
  );
  return { totalMicros: rows[0]?.micros ?? "0", useCount: Number(rows[0]?.uses ?? 0) };
}
