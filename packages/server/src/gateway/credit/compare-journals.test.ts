/** Journals of usage on disk beside the books of the ledger that lent for them. */

import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { type Clock, systemClock } from "#kernel/index.ts";
import { JournalDifferences } from "#ledger/index.ts";
import type { TenantId } from "@faultline/protocol";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

// The ledger alone, without a gateway before it.
import { type LedgerFixture, openLedgerFixture } from "../../ledger/test/ledger-fixture.ts";
import { readBootId } from "./process-mark.ts";
import { UsageJournals } from "./read-journals.ts";
import { UsageJournal } from "./usage-journal.ts";
import { admittedText, settledText } from "./usage-text.ts";
import { toTerms } from "./use-terms.ts";

const { signal } = new AbortController();
const life = { workerId: "gateway-0", epoch: 5 };
const leaseId = "gateway-0/5/lease1";
const terms = toTerms({ usageKind: "tokens", attribution: {}, provider: "p", priceVersion: "v" });
let database: TestDatabase;
let tenantId: TenantId;
let tenantCount = 0;
let folder = "";
let clock: Clock;
let passedMs = 0;
let ledger: LedgerFixture;
let journal: UsageJournal;

beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  tenantId = await database.createTenant(`journal-${(tenantCount += 1)}`);
  folder = await mkdtemp("/tmp/faultline-journals-");
  passedMs = 0;
  const startMs = systemClock.nowMs();
  clock = { ...systemClock, nowMs: () => startMs + passedMs, every: () => {} };
  ledger = openLedgerFixture({ store: database.store, tenantId, clock });
  await ledger.ask({ kind: "open-account", currency: "USD", limitMicros: 0n });
  const gift = { currency: "USD", amountMicros: 10_000n, priority: 0, expiresAtMs: undefined };
  await ledger.ask({ kind: "grant", ...gift });
  const lent = { currency: "USD", amountMicros: 1_000n, minimumMicros: 1_000n, budgets: [] };
  await ledger.ask({ kind: "lease", id: leaseId, ...life, ...lent, durationMs: 120_000 });
  journal = new UsageJournal({
    folder: path.join(folder, "usage"),
    life,
    bootId: readBootId(),
    processMark: "1:1",
    eventLoop: { idleMs: () => 0, afterPoll: () => {} },
    fileBytesMax: 400,
  });
  journal.open();
});
afterEach(async () => {
  await ledger[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Writes a use down as a worker does, and perhaps reports it. */
async function use(usageId: string, micros: number, reports: boolean): Promise<void> {
  const reserve = { tenantId, reserveId: leaseId };
  journal.admit(reserve, { terms, text: admittedText(usageId, 90) }, { onWritten: () => {} });
  journal.flush();
  journal.settle(reserve, { terms, text: settledText(usageId, micros, undefined) });
  journal.flush();
  if (reports) await report(usageId, micros);
}

function report(usageId: string, micros: number) {
  const charge = { usageId, usageKind: "tokens", amountMicros: BigInt(micros), attribution: {} };
  return ledger.ask({ kind: "report-lease", leaseId, charges: [charge] });
}

async function found(bytesMax?: number): Promise<(string | undefined)[][]> {
  const options = bytesMax === undefined ? {} : { bytesMax };
  const journals = new UsageJournals(folder, options);
  const comparison = new JournalDifferences({ store: database.store, journals, clock });
  const differences = await comparison.differences({ tenantId, signal });
  return differences.map(({ kind, subject, expectedMicros, actualMicros, proposal }) => [
    kind,
    subject,
    `${expectedMicros} ${actualMicros}`,
    proposal === undefined ? undefined : `${proposal.direction} ${proposal.amountMicros}`,
  ]);
}

const filesOf = async (): Promise<string[]> =>
  (await readdir(path.join(folder, "usage")))
    .toSorted()
    .map((name) => path.join(folder, "usage", name));

describe("journals on disk and the ledger", () => {
  it("agree while a worker lives, writes, and has not reported its tail", async () => {
    for (let index = 0; index < 8; index += 1) await use(`told${index}`, 40, true);
    await use("tail", 40, false);
    const files = await filesOf();
    expect(files.length).toBeGreaterThan(2);
    // It is in the midst of a line.
    await appendFile(files.at(-1) ?? "", '0123abcd [{"tenantId');
    passedMs = 60_000;
    const before = await Promise.all(files.map((file) => readFile(file)));
    expect(await found()).toEqual([]);
    expect(await Promise.all(files.map((file) => readFile(file)))).toEqual(before);
  });

  it("differ by a use that was written down and never charged, once its lease has ended", async () => {
    await use("told", 40, true);
    await use("lost", 25, false);
    expect(await found()).toEqual([]);
    passedMs = 121_000;
    await ledger.ask({ kind: "return-lease", leaseId, from: "journal", chargeCount: 1 });
    expect(await found()).toEqual([["journal-differs", "lost", "25 0", "take 25"]]);
  });

  it("differ by a use that was charged with another amount", async () => {
    await use("dear", 40, false);
    await report("dear", 70);
    expect(await found()).toEqual([["journal-differs", "dear", "40 70", "give 30"]]);
  });

  it("differ by what was counted beyond the use of a hold whose journal could not be read", async () => {
    const holdId = "gateway-0/5/hold1";
    const held = { currency: "USD", amountMicros: 90n, attribution: {}, durationMs: 60_000 };
    await ledger.ask({ kind: "hold", id: holdId, ...held });
    const reserve = { tenantId, reserveId: holdId };
    journal.admit(reserve, { terms, text: admittedText("found", 90) }, { onWritten: () => {} });
    journal.settle(reserve, { terms, text: settledText("found", 25, undefined) });
    journal.flush();
    const charge = { usageId: `${holdId}/unread`, usageKind: "unread", amountMicros: 90n };
    await ledger.ask({ kind: "settle", holdId, charge, isFinal: true });
    expect(await found()).toEqual([["journal-differs", "found", "25 90", "give 65"]]);
  });

  it("differ by uses of an open lease that its journal does not tell of", async () => {
    await use("told", 40, true);
    await report("secret", 33);
    await report("free", 0);
    // What was charged just now may not be committed yet.
    expect(await found()).toEqual([]);
    passedMs = 31_000;
    expect(await found()).toEqual([["journal-differs", leaseId, "40 73", undefined]]);
  });

  it("are read to their end where nothing stands behind the heading of the last file", async () => {
    for (let index = 0; index < 8; index += 1) await use(`told${index}`, 40, true);
    await report("secret", 33);
    passedMs = 31_000;
    const files = await filesOf();
    const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
    const last = path.join(folder, "usage", "gateway-0.5.000999.usage");
    await writeFile(last, texts[0]?.slice(0, texts[0].indexOf("\n") + 1) ?? "");
    // Exhausted by the one before.
    const bytesMax = texts.reduce((sum, text) => sum + text.length, -1);
    expect(await found(bytesMax)).toEqual([["journal-differs", leaseId, "320 353", undefined]]);
    await appendFile(last, "01");
    expect(await found(bytesMax)).toEqual([]);
  });

  it("say nothing of what lies in files that are damaged, or beyond what is read at once", async () => {
    for (let index = 0; index < 8; index += 1) await use(`told${index}`, 40, true);
    passedMs = 31_000;
    expect(await found(500)).toEqual([]);
    const [first = ""] = await filesOf();
    const text = await readFile(first, "utf8");
    await writeFile(first, text.replace('"admitted":[["told0"', '"admitted":[["tolb0"'));
    expect(await found()).toEqual([]);
    await rm(first);
    expect(await found()).toEqual([["journal-differs", leaseId, "280 320", undefined]]);
  });
});
