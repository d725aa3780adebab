/** Balances of one currency over time. */

import type { BalanceSeries } from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import type { Currency } from "../rules/types.ts";
import { showTime } from "./shown.ts";
import type { BookWindow } from "./window.ts";

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
 * What stood at the end of each step. Counted backwards from the balances of now, so that only what moved since the start of
 * the window is read, however old the ledger is.
 */
export async function readBalanceSeries(
  reader: Reader,
  request: BookWindow & { readonly currency: Currency; readonly stepCount: number },
): Promise<BalanceSeries> {
  const { currency, stepCount, untilMs } = request;
  const stepMs = Math.max(1, Math.ceil((untilMs - request.fromMs) / stepCount));
  const fromMs = untilMs - stepMs * stepCount;
  // What moved up to the moment `fromMs + slot * stepMs`, after the one before; after the last moment the slot is one more.
  const { rows } = await sql<MovementRow>`
    select least(${stepCount + 1}, (at_ms - ${fromMs}::bigint + ${stepMs - 1}::bigint) / ${stepMs}::bigint)::integer as slot,
      ${moved(`credit/${currency}`)} as credit, ${moved(`holds/${currency}`)} as held, ${moved(`debt/${currency}`)} as debt
    from ledger_transfer where at_ms > ${fromMs}
    group by 1`.execute(reader.executor);
  const bySlot = new Map(rows.map((row) => [row.slot, row]));
  let standing = stepBack(await readStanding(reader, currency), bySlot.get(stepCount + 1));
  const points: BalanceSeries["points"] = [];
  for (let slot = stepCount; slot >= 0; slot -= 1) {
    points.unshift({
      at: showTime(fromMs + slot * stepMs),
      creditMicros: String(standing.credit),
      heldMicros: String(standing.held),
      // The account of debts stands below zero by what is owed.
      debtMicros: String(-standing.debt),
    });
    standing = stepBack(standing, bySlot.get(slot));
  }
  return { currency, from: showTime(fromMs), until: showTime(untilMs), points };
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
