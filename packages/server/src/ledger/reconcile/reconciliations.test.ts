import { createIds, systemClock, systemRandom } from "#kernel/index.ts";
import type { LedgerDifference } from "@faultline/protocol";
import { openTestDatabase } from "@faultline/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { bookLimits } from "../books/limits.ts";
import { LedgerBooks } from "../books/ledger-books.ts";
import { type LedgerFixture, openLedgerFixture } from "../test/ledger-fixture.ts";
import type { DifferenceSource } from "./difference-source.ts";
import { hashOf, type Invoice } from "./invoice.ts";
import { Reconciliations } from "./reconciliations.ts";

const { signal } = new AbortController();
const currency = "USD";
const stack = new AsyncDisposableStack();
let database: Awaited<ReturnType<typeof openTestDatabase>>;
let tenantCount = 0;
let fixture: LedgerFixture;
let run: (request: { invoice?: Invoice; sources?: readonly DifferenceSource[] }) => Promise<{
  readonly differences: readonly LedgerDifference[];
  readonly cut: readonly string[];
  readonly booked: readonly string[];
}>;
let books: LedgerBooks;
let scope: Parameters<LedgerBooks["balance"]>[0];
let reconciliations: (sources?: readonly DifferenceSource[]) => Reconciliations;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
afterAll(() => stack.disposeAsync());
beforeEach(async () => {
  const { store } = database;
  const tenantId = await database.createTenant(`compared-${(tenantCount += 1)}`);
  scope = { tenantId, signal };
  fixture = stack.use(openLedgerFixture({ store, tenantId }));
  books = new LedgerBooks({ store, clock: systemClock });
  const ids = createIds(systemClock, systemRandom);
  const { ledger } = fixture;
  reconciliations = (sources = []) =>
    new Reconciliations({ store, ledger, books, sources, clock: systemClock, ids });
  run = ({ invoice, sources }) =>
    reconciliations(sources).run(scope, {
      cause: "request",
      applies: false,
      books: invoice !== undefined,
      ...(invoice === undefined ? {} : { invoice }),
    });
  await fixture.ask({ kind: "open-account", currency, limitMicros: 0n });
  await fixture.ask({
    kind: "grant",
    currency,
    amountMicros: 1_000n,
    priority: 0,
    expiresAtMs: undefined,
  });
});

const window = { fromMs: 1_700_000_000_000, untilMs: systemClock.nowMs() + 86_400_000 };
const invoiceOf = (model: string, amountMicros: string): Invoice => ({
  ...window,
  lines: [{ provider: "openai", model, currency, amountMicros }],
});
const cost = async (): Promise<string | undefined> =>
  (await books.balance(scope)).balances.find(({ account }) => account === "provider-cost/USD")
    ?.balanceMicros;

describe("an invoice that is entered", () => {
  it("is entered once, however its model is named and whichever release entered it", async () => {
    const { fromMs, untilMs } = window;
    // As it was named before a model with its provider's name was known for the same.
    const earlierId = `invoice-${hashOf(["openai/openai/gpt", currency, fromMs, untilMs])}`;
    await fixture.ask({ kind: "book-cost", id: earlierId, currency, amountMicros: 70n });
    for (const model of ["gpt", "openai/gpt", "gpt"])
      expect((await run({ invoice: invoiceOf(model, "70") })).booked).toEqual([earlierId]);
    expect(await cost()).toBe("70");
    await expect(run({ invoice: invoiceOf("gpt", "71") })).rejects.toMatchObject({
      code: "ledger_id_reused",
    });
    expect(await cost()).toBe("70");
  });

  it("is listed with what was charged, and not with what was invoiced", async () => {
    await fixture.ask({
      kind: "hold",
      id: "op",
      currency,
      amountMicros: 50n,
      durationMs: 60_000,
      attribution: {},
    });
    const charge = { usageId: "op/1", usageKind: "tokens", amountMicros: 40n } as const;
    const details = { provider: "openai", model: "openai/gpt", priceVersion: "v" };
    await fixture.ledger.submit(
      scope,
      { kind: "settle", id: "end", holdId: "op", charge, isFinal: true },
      { details: new Map([["op/1", details]]) },
    );
    await run({ invoice: invoiceOf("gpt", "70") });
    const [entered] = await reconciliations().invoices(scope);
    expect(entered).toMatchObject({
      name: "openai/gpt",
      amountMicros: "70",
      chargedMicros: "40",
    });
  });
});

it("says of which kinds only the first are told", async () => {
  const difference: LedgerDifference = {
    kind: "work-differs",
    subject: "reservation:j",
    expectedMicros: "1",
    actualMicros: "2",
    message: "It differs.",
    evidence: [],
  };
  const source = (count: number): DifferenceSource => ({
    differences: async () => Array.from({ length: count }, () => difference),
  });
  const { differenceCountMax } = bookLimits;
  expect((await run({ sources: [source(differenceCountMax - 1)] })).cut).toEqual([]);
  expect((await run({ sources: [source(differenceCountMax)] })).cut).toEqual(["work-differs"]);
});
