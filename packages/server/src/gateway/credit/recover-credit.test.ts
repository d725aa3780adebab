/** What becomes of a dead worker's credit, by the state in which its journal is found. */

import { spawnSync } from "node:child_process";
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";

import { type Clock, systemClock } from "#kernel/index.ts";
import { type LeaseCharge, Lending } from "#ledger/index.ts";
import type { TenantId } from "@faultline/protocol";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

// The ledger alone, without a gateway before it.
import { type LedgerFixture, openLedgerFixture } from "../../ledger/test/ledger-fixture.ts";
import { CreditControl } from "./credit-control.ts";
import { readBootId } from "./process-mark.ts";
import { CreditRecovery } from "./recover-credit.ts";
import { UsageJournal } from "./usage-journal.ts";
import { admittedText, type Reserve, settledText } from "./usage-text.ts";
import { toTerms } from "./use-terms.ts";

const { signal } = new AbortController();
const life = { workerId: "gateway-0", epoch: 5 };
const leaseMs = 120_000;
const holdMs = 900_000;
const graceMs = 300_000;
/** Shortly before the ledger lets go of what is open. */
const aheadMs = 20_000;
const stack = new AsyncDisposableStack();
let database: TestDatabase;
let tenantId: TenantId;
let tenantCount = 0;
let folder = "";
let fixture: LedgerFixture;
let clock: Clock;
let passedMs = 0;
let recovery: CreditRecovery;
let lending: Lending;
let said: string[] = [];

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
afterAll(() => stack.disposeAsync());
beforeEach(async () => {
  tenantId = await database.createTenant(`left-${(tenantCount += 1)}`);
  folder = await mkdtemp("/tmp/faultline-recovery-");
  said = [];
  passedMs = 0;
  const startMs = systemClock.nowMs();
  clock = {
    ...systemClock,
    nowMs: () => startMs + passedMs,
    monotonicMs: () => passedMs,
    every: () => {},
  };
  const { store } = database;
  fixture = openLedgerFixture({ store, tenantId, clock });
  lending = new Lending({ ledger: fixture.ledger, store, signal });
  recovery = newRecovery();
  await fixture.ask({ kind: "open-account", currency: "USD", limitMicros: 0n });
  const gift = { currency: "USD", amountMicros: 10_000n, priority: 0, expiresAtMs: undefined };
  await fixture.ask({ kind: "grant", ...gift });
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function newRecovery(): CreditRecovery {
  const log = (message: string): void => void said.push(message);
  // Others of the database are not our concern: their journals lie elsewhere.
  const own: ConstructorParameters<typeof CreditRecovery>[0]["lending"] = {
    submit: (...given) => lending.submit(...given),
    unreadLeases: (...given) => lending.unreadLeases(...given),
    openReserves: async (...given) => {
      const { reserves, isWhole } = await lending.openReserves(...given);
      return { reserves: reserves.filter((one) => one.tenantId === tenantId), isWhole };
    },
  };
  return new CreditRecovery({ lending: own, folder, clock, log, signal });
}

async function balances(): Promise<Record<string, number>> {
  const rows = await database.sql<{ id: string; micros: string }>(
    "select id, balance_micros::text as micros from ledger_account where tenant_id = $1 and balance_micros <> 0",
    [tenantId],
  );
  return Object.fromEntries(rows.map(({ id, micros }) => [id.split("/")[0], Number(micros)]));
}

const charge = (usageId: string, micros: number): LeaseCharge => ({
  usageId,
  usageKind: "tokens",
  amountMicros: BigInt(micros),
  attribution: {},
});

/** The mark of a process that has ended. */
function deadMark(): string {
  return `${spawnSync("true").pid}:1`;
}

function openJournal(options: { readonly bootId?: string; readonly fileBytesMax?: number }) {
  const journal = new UsageJournal({
    folder,
    life,
    bootId: readBootId(),
    processMark: deadMark(),
    eventLoop: { idleMs: () => 0, afterPoll: () => {} },
    fileBytesMax: 1_000_000,
    ...options,
  });
  journal.open();
  return journal;
}

const useTerms = toTerms({
  usageKind: "tokens",
  attribution: {},
  provider: "p",
  priceVersion: "v",
});

/** Writes down that a use begins, in a line of its own. */
function admit(
  journal: UsageJournal,
  reserve: Reserve,
  { usageId, micros }: { readonly usageId: string; readonly micros: number },
): void {
  const use = { terms: useTerms, text: admittedText(usageId, micros) };
  journal.admit(reserve, use, { onWritten: () => {} });
  journal.flush();
}

/** A worker that had a lease of 1,000 and two holds of 200, and died in the midst of calls. */
async function dieAtWork(
  options: { readonly bootId?: string; readonly fileBytesMax?: number } = {},
): Promise<void> {
  const prefix = `${life.workerId}/${life.epoch}`;
  const leaseId = `${prefix}/lease1`;
  const terms = { currency: "USD", amountMicros: 1_000n, minimumMicros: 1_000n, budgets: [] };
  await fixture.ask({ kind: "lease", id: leaseId, ...life, ...terms, durationMs: leaseMs });
  const [asked, unasked] = [`${prefix}/hold1`, `${prefix}/hold2`];
  const held = { currency: "USD", amountMicros: 200n, durationMs: holdMs, attribution: {} };
  for (const id of [asked, unasked]) await fixture.ask({ kind: "hold", id, ...held });
  const journal = openJournal(options);
  const reserve = { tenantId, reserveId: leaseId };
  admit(journal, reserve, { usageId: "ended", micros: 50 });
  admit(journal, reserve, { usageId: "open", micros: 70 });
  admit(journal, { tenantId, reserveId: asked }, { usageId: "held", micros: 200 });
  journal.settle(reserve, { terms: useTerms, text: settledText("ended", 30, undefined) });
  journal.flush();
  journal.close(false);
}

async function journalFile(index = 0): Promise<string> {
  return path.join(folder, (await readdir(folder)).toSorted()[index] ?? "");
}

async function collectAt(ms: number): Promise<Record<string, number>> {
  passedMs = ms;
  await recovery.collect();
  return balances();
}

const atWork = { grants: -10_000, credit: 8_600, holds: 1_400 };

test("a whole journal tells what was used, and the rest of the lease is free from its deadline on", async () => {
  await dieAtWork();
  const told = { grants: -10_000, "usage:tokens": 300 };
  // The hold of which nothing was written was not used. The lease might still be, by what we know of its worker.
  expect(await collectAt(1_000)).toEqual({ ...told, credit: 8_800, holds: 900 });
  expect(await collectAt(leaseMs + 1)).toEqual({ ...told, credit: 9_700 });
  await collectAt(leaseMs + 2_000);
  await collectAt(leaseMs + 62_000);
  expect(await readdir(folder)).toEqual([]);
});

test("a lease is free at once when a later life of its worker has one", async () => {
  await dieAtWork();
  const next = { ...life, epoch: 6, currency: "USD", amountMicros: 1n, minimumMicros: 1n };
  const id = "gateway-0/6/lease1";
  await fixture.ask({ kind: "lease", id, ...next, budgets: [], durationMs: leaseMs });
  expect(await collectAt(1_000)).toMatchObject({ "usage:tokens": 300, holds: 1 });
});

test("leases of two tenants that bear the same id are each charged what was used of them", async () => {
  const first = tenantId;
  const second = await database.createTenant(`other-${tenantCount}`);
  const gift = { currency: "USD", amountMicros: 10_000n, priority: 0, expiresAtMs: undefined };
  await fixture.ask({ kind: "open-account", currency: "USD", limitMicros: 0n }, second);
  await fixture.ask({ kind: "grant", ...gift }, second);
  const leaseId = `${life.workerId}/${life.epoch}/lease1`;
  const amounts = { amountMicros: 1_000n, minimumMicros: 1_000n, budgets: [], durationMs: leaseMs };
  const lease = { kind: "lease", id: leaseId, ...life, currency: "USD", ...amounts } as const;
  for (const tenant of [first, second]) await fixture.ask(lease, tenant);
  const journal = openJournal({});
  for (const [tenant, micros] of [
    [first, 30],
    [second, 900],
  ] as const) {
    admit(journal, { tenantId: tenant, reserveId: leaseId }, { usageId: `of ${tenant}`, micros });
  }
  journal.close(false);
  await collectAt(leaseMs + 1);
  expect(await balances()).toMatchObject({ "usage:tokens": 30, credit: 9_970 });
  tenantId = second;
  await collectAt(leaseMs + 2);
  expect(await balances()).toMatchObject({ "usage:tokens": 900, credit: 9_100 });
});

test("a lease goes back although the ledger knows of uses that its journal could not take", async () => {
  await dieAtWork();
  const charges = [charge("unwritten", 0)];
  await fixture.ask({ kind: "report-lease", leaseId: "gateway-0/5/lease1", charges });
  await collectAt(1_000);
  expect(await collectAt(leaseMs + 1)).toMatchObject({ "usage:tokens": 300, credit: 9_700 });
});

test("a torn line at the end was of a call that had not begun", async () => {
  await dieAtWork();
  await appendFile(await journalFile(), '1a2b3c4d [{"tenantId":"x');
  await collectAt(1_000);
  expect(await collectAt(leaseMs + 1)).toMatchObject({ "usage:tokens": 300, credit: 9_700 });
});

test("a journal of several files is read through all of them", async () => {
  await dieAtWork({ fileBytesMax: 100 });
  expect(await readdir(folder)).toHaveLength(4);
  await collectAt(1_000);
  expect(await collectAt(leaseMs + 1)).toMatchObject({ "usage:tokens": 300, credit: 9_700 });
});

/** Nothing moves as long as the journal may be found; then all that was lent is spent, by name as far as it is known. */
async function expectSpent(namedMicros: number, heldIsNamed: boolean): Promise<void> {
  expect(await collectAt(1_000)).toEqual(atWork);
  expect(await collectAt(leaseMs + graceMs - aheadMs - 1)).toEqual(atWork);
  const lease = await collectAt(leaseMs + graceMs);
  const named = namedMicros === 0 ? {} : { "usage:tokens": namedMicros };
  const unread = 1_000 - namedMicros;
  expect(lease).toEqual({ ...atWork, holds: 400, ...named, "usage:unread": unread });
  expect(await collectAt(holdMs - aheadMs - 1)).toEqual(lease);
  const all = await collectAt(holdMs - aheadMs);
  const held = heldIsNamed ? 200 : 0;
  expect(all).toEqual({
    grants: -10_000,
    credit: 8_600,
    ...(namedMicros + held === 0 ? {} : { "usage:tokens": namedMicros + held }),
    "usage:unread": unread + 400 - held,
  });
  // Nobody hears of it every second.
  expect(said.filter((one) => one.includes("counts as spent"))).toHaveLength(1);
}

test("a flipped bit spends what was lent; the lines that are whole say for what", async () => {
  await dieAtWork();
  const file = await journalFile();
  const bytes = await readFile(file);
  // In the line of the call that was open.
  const place = bytes.indexOf('"open"') + 1;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  await writeFile(file, bytes);
  await expectSpent(30, true);
});

test("an empty journal spends what was lent", async () => {
  await dieAtWork();
  await truncate(await journalFile());
  await expectSpent(0, false);
});

test("foreign bytes behind the lines spend what was lent", async () => {
  await dieAtWork();
  await appendFile(await journalFile(), Buffer.alloc(512));
  await expectSpent(100, true);
});

test("a file of foreign bytes spends what was lent", async () => {
  await dieAtWork();
  await writeFile(await journalFile(), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 10, 10, 0, 255]));
  await expectSpent(0, false);
});

