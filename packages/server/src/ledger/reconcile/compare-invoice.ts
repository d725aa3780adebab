/** Our cost beside the provider's invoice, by provider and model. */

import {
  InvoiceSettlements,
  type InvoiceStanding,
  invoiceEntryPrefix,
  type SettlingEntry,
  UnconvertedProviders,
} from "@faultline/contracts";
import type { LedgerDifference } from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import type { Currency } from "../rules/types.ts";
import { type Invoice, type InvoicedSum, sumInvoice } from "./invoice.ts";

interface ChargedRow {
  readonly name: string;
  readonly provider: string;
  readonly currency: Currency;
  readonly micros: string;
  /** The dearest uses. */
  readonly uses: string[];
}

const namedUseCount = 20;

/** What both say of a name in a currency. */
interface Side {
  readonly name: string;
  readonly provider: string;
  readonly currency: Currency;
  theirMicros: bigint;
  ourMicros: bigint;
  readonly uses: string[];
}

/**
 * Gives a difference for each line that differs from what was charged in the window and settled since, and for what else its
 * providers were used for.
 */
export async function compareInvoice(
  reader: Reader,
  invoice: Invoice,
): Promise<LedgerDifference[]> {
  const sides = sidesOf(sumInvoice(invoice.lines), await readCharged(reader, invoice));
  const settlements = new InvoiceSettlements(invoice, await readSettlingEntries(reader));
  const unconverted = new UnconvertedProviders();
  for (const side of sides) {
    if (side.theirMicros !== 0n) unconverted.addInvoiced(side);
    if (side.ourMicros !== 0n) unconverted.addCharged(side);
  }
  return sides.flatMap((side) => {
    const standing = settlements.standingOf(side);
    const isSettled = side.theirMicros === side.ourMicros + standing.settledMicros;
    return isSettled ? [] : [differenceOf(side, standing, unconverted)];
  });
}

function sidesOf(invoiced: readonly InvoicedSum[], charged: readonly ChargedRow[]): Side[] {
  const sides = new Map<string, Side>();
  const sideOf = (one: Pick<Side, "name" | "provider" | "currency">): Side => {
    const { name, provider, currency } = one;
    const fresh = { name, provider, currency, theirMicros: 0n, ourMicros: 0n, uses: [] };
    const side = sides.get(keyOf(one)) ?? fresh;
    sides.set(keyOf(one), side);
    return side;
  };
  for (const theirs of invoiced) sideOf(theirs).theirMicros += theirs.micros;
  for (const ours of charged) {
    const side = sideOf(ours);
    side.ourMicros += BigInt(ours.micros);
    side.uses.push(...ours.uses.slice(0, namedUseCount - side.uses.length));
  }
  return [...sides.keys()].sort().flatMap((key) => sides.get(key) ?? []);
}

/** What was charged in an invoice's time, by what an invoice calls it and its currency. */
export async function readInvoiceCharges(
  reader: Reader,
  invoice: Invoice,
): Promise<InvoiceCharges> {
  const charged = await readCharged(reader, invoice);
  const sums = new Map<string, bigint>();
  for (const row of charged)
    sums.set(keyOf(row), (sums.get(keyOf(row)) ?? 0n) + BigInt(row.micros));
  return (sum) => sums.get(keyOf(sum)) ?? 0n;
}

/** What was charged for a name in a currency. */
export type InvoiceCharges = (sum: Pick<InvoicedSum, "name" | "currency">) => bigint;

function keyOf({ name, currency }: Pick<InvoicedSum, "name" | "currency">): string {
  return JSON.stringify([name, currency]);
}

async function readCharged(
  reader: Reader,
  { fromMs, untilMs, lines }: Invoice,
): Promise<readonly ChargedRow[]> {
  // Of what others are paid an invoice says nothing.
  const providers = [...new Set(lines.map(({ provider }) => provider))];
  // As `invoicedName` says it.
  const { rows } = await sql<ChargedRow>`
    select case when starts_with(use.details ->> 'model', concat(use.details ->> 'provider', '/'))
        then use.details ->> 'model' else concat(use.details ->> 'provider', '/', use.details ->> 'model') end as name,
      use.details ->> 'provider' as provider, hold.record ->> 'currency' as currency, sum(use.amount_micros) as micros,
      (array_agg(use.id order by use.amount_micros desc, use.id))[1:${sql.lit(namedUseCount)}] as uses
    from ledger_use use join ledger_hold hold on hold.id = use.hold_id
    where use.at_ms >= ${fromMs} and use.at_ms < ${untilMs} and use.details ->> 'provider' = any(${providers}::text[])
    group by 1, 2, 3`.execute(reader.executor);
  return rows;
}

/** The entries of all commands whose ids settle invoices, each as far as it went between an account and its adjustments. */
async function readSettlingEntries(reader: Reader): Promise<SettlingEntry[]> {
  const { rows } = await sql<{ id: string; currency: string | null; micros: string }>`
    select command.id, split_part(moved.adjusted, '/', 2) as currency, coalesce(sum(moved.micros), 0) as micros
    from ledger_command command left join lateral (
      select to_account as adjusted, amount_micros as micros from ledger_transfer
      where sequence >= command.first_sequence and sequence < command.first_sequence + command.transfer_count
        and to_account like 'adjustments/%' and (from_account like 'credit/%' or from_account like 'debt/%')
      union all
      select from_account, -amount_micros from ledger_transfer
      where sequence >= command.first_sequence and sequence < command.first_sequence + command.transfer_count
        and from_account like 'adjustments/%' and (to_account like 'credit/%' or to_account like 'debt/%')
    ) moved on true
    where command.id >= ${`${invoiceEntryPrefix}-`} and command.id < ${`${invoiceEntryPrefix}0`}
    group by 1, 2`.execute(reader.executor);
  return rows.map(({ id, currency, micros }) => ({
    commandId: id,
    currency: currency ?? "",
    takenMicros: BigInt(micros),
  }));
}

function differenceOf(
  side: Side,
  { settledMicros, commandId, overlapping }: InvoiceStanding,
  unconverted: UnconvertedProviders,
): LedgerDifference {
  const { name, provider, currency, theirMicros, ourMicros, uses } = side;
  const paidMicros = ourMicros + settledMicros;
  const isTooMuch = paidMicros > theirMicros;
  const currencies = unconverted.currenciesOf(provider);
  const settled = settledMicros === 0n ? "" : `, and entries settled ${settledMicros} since`;
  const doubt =
    currencies !== undefined
      ? ` It invoices in ${currencies.invoiced.join(", ")} what was charged in ${currencies.charged.join(", ")}; without a conversion no entry settles that.`
      : overlapping.length > 0
        ? " An invoice of a time that overlaps this one was settled before; how much of that is for this one a person decides."
        : undefined;
  return {
    kind: "invoice-differs",
    subject: name,
    expectedMicros: String(theirMicros),
    actualMicros: String(paidMicros),
    message: `For ${name} the provider invoices ${theirMicros} micros of ${currency}, and ${ourMicros} were charged${settled}.${doubt ?? ""}`,
    evidence: [name, ...uses, ...overlapping],
    ...(doubt !== undefined
      ? {}
      : {
          proposal: {
            commandId,
            currency,
            direction: isTooMuch ? "give" : "take",
            amountMicros: String(isTooMuch ? paidMicros - theirMicros : theirMicros - paidMicros),
          },
        }),
  };
}
