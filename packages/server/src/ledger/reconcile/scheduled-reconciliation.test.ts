import { type LedgerDifference, parseTenantId, PlatformError } from "@faultline/protocol";
import { pino } from "pino";
import { expect, it } from "vitest";

import { assert, systemClock } from "#kernel/index.ts";

import { ScheduledReconciliation } from "./scheduled-reconciliation.ts";

const difference: LedgerDifference = {
  kind: "balance-differs",
  subject: "credit/USD",
  expectedMicros: "1",
  actualMicros: "2",
  message: "The entries of credit/USD sum to 1; its balance is 2.",
  evidence: ["credit/USD"],
};

const settled: LedgerDifference = {
  ...difference,
  proposal: { commandId: "settles", currency: "USD", direction: "give", amountMicros: "1" },
};

it("logs and counts what differs in every ledger in use and was not settled, and keeps the count when a run fails", async () => {
  const log: string[] = [];
  const tenantIds = ["one", "two"].map((name) => parseTenantId(name));
  const [first, second] = tenantIds;
  assert(first !== undefined && second !== undefined, "these are names of tenants");
  let isAway = false;
  const reconciliation = new ScheduledReconciliation({
    reconciliations: {
      async run({ tenantId }, { applies }) {
        if (isAway) throw new PlatformError("database_unavailable", "It is away.");
        const differences = tenantId === second ? [difference, difference, settled] : [];
        const applied = applies && differences.length > 0 ? ["settles"] : [];
        const run = { at: "2026-11-28T00:00:00Z", runId: "r" };
        return { ...run, differences, cut: [], applied, booked: [] };
      },
    },
    mayApply: (tenantId) => tenantId === second,
    tenants: () => [first, second],
    clock: { ...systemClock, every: () => {} },
    logger: pino({ level: "info" }, { write: (line: string) => void log.push(line) }),
    signal: new AbortController().signal,
  });
  await reconciliation.run();
  expect(reconciliation.differenceCount).toBe(2);
  expect(log.filter((line) => line.includes('"tenantId":"two"'))).toHaveLength(3);
  isAway = true;
  await reconciliation.run();
  expect(reconciliation.differenceCount).toBe(2);
  expect(log.at(-1)).toContain("was not reconciled");
});