test("a damaged heading in the second file spends what was lent", async () => {
  await dieAtWork({ fileBytesMax: 100 });
  const file = await journalFile(1);
  await writeFile(file, (await readFile(file, "utf8")).replace("usage 2", "usage 7"));
  await expectSpent(100, true);
});

test("a lost journal spends what was lent, and one that is found in time does not", async () => {
  await dieAtWork();
  const file = await journalFile();
  const text = await readFile(file);
  await rm(file);
  expect(await collectAt(1_000)).toEqual(atWork);
  await writeFile(file, text);
  await collectAt(10_000);
  expect(await collectAt(leaseMs + 1)).toEqual({
    grants: -10_000,
    "usage:tokens": 300,
    credit: 9_700,
  });
});

test("a journal that is lost for good spends what was lent", async () => {
  await dieAtWork();
  await rm(await journalFile());
  await expectSpent(0, false);
});

test("after another start of the machine what the journal tells stands, and the rest is spent", async () => {
  await dieAtWork({ bootId: "another" });
  const told = { grants: -10_000, credit: 8_600, "usage:tokens": 300 };
  expect(await collectAt(1_000)).toEqual({ ...told, holds: 1_100 });
  expect(await collectAt(leaseMs + graceMs)).toEqual({ ...told, holds: 200, "usage:unread": 900 });
  expect(await collectAt(holdMs - aheadMs)).toEqual({ ...told, "usage:unread": 1_100 });
});

