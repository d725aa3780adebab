/** The word of a worker that comes late, beside reconciliations that find what it did in its journal. */

import { createIds, systemClock, systemRandom } from "#kernel/index.ts";
import { openTestDatabase } from "@faultline/testkit";
import * as fc from "fast-check";
import { expect, it } from "vitest";

import { LedgerBooks } from "../books/ledger-books.ts";
import { openLedgerFixture } from "../test/ledger-fixture.ts";
import type { UsageRecord } from "../worker/journal-charges.ts";
import { JournalDifferences } from "./compare-journals.ts";
import type { DifferenceSource } from "./difference-source.ts";
import type { JournalSource, ReadJournals } from "./journal-source.ts";
import { Reconciliations } from "./reconciliations.ts";

const { signal } = new AbortController();
const currency = "USD";
const reserveId = "gateway-0/1/hold";
const charge = { usageId: "use", usageKind: "tokens", amountMicros: 25n, attribution: {} } as const;
const records: readonly UsageRecord[] = [
  { kind: "admitted", leaseId: reserveId, bound: { ...charge, amountMicros: 90n } },
  { kind: "settled", leaseId: reserveId, charge },
];
const journals: JournalSource = {
  reservePrefix: "gateway-0/",
  async *read(): AsyncGenerator<readonly UsageRecord[], ReadJournals> {
    yield records;
    return { partialPrefixes: [] };
  },
};
/** A reserve that ended without its use: a hold that ran out, or a lease that was given back too early. */
const reserves = {
  hold: [{ kind: "hold", id: reserveId, amountMicros: 90n, durationMs: 60_000, attribution: {} }],
  lease: [
    { kind: "lease", id: reserveId, workerId: "gateway-0", epoch: 1, durationMs: 60_000 },
    { kind: "return-lease", leaseId: reserveId, from: "journal", chargeCount: 0 },
  ],
} as const;
const lent = { amountMicros: 90n, minimumMicros: 90n, budgets: [] };

const steps = fc.array(fc.constantFrom("late", "late again", "compare", "apply"), {
  minLength: 1,
  maxLength: 6,
});

it("is charged once, by whichever comes first", async () => {
  await using database = await openTestDatabase();
  const { store } = database;
  let tenantCount = 0;
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.constantFrom("hold" as const, "lease" as const),
      fc.scheduler(),
      async (asked, reserve, scheduler) => {
        const tenantId = await database.createTenant(`late-${(tenantCount += 1)}`);
        let passedMs = 0;
        const startMs = systemClock.nowMs();
        const nowMs = (): number => startMs + passedMs;
        const clock = { ...systemClock, nowMs, every: () => {} };
        await using fixture = openLedgerFixture({ store, tenantId, clock });
        const scope = { tenantId, signal };
        await fixture.ask({ kind: "open-account", currency, limitMicros: 0n });
        const gift = { currency, amountMicros: 10_000n, priority: 0, expiresAtMs: undefined };
        await fixture.ask({ kind: "grant", ...gift });
        const [first, ...others] = reserves[reserve];
        await fixture.ask(
          reserve === "lease" ? { currency, ...lent, ...first } : { currency, ...first },
        );
        passedMs = 7_200_000;
        for (const other of others) await fixture.ask(other);
        await fixture.ask({ kind: "expire-holds" });

        let isRacing = true;
        const inner = new JournalDifferences({ store, journals, clock });
        // Whatever was found may be settled by another before its entry is made.
        const source: DifferenceSource = {
          async differences(asking) {
            const found = await inner.differences(asking);
            if (isRacing) await scheduler.schedule(Promise.resolve(), "found");
            return found;
          },
        };
        const reconciliations = new Reconciliations({
          store,
          ledger: fixture.ledger,
          books: new LedgerBooks({ store, clock }),
          sources: [source],
          clock,
          ids: createIds(clock, systemRandom),
        });
        const late = (id: string) =>
          reserve === "hold"
            ? fixture.ask({ kind: "settle", id, holdId: reserveId, charge, isFinal: true })
            : fixture.ask({ kind: "report-lease", id, leaseId: reserveId, charges: [charge] });
        const take = (step: (typeof asked)[number]): Promise<unknown> => {
          if (step === "late" || step === "late again") return late(step);
          const applies = step === "apply";
          return reconciliations.run(scope, { cause: "request", applies, books: false });
        };
        const work = asked.map(async (step) => {
          await scheduler.schedule(Promise.resolve(), step);
          await take(step);
        });
        await scheduler.waitFor(Promise.all(work));
        isRacing = false;
        await reconciliations.run(scope, { cause: "request", applies: true, books: false });

        const { accounts } = await new LedgerBooks({ store, clock }).balance(scope);
        expect(accounts[0]).toMatchObject({ availableMicros: "9975", usedMicros: "25" });
        const rest = await reconciliations.run(scope, {
          cause: "request",
          applies: false,
          books: false,
        });
        expect(rest.differences).toEqual([]);
      },
    ),
    { numRuns: 40 },
  );
});
