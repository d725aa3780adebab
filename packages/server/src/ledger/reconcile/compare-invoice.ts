/** Our cost beside the provider's invoice, by provider and model. */

import { createHash } from "node:crypto";

import type { InvoiceLine, LedgerDifference } from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import { readAmount, readCurrency } from "../service/read-amount.ts";

const idHashLength = 16;

/** Gives a difference for each line that differs from what was charged in the window, and for what no line names. */
export async function compareInvoice(
  reader: Reader,
  invoice: {
    readonly lines: readonly InvoiceLine[];
    readonly fromMs: number;
    readonly untilMs: number;
  },
): Promise<LedgerDifference[]> {
  const { lines, fromMs, untilMs } = invoice;
  const { rows } = await sql<{ provider: string; model: string; micros: string }>`
    select details ->> 'provider' as provider, coalesce(details ->> 'model', '') as model,
      sum(amount_micros) as micros
    from ledger_use where at_ms >= ${fromMs} and at_ms < ${untilMs} and details ? 'provider'
    group by 1, 2`.execute(reader.executor);
  const charged = new Map(rows.map((row) => [nameOf(row), BigInt(row.micros)]));
  const invoiced = new Map<string, { micros: bigint; currency: "USD" | "credits" }>();
  lines.forEach((line, index) => {
    const where = `body /invoice/lines/${index}`;
    const micros = readAmount(line.amountMicros, `${where}/amountMicros`, "allowed");
    const currency = readCurrency(line.currency, `${where}/currency`);
    const known = invoiced.get(nameOf(line));
    invoiced.set(nameOf(line), { micros: (known?.micros ?? 0n) + micros, currency });
  });
  const names = [...new Set([...invoiced.keys(), ...charged.keys()])].toSorted();
  return names.flatMap((name): LedgerDifference[] => {
    const theirs = invoiced.get(name);
    const theirMicros = theirs?.micros ?? 0n;
    const ourMicros = charged.get(name) ?? 0n;
    if (theirMicros === ourMicros) return [];
    const isTooMuch = ourMicros > theirMicros;
    const difference = isTooMuch ? ourMicros - theirMicros : theirMicros - ourMicros;
    return [
      {
        kind: "invoice-differs",
        subject: name,
        expectedMicros: String(theirMicros),
        actualMicros: String(ourMicros),
        message: `The provider invoices ${theirMicros} for ${name}, and ${ourMicros} was charged.`,
        evidence: [name],
        proposal: {
          // The same invoice, compared again, proposes the same entry, which takes effect once.
          commandId: `reconcile-invoice-${hashOf([name, fromMs, untilMs, theirMicros, ourMicros])}`,
          currency: theirs?.currency ?? "USD",
          direction: isTooMuch ? "give" : "take",
          amountMicros: String(difference),
        },
      },
    ];
  });
}

function nameOf({ provider, model }: { readonly provider: string; readonly model: string }) {
  return `${provider}/${model}`;
}

function hashOf(parts: readonly (string | number | bigint)[]): string {
  return createHash("sha256").update(parts.join(" ")).digest("hex").slice(0, idHashLength);
}