test("what an earlier control process left ends before the sweeper frees it", async () => {
  await dieAtWork();
  await rm(await journalFile());
  passedMs = holdMs + 3_600_000;
  const { store } = database;
  await fixture[Symbol.asyncDispose]();
  fixture = openLedgerFixture({ store, tenantId, clock });
  lending = new Lending({ ledger: fixture.ledger, store, signal });
  recovery = newRecovery();
  const gift = { currency: "USD", amountMicros: 1n, priority: 0, expiresAtMs: undefined };
  await fixture.ask({ kind: "grant", ...gift });
  passedMs += 4_000;
  fixture.ledger.sweep();
  await recovery.collect();
  expect(await balances()).toEqual({ grants: -10_001, credit: 8_601, "usage:unread": 1_400 });
});

test("a life begins in a later epoch than all before it, also when the clock was set back", async () => {
  await dieAtWork();
  const epoch = clock.nowMs() + 1_000_000_000;
  const next = { workerId: "gateway-1", epoch, currency: "USD", budgets: [], durationMs: leaseMs };
  const amounts = { amountMicros: 1n, minimumMicros: 1n };
  await fixture.ask({ kind: "lease", id: `gateway-1/${epoch}/lease1`, ...next, ...amounts });
  const control = new CreditControl({
    source: { lending },
    journalFolder: folder,
    clock,
    send: () => {},
    log: () => {},
    signal,
  });
  await control.open(signal);
  const [first, second] = [control.startOf(1).life.epoch, control.startOf(1).life.epoch];
  expect(first).toBeGreaterThan(epoch);
  expect(second).toBeGreaterThan(first);
});
