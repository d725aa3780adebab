/** A lease that was lost and given back, whose journal is found after all. */

import { spawnSync } from "node:child_process";
import { mkdtemp, rename, rm } from "node:fs/promises";

import { type Clock, createIds, systemClock, systemRandom } from "#kernel/index.ts";
import { LedgerBooks, Lending, Reconciliations } from "#ledger/index.ts";
import { openTestDatabase } from "@faultline/testkit";
import { expect, test } from "vitest";

// The ledger alone, without a gateway before it.
import { openLedgerFixture } from "../../ledger/test/ledger-fixture.ts";
import { readBootId } from "./process-mark.ts";
import { CreditRecovery } from "./recover-credit.ts";
import { usageFolderOf } from "./usage-files.ts";
import { UsageJournal } from "./usage-journal.ts";
import { admittedText, settledText } from "./usage-text.ts";
import { toTerms } from "./use-terms.ts";

const { signal } = new AbortController();
const life = { workerId: "gateway-0", epoch: 5 };
const leaseId = "gateway-0/5/lease1";
const currency = "USD";

test("what the journal shows is charged once, and what was given back too much is proposed to be taken, once", async () => {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await openTestDatabase());
  const { store, tenantId } = database;
  const folder = await mkdtemp("/tmp/faultline-found-");
  stack.defer(() => rm(folder, { recursive: true }));
  const usage = usageFolderOf(folder);
  let passedMs = 0;
  const startMs = systemClock.nowMs();
  const clock: Clock = {
    ...systemClock,
    nowMs: () => startMs + passedMs,
    monotonicMs: () => passedMs,
    every: () => {},
  };
  const fixture = stack.use(openLedgerFixture({ store, tenantId, clock }));
  const { ledger } = fixture;
  const ask: typeof fixture.ask = (request) => fixture.ask(request);
  await ask({ kind: "open-account", currency, limitMicros: 0n });
  await ask({
    kind: "grant",
    currency,
    amountMicros: 10_000n,
    priority: 0,
    expiresAtMs: undefined,
  });
  const lent = { currency, amountMicros: 1_000n, minimumMicros: 1_000n, budgets: [] };
  await ask({ kind: "lease", id: leaseId, ...life, ...lent, durationMs: 120_000 });
  writeJournal(usage, tenantId);
  // The disk is away when the worker has died.
  await rename(usage, `${usage} away`);
  const lending = new Lending({ ledger, store, signal });
  const recovery = new CreditRecovery({ lending, folder: usage, clock, log: () => {}, signal });
  const books = new LedgerBooks({ store, clock });
  const ids = createIds(clock, systemRandom);
  const reconciliations = new Reconciliations({ store, ledger, books, clock, ids });
  const scope = { tenantId, signal };
  const run = async (applies: boolean, cause: "schedule" | "request" = "request") => {
    const { differences } = await reconciliations.run(scope, { cause, applies, books: false });
    return differences.map(({ kind, proposal }) => [
      kind,
      `${proposal?.direction} ${proposal?.amountMicros}`,
    ]);
  };
  const balance = async (account: string): Promise<string> => {
    const { balances } = await books.balance(scope);
    return balances.find((one) => one.account === `${account}/USD`)?.balanceMicros ?? "0";
  };
  passedMs = 500_000;
  await recovery.collect();
  expect(await balance("usage:unread")).toBe("1000");
  expect(await run(true)).toEqual([["lease-unread", "give 1000"]]);
  expect(await balance("credit")).toBe("10000");
  expect(await run(false)).toEqual([]);

  await rename(`${usage} away`, usage);
  for (let round = 0; round < 3; round += 1) await recovery.collect();
  expect(await balance("usage:tokens")).toBe("100");
  expect(await balance("usage:unread")).toBe("900");
  expect(await balance("credit")).toBe("10000");
  // Whatever else is found until then, two who compare take by one id, which takes effect once.
  expect((await books.differences(scope))[0]?.proposal?.commandId).toBe(
    `reconcile-found/${leaseId}/0`,
  );
  expect(await run(true, "schedule")).toEqual([["lease-found", "take 100"]]);
  expect(await run(true)).toEqual([]);
  expect(await balance("credit")).toBe("9900");
});

/** One call that cost 30, and one that was open with a bound of 70. */
function writeJournal(folder: string, tenantId: SettledReserve["tenantId"]): void {
  const terms = toTerms({ usageKind: "tokens", attribution: {}, provider: "p", priceVersion: "v" });
  const journal = new UsageJournal({
    folder,
    life,
    bootId: readBootId(),
    processMark: `${spawnSync("true").pid}:1`,
    eventLoop: { idleMs: () => 0, afterPoll: () => {} },
    fileBytesMax: 1_000_000,
  });
  const reserve = { tenantId, reserveId: leaseId };
  journal.open();
  for (const usageId of ["ended", "open"])
    journal.admit(reserve, { terms, text: admittedText(usageId, 70) }, { onWritten: () => {} });
  journal.settle(reserve, { terms, text: settledText("ended", 30, undefined) });
  journal.close(false);
}

type SettledReserve = Parameters<UsageJournal["settle"]>[0];
