import type { LedgerBooks } from "#ledger/index.ts";
import { expect, it } from "vitest";

import { openTestControl } from "./control-fixture.ts";

it("reads no line of an export for who asks for its head alone", async () => {
  let pageCount = 0;
  async function* pages(): AsyncGenerator<string> {
    pageCount += 1;
    yield "a line\r\n";
  }
  const books = { exportEntries: pages, exportUsage: pages };
  await using control = await openTestControl({
    // The routes of exports ask for nothing else.
    replace: () => ({ ledgerBooks: books as unknown as LedgerBooks }),
  });
  const headers = { authorization: `Bearer ${control.keys.byRole.viewer}` };
  const ask = (name: string, method: string) =>
    control.fetch(`/api/ledger/export/${name}`, { method, headers });
  for (const name of ["entries", "usage"]) {
    const head = await ask(name, "HEAD");
    expect(head.status).toBe(200);
    expect(head.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(head.headers.get("content-length")).toBeNull();
    expect(await head.text()).toBe("");
  }
  expect(pageCount).toBe(0);
  expect(await (await ask("usage", "GET")).text()).toBe("a line\r\n");
  expect(pageCount).toBe(1);
});
