import { systemClock } from "#kernel/index.ts";
import { openTestDatabase } from "@faultline/testkit";
import { expect, it } from "vitest";

import { openLedgerFixture } from "../test/ledger-fixture.ts";
import type { UsageRecord } from "../worker/journal-charges.ts";
import { JournalDifferences } from "./compare-journals.ts";
import type { JournalSource, ReadJournals } from "./journal-source.ts";

const { signal } = new AbortController();
const currency = "USD";

it("finds what was never charged behind many uses that may still be reported", async () => {
  await using database = await openTestDatabase();
  const { store } = database;
  const tenantId = await database.createTenant("many-suspects");
  await using fixture = openLedgerFixture({ store, tenantId });
  await fixture.ask({ kind: "open-account", currency, limitMicros: 0n });
  const gift = { currency, amountMicros: 1_000n, priority: 0, expiresAtMs: undefined };
  await fixture.ask({ kind: "grant", ...gift });
  const lease = { kind: "lease", currency, amountMicros: 100n, minimumMicros: 100n } as const;
  const lent = { ...lease, epoch: 1, durationMs: 60_000, budgets: [] };
  await fixture.ask({ ...lent, id: "gateway-0/open", workerId: "gateway-0" });
  await fixture.ask({ ...lent, id: "gateway-1/ended", workerId: "gateway-1" });
  const returned = { leaseId: "gateway-1/ended", from: "worker", chargeCount: 0 } as const;
  const answer = await fixture.ask({ kind: "return-lease", ...returned });
  expect(answer.kind).not.toBe("refused");

  const settled = (leaseId: string, usageId: string): UsageRecord => ({
    kind: "settled",
    leaseId,
    charge: { usageId, usageKind: "tokens", amountMicros: 5n, attribution: {} },
  });
  const pages = [
    [settled("gateway-0/open", "tail-1"), settled("gateway-0/open", "tail-2")],
    [settled("gateway-0/open", "tail-3"), settled("gateway-1/ended", "uncharged-1")],
    [settled("gateway-1/ended", "uncharged-2")],
  ];
  const journals: JournalSource = {
    reservePrefix: "gateway-",
    async *read(): AsyncGenerator<readonly UsageRecord[], ReadJournals> {
      yield* pages;
      return { partialPrefixes: [] };
    },
  };
  const parts = { store, journals, clock: systemClock, suspectCountMax: 2 };
  const found = await new JournalDifferences(parts).differences({ tenantId, signal });
  expect(found.map(({ subject }) => subject)).toEqual(["uncharged-1", "uncharged-2"]);
});
