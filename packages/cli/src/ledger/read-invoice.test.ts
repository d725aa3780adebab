import { expect, it } from "vitest";

import { parseInvoice } from "./read-invoice.ts";

it("reads lines by the names of their columns, in any order and with quotes", () => {
  const text =
    '\uFEFFModel,Amount,Provider,Currency\r\n"a,b",1.5,openai,USD\r\n\r\n"c""d",2,x,USD\n';
  expect(parseInvoice(text, "i.csv")).toEqual({
    lines: [
      { provider: "openai", model: "a,b", currency: "USD", amountMicros: "1500000" },
      { provider: "x", model: 'c"d', currency: "USD", amountMicros: "2000000" },
    ],
  });
});

it("reads the time that it is for, which is one", () => {
  const header = "provider,model,currency,amount,from,until\n";
  const line = "a,b,USD,1,2026-10-01,2026-11-01\n";
  expect(parseInvoice(header + line + line, "i.csv")).toMatchObject({
    from: "2026-10-01",
    until: "2026-11-01",
  });
  expect(() => parseInvoice(`${header}${line}a,c,USD,1,2026-10-01,2026-12-01\n`, "i.csv")).toThrow(
    expect.objectContaining({ code: "evidence_unreadable", where: "i.csv, line 3" }),
  );
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
