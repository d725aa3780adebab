import { expect, it } from "vitest";

import { parseInvoice } from "./read-invoice.ts";

it("reads lines by the names of their columns, in any order and with quotes", () => {
  const text =
    '\uFEFFModel,Amount,Provider,Currency\r\n"a,b",1.5,openai,USD\r\n\r\n"c""d",2,x,USD\n';
  expect(parseInvoice(text, "i.csv")).toEqual([
    { provider: "openai", model: "a,b", currency: "USD", amountMicros: "1500000" },
    { provider: "x", model: 'c"d', currency: "USD", amountMicros: "2000000" },
  ]);
});

it.each([
  ["", "i.csv, line 1"],
  ["provider,model,amount\na,b,1", "i.csv, line 1"],
  ["provider,model,currency,amount\na,b,USD,1\na,,USD,1", "i.csv, line 3"],
])("says which line of %j is none", (text, where) => {
  expect(() => parseInvoice(text, "i.csv")).toThrow(
    expect.objectContaining({ code: "evidence_unreadable", where }),
  );
});
