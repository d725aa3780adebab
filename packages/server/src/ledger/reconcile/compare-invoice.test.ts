/** Invoices that are corrected, compared again and applied, beside uses that go on. */

import { createIds, systemClock, systemRandom } from "#kernel/index.ts";
import { openTestDatabase } from "@faultline/testkit";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LedgerBooks } from "../books/ledger-books.ts";
import { openLedgerFixture } from "../test/ledger-fixture.ts";
import { hashOf, type Invoice } from "./invoice.ts";
import { Reconciliations } from "./reconciliations.ts";

const { signal } = new AbortController();
const currency = "USD";
const grantedMicros = 10_000n;
const window = { fromMs: 1_700_000_000_000, untilMs: systemClock.nowMs() + 86_400_000 };
let database: Awaited<ReturnType<typeof openTestDatabase>>;
let tenantCount = 0;

beforeAll(async () => void (database = await openTestDatabase()));
afterAll(async () => database[Symbol.asyncDispose]());

/** A tenant with credit, whose uses are all of one model. */
async function openTenant() {
  const { store } = database;
  const tenantId = await database.createTenant(`invoiced-${(tenantCount += 1)}`);
  const scope = { tenantId, signal };
  const fixture = openLedgerFixture({ store, tenantId });
  const books = new LedgerBooks({ store, clock: systemClock });
  const ids = createIds(systemClock, systemRandom);
  const { ledger } = fixture;
  const reconciliations = new Reconciliations({ store, ledger, books, clock: systemClock, ids });
  await fixture.ask({ kind: "open-account", currency, limitMicros: 0n });
  const gift = { currency, amountMicros: grantedMicros, priority: 0, expiresAtMs: undefined };
  await fixture.ask({ kind: "grant", ...gift });
  let useCount = 0;
  return {
    fixture,
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
    async use(amountMicros: bigint): Promise<void> {
      const id = `op-${(useCount += 1)}`;
      const hold = { kind: "hold", id, currency, amountMicros, durationMs: 60_000 } as const;
      await fixture.ask({ ...hold, attribution: {} });
      const charge = { usageId: `${id}/1`, usageKind: "tokens", amountMicros } as const;
      await ledger.submit(
        scope,
        { kind: "settle", id: `end-${id}`, holdId: id, charge, isFinal: true },
        {
          details: new Map([
            [charge.usageId, { provider: "openai", model: "openai/gpt", priceVersion: "v" }],
          ]),
        },
      );
    },
    async compare(amount: number | bigint, options: { applies?: boolean; more?: object } = {}) {
      const { applies = true, more = {} } = options;
      const line = { provider: "openai", model: "gpt", currency, amountMicros: String(amount) };
      const invoice: Invoice = { ...window, lines: [line], ...more };
      const { differences } = await reconciliations.run(scope, {
        cause: "request",
        applies,
        books: false,
        invoice,
      });
      return differences;
    },
    async paidMicros(): Promise<bigint> {
      const { accounts } = await books.balance(scope);
      const [account] = accounts;
      return grantedMicros - BigInt(account?.availableMicros ?? 0);
    },
  };
}

