/** Balances of one currency over time. */

import type { BalanceSeries } from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import type { Currency } from "../rules/types.ts";
import { showTime } from "./shown.ts";
import type { SteppedWindow } from "./summaries.ts";

interface MovementRow {
  readonly slot: number;
  readonly credit: string;
  readonly held: string;
  readonly debt: string;
}

interface Standing {
  readonly credit: bigint;
  readonly held: bigint;
  readonly debt: bigint;
}

/**
 * What stood at the start of each step and at the end of the last one. Counted backwards from the balances of now, so that only
 * what moved since the start of the window is read, however old the ledger is.
 */
export async function readBalanceSeries(
  reader: Reader,
  request: SteppedWindow & { readonly currency: Currency; readonly nowMs: number },
): Promise<BalanceSeries> {
  const { currency, fromMs, untilMs, stepMs, stepCount, nowMs } = request;
  const bySlot = new Map((await readMovements(reader, request)).map((row) => [row.slot, row]));
  let standing = stepBack(await readStanding(reader, currency), bySlot.get(stepCount));
  const points: BalanceSeries["points"] = [];
  for (let place = stepCount; place >= 0; place -= 1) {
    points.unshift({
      // The last step of a long window ends with the hour that goes on.
      at: showTime(Math.max(fromMs, Math.min(nowMs, fromMs + place * stepMs))),
      creditMicros: String(standing.credit),
      heldMicros: String(standing.held),
      // The account of debts stands below zero by what is owed.
      debtMicros: String(-standing.debt),
    });
    standing = stepBack(standing, bySlot.get(place - 1));
  }
  return { currency, from: showTime(fromMs), until: showTime(Math.min(untilMs, nowMs)), points };
}

/** What moved in each step; what moved after the last one has its number plus one. */
async function readMovements(
  reader: Reader,
  request: SteppedWindow & { readonly currency: Currency },
): Promise<readonly MovementRow[]> {
  const { currency, fromMs, stepMs, stepCount, summedUntilMs } = request;
  const accounts = [`credit/${currency}`, `holds/${currency}`, `debt/${currency}`] as const;
  const slotOf = (column: "hour_ms" | "at_ms") =>
    sql`least(${stepCount}, (${sql.ref(column)} - ${fromMs}::bigint) / ${stepMs}::bigint)::integer`;
  const { rows } = await sql<MovementRow>`
    select slot, sum(credit) as credit, sum(held) as held, sum(debt) as debt from (
      select ${slotOf("hour_ms")} as slot, ${summed(accounts[0])} as credit, ${summed(accounts[1])} as held,
        ${summed(accounts[2])} as debt
      from ledger_movement_hour
      where account = any(${[...accounts]}) and hour_ms >= ${fromMs} and hour_ms < ${summedUntilMs}
      group by 1
      union all
      select ${slotOf("at_ms")} as slot, ${moved(accounts[0])} as credit, ${moved(accounts[1])} as held,
        ${moved(accounts[2])} as debt
      from ledger_transfer where at_ms >= ${summedUntilMs} and batch_until_ms >= ${summedUntilMs} group by 1
    ) part group by slot`.execute(reader.executor);
  return rows;
}

function summed(account: string) {
  return sql`coalesce(sum(micros) filter (where account = ${account}), 0)`;
}

function moved(account: string) {
  return sql`coalesce(sum(case when to_account = ${account} then amount_micros
    when from_account = ${account} then -amount_micros end), 0)`;
}

async function readStanding(reader: Reader, currency: Currency): Promise<Standing> {
  const rows = await reader
    .selectFrom("ledger_account")
    .select(["id", "balance_micros"])
    .where("id", "in", [`credit/${currency}`, `holds/${currency}`, `debt/${currency}`])
    .execute();
  const balanceOf = (kind: string): bigint =>
    BigInt(rows.find((row) => row.id === `${kind}/${currency}`)?.balance_micros ?? 0);
  return { credit: balanceOf("credit"), held: balanceOf("holds"), debt: balanceOf("debt") };
}

function stepBack(standing: Standing, row: MovementRow | undefined): Standing {
  if (row === undefined) return standing;
  return {
    credit: standing.credit - BigInt(row.credit),
    held: standing.held - BigInt(row.held),
    debt: standing.debt - BigInt(row.debt),
  };
}
