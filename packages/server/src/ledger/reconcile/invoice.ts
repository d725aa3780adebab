/** A provider's invoice: what it says of each provider, model and currency, and the entries that take that down as cost. */

import { createHash } from "node:crypto";

import type { InvoiceLine } from "@faultline/protocol";

import type { Currency } from "../rules/types.ts";
import type { LedgerRequest } from "../service/ledger-request.ts";
import { readAmount, readCurrency } from "../service/read-amount.ts";

const idHashLength = 32;

/** A provider's invoice for a window. */
export interface Invoice {
  readonly lines: readonly InvoiceLine[];
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What is invoiced for a model of a provider. */
export interface InvoicedSum {
  /** The provider, a slash and the model. */
  readonly name: string;
  readonly provider: string;
  readonly currency: Currency;
  readonly micros: bigint;
}

/** A sum, and the command that enters it. */
export interface InvoiceCost extends InvoicedSum {
  readonly request: LedgerRequest;
  /**
   * The command that entered it where an earlier release did, which put the provider before a name that began with it already.
   */
  readonly earlierId: string;
}

/** Sums lines of one name and currency. Throws the faults of amounts and currencies, with their places. */
export function sumInvoice(lines: Invoice["lines"]): InvoicedSum[] {
  const sums = new Map<string, InvoicedSum>();
  lines.forEach((line, index) => {
    const where = `body /invoice/lines/${index}`;
    const micros = readAmount(line.amountMicros, `${where}/amountMicros`, "allowed");
    const currency = readCurrency(line.currency, `${where}/currency`);
    const name = invoicedName(line);
    const key = JSON.stringify([name, currency]);
    const { provider } = line;
    sums.set(key, { name, provider, currency, micros: (sums.get(key)?.micros ?? 0n) + micros });
  });
  return [...sums.values()];
}

/**
 * The entries for an invoice. Their ids follow from what it is for, so that the same invoice is entered once, and one with
 * other amounts for the same is refused.
 */
export function invoiceCosts({ lines, fromMs, untilMs }: Invoice): InvoiceCost[] {
  return sumInvoice(lines)
    .filter(({ micros }) => micros > 0n)
    .map((sum) => {
      const { name, provider, currency, micros: amountMicros } = sum;
      const idOf = (named: string): string =>
        `invoice-${hashOf([named, currency, fromMs, untilMs])}`;
      const request = { kind: "book-cost", id: idOf(name), currency, amountMicros } as const;
      return { ...sum, request, earlierId: idOf(`${provider}/${name}`) };
    });
}

/** A provider knows its model by less than the catalog, whose names begin with the provider's. */
function invoicedName({ provider, model }: Pick<InvoiceLine, "provider" | "model">): string {
  return model.startsWith(`${provider}/`) ? model : `${provider}/${model}`;
}

/** A text that stands for these parts, in ids. */
export function hashOf(parts: readonly (string | number | bigint)[]): string {
  const text = JSON.stringify(parts.map(String));
  return createHash("sha256").update(text).digest("hex").slice(0, idHashLength);
}
