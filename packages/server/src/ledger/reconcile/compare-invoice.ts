/** Our cost beside the provider's invoice, by provider and model. */

import type { LedgerDifference } from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import type { Currency } from "../rules/types.ts";
import { type Invoice, type InvoicedSum, sumInvoice } from "./invoice.ts";
import { proposalId } from "./proposal-id.ts";

interface ChargedRow {
  readonly name: string;
  readonly currency: Currency;
  readonly micros: string;
  /** The dearest uses. */
  readonly uses: string[];
}

const namedUseCount = 20;

/** Gives a difference for each line that differs from what was charged in the window, and for what else its providers were used for. */
export async function compareInvoice(
  reader: Reader,
  invoice: Invoice,
): Promise<LedgerDifference[]> {
  const charged = await readCharged(reader, invoice);
  const invoiced = sumInvoice(invoice.lines);
  const sides = new Map<string, { theirs?: InvoicedSum; ours?: ChargedRow }>();
  for (const theirs of invoiced) sides.set(keyOf(theirs), { theirs });
  for (const ours of charged) sides.set(keyOf(ours), { ...sides.get(keyOf(ours)), ours });
  return [...sides.keys()].sort().flatMap((key) => {
    const { theirs, ours } = sides.get(key) ?? {};
    const side = theirs ?? ours;
    if (side === undefined) return [];
    const { name, currency } = side;
    const amounts = { theirMicros: theirs?.micros ?? 0n, ourMicros: BigInt(ours?.micros ?? 0) };
    if (amounts.theirMicros === amounts.ourMicros) return [];
    return [differenceOf(invoice, { name, currency, ...amounts, uses: ours?.uses ?? [] })];
  });
}

/** What was charged in an invoice's time, by what an invoice calls it and its currency. */
export async function readInvoiceCharges(
  reader: Reader,
  invoice: Invoice,
): Promise<InvoiceCharges> {
  const charged = await readCharged(reader, invoice);
  const sums = new Map(charged.map((row) => [keyOf(row), BigInt(row.micros)]));
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
      hold.record ->> 'currency' as currency, sum(use.amount_micros) as micros,
      (array_agg(use.id order by use.amount_micros desc, use.id))[1:${sql.lit(namedUseCount)}] as uses
    from ledger_use use join ledger_hold hold on hold.id = use.hold_id
    where use.at_ms >= ${fromMs} and use.at_ms < ${untilMs} and use.details ->> 'provider' = any(${providers}::text[])
    group by 1, 2`.execute(reader.executor);
  return rows;
}

function differenceOf(
  { fromMs, untilMs }: Invoice,
  side: {
    readonly name: string;
    readonly currency: Currency;
    readonly theirMicros: bigint;
    readonly ourMicros: bigint;
    readonly uses: readonly string[];
  },
): LedgerDifference {
  const { name, currency, theirMicros, ourMicros, uses } = side;
  const isTooMuch = ourMicros > theirMicros;
  const difference = isTooMuch ? ourMicros - theirMicros : theirMicros - ourMicros;
  return {
    kind: "invoice-differs",
    subject: name,
    expectedMicros: String(theirMicros),
    actualMicros: String(ourMicros),
    message: `For ${name} the provider invoices ${theirMicros} micros of ${currency}, and ${ourMicros} were charged.`,
    evidence: [name, ...uses],
    proposal: {
      // The same invoice, compared again, proposes the same entry, which takes effect once.
      commandId: proposalId("invoice", [name, currency, fromMs, untilMs, theirMicros, ourMicros]),
      currency,
      direction: isTooMuch ? "give" : "take",
      amountMicros: String(difference),
    },
  };
}
