/** What a case takes for an invoice. */

import { PlatformError, type ProviderInvoice } from "@faultline/protocol";
import { expect, it } from "vitest";

import { invoiceLinesOf } from "./case-invoice.ts";

const line = { provider: "openai", model: "gpt", currency: "USD", amountMicros: "0250" };
const time = { from: "2026-03-01T00:00:00Z", until: "2026-04-01T00:00:00Z" };

function faultOf(invoice: ProviderInvoice): unknown {
  try {
    return invoiceLinesOf(invoice);
  } catch (error) {
    return error instanceof PlatformError ? [error.code, error.where] : error;
  }
}

it("is lines for one time, with amounts as the ledger writes them", () => {
  expect(invoiceLinesOf({ ...time, lines: [line, { ...line, amountMicros: "-7" }] })).toEqual(
    ["250", "-7"].map((amountMicros) => ({
      ...line,
      amountMicros,
      fromMicros: Date.parse(time.from) * 1_000,
      untilMicros: Date.parse(time.until) * 1_000,
    })),
  );
});

it("is refused where it cannot be compared, with its place", () => {
  const lineOf = (more: Partial<typeof line>): ProviderInvoice => ({
    ...time,
    lines: [line, { ...line, ...more }],
  });
  expect(faultOf(lineOf({ currency: "EUR" }))).toEqual([
    "currency_mismatch",
    "/invoice/lines/1/currency",
  ]);
  expect(faultOf(lineOf({ currency: "usd" }))).toEqual([
    "currency_mismatch",
    "/invoice/lines/1/currency",
  ]);
  expect(faultOf(lineOf({ amountMicros: "1.5" }))).toEqual([
    "amount_invalid",
    "/invoice/lines/1/amountMicros",
  ]);
  expect(faultOf({ ...lineOf({}), until: time.from })).toEqual([
    "request_invalid",
    "/invoice/from",
  ]);
});
