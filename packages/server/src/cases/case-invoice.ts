/** The invoice of a provider beside the ledger of a case. */

import { type BookedInvoiceLine, evidenceOfKind, type Snapshot } from "@faultline/contracts";
import { PlatformError, type ProviderInvoice } from "@faultline/protocol";

import { readCurrency } from "#ledger/index.ts";

const microsPattern = /^-?\d{1,25}$/;

/**
 * Its lines as evidence. Throws `amount_invalid`, `request_invalid`, and `currency_mismatch` for a currency in which nothing can be
 * charged: beside that every line would differ.
 */
export function invoiceLinesOf({ from, until, lines }: ProviderInvoice): BookedInvoiceLine[] {
  const [fromMs, untilMs] = [Date.parse(from), Date.parse(until)];
  if (!(fromMs >= 0 && fromMs < untilMs)) {
    throw new PlatformError("request_invalid", "The time of the invoice ends before it starts.", {
      where: "/invoice/from",
    });
  }
  return lines.map(({ provider, model, currency, amountMicros }, index) => {
    if (!microsPattern.test(amountMicros)) {
      throw new PlatformError("amount_invalid", "An amount is a whole number of micros.", {
        where: `/invoice/lines/${index}/amountMicros`,
      });
    }
    return {
      provider,
      model,
      currency: readCurrency(currency, `/invoice/lines/${index}/currency`),
      amountMicros: String(BigInt(amountMicros)),
      fromMicros: fromMs * 1_000,
      untilMicros: untilMs * 1_000,
    };
  });
}

/** The lines that lie beside the ledger of a snapshot. */
export function invoiceIn(snapshot: Snapshot): BookedInvoiceLine[] {
  return evidenceOfKind(snapshot, "ledger").flatMap(({ content }) => content.invoice ?? []);
}