describe("an invoice that was settled", () => {
  it("is settled by the rest when it is corrected, and when more was used in its time", async () => {
    await using tenant = await openTenant();
    await tenant.use(80n);
    await tenant.compare(100);
    expect(await tenant.paidMicros()).toBe(100n);
    await tenant.compare(120);
    expect(await tenant.paidMicros()).toBe(120n);
    await tenant.use(10n);
    expect(await tenant.compare(120)).toMatchObject([
      {
        message:
          "For openai/gpt the provider invoices 120 micros of USD, and 90 were charged, and entries settled 40 since.",
        proposal: { direction: "give", amountMicros: "10" },
      },
    ]);
    expect(await tenant.paidMicros()).toBe(120n);
    // The same as before the last one but one: the entry of that time is no proof for this.
    for (const amount of [100, 120, 100, 120]) await tenant.compare(amount);
    expect(await tenant.paidMicros()).toBe(120n);
    expect(await tenant.compare(120)).toEqual([]);
  });

  it("is paid as its newest version says, whatever is used, corrected and applied before", async () => {
    const steps = fc.array(
      fc.record({
        kind: fc.constantFrom("use", "correct", "look"),
        micros: fc.integer({ min: 1, max: 200 }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 0, max: 200 }), async (asked, newest) => {
        await using tenant = await openTenant();
        for (const { kind, micros } of asked) {
          if (kind === "use") await tenant.use(BigInt(micros));
          else await tenant.compare(micros, { applies: kind === "correct" });
        }
        await tenant.compare(newest);
        expect(await tenant.paidMicros()).toBe(BigInt(newest));
        expect(await tenant.compare(newest)).toEqual([]);
        expect(await tenant.paidMicros()).toBe(BigInt(newest));
      }),
      { numRuns: 25 },
    );
  });

  it("is settled once by two comparisons at once", async () => {
    await using tenant = await openTenant();
    await tenant.use(80n);
    await Promise.all([tenant.compare(100), tenant.compare(100)]);
    expect(await tenant.paidMicros()).toBe(100n);
    // One takes, and what the other one would settle is left to the next.
    await Promise.all([tenant.compare(130), tenant.compare(150)]);
    await tenant.compare(150);
    expect(await tenant.paidMicros()).toBe(150n);
  });

  it.each([
    { what: "the invoice", usedMicros: 0n, amount: 120 },
    { what: "what was used", usedMicros: 10n, amount: 100 },
  ])("counts the entry of an earlier release where $what alone changed", async (changed) => {
    await using tenant = await openTenant();
    await tenant.use(80n);
    const { fromMs, untilMs } = window;
    const id = `reconcile-invoice-${hashOf(["openai/gpt", currency, fromMs, untilMs, 100n, 80n])}`;
    await tenant.fixture.ask({
      kind: "adjust",
      id,
      currency,
      direction: "take",
      amountMicros: 20n,
    });
    expect(await tenant.compare(100)).toEqual([]);
    if (changed.usedMicros > 0n) await tenant.use(changed.usedMicros);
    await tenant.compare(changed.amount);
    expect(await tenant.paidMicros()).toBe(BigInt(changed.amount));
  });

  it("is told and not settled where one of an overlapping time was", async () => {
    await using tenant = await openTenant();
    await tenant.use(80n);
    await tenant.compare(100);
    const longer = { fromMs: window.fromMs - 1 };
    const [difference, ...rest] = await tenant.compare(100, { more: longer });
    expect(rest).toEqual([]);
    expect(difference?.message).toContain("a time that overlaps this one was settled before");
    expect(difference).not.toHaveProperty("proposal");
    expect(difference?.evidence.at(-1)).toMatch(/^reconcile-invoice\/\d+-\d+\/[0-9a-f]{32}\/0$/);
    // Up to the moment at which the other one begins it is another time.
    const before = { fromMs: 0, untilMs: window.fromMs };
    expect(await tenant.compare(7, { more: before })).toMatchObject([
      { proposal: { direction: "take", amountMicros: "7" } },
    ]);
    expect(await tenant.paidMicros()).toBe(107n);
  });
});

it("proposes no entry where an invoice is in another currency than its uses", async () => {
  await using tenant = await openTenant();
  await tenant.use(80n);
  const lines = [{ provider: "openai", model: "gpt", currency: "credits", amountMicros: "70" }];
  const differences = await tenant.compare(0, { more: { lines } });
  expect(differences).toHaveLength(2);
  for (const difference of differences) {
    expect(difference).not.toHaveProperty("proposal");
    expect(difference.message).toContain("without a conversion");
  }
  expect(await tenant.paidMicros()).toBe(80n);
});
