/** What contracts find in an export is what reconciliation finds in the ledger, whatever was asked of it. */

import { checkSnapshot, contracts, readEvidence, snapshotOf } from "@faultline/contracts";
import type { LedgerDifference } from "@faultline/protocol";
import { openTestDatabase, seededRandom, type TestDatabase } from "@faultline/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#kernel/index.ts";
import type { TenantScope } from "#storage/index.ts";

import { openLedgerFixture } from "../test/ledger-fixture.ts";
import { RandomRequests } from "../test/random-requests.ts";
import { LedgerBooks } from "./ledger-books.ts";

const stack = new AsyncDisposableStack();
const { signal } = new AbortController();
const ledgerContracts = contracts.filter(({ id }) => id.startsWith("ledger/"));
let database: TestDatabase;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
afterAll(async () => await stack.disposeAsync());

type Told = Pick<LedgerDifference, "subject" | "message"> & { readonly kind: string };

async function found(books: LedgerBooks, scope: TenantScope, since?: string): Promise<Told[]> {
  const pieces = await books.exportLedger(scope, since === undefined ? {} : { since });
  const bytes = new TextEncoder().encode(pieces.join(""));
  const { evidence, unreadable } = readEvidence([{ name: "ledger", bytes }]);
  expect(unreadable).toEqual([]);
  const findings = checkSnapshot(snapshotOf(evidence), ledgerContracts);
  expect(findings.filter(({ verdict }) => verdict === "inconclusive")).toEqual([]);
  return findings
    .filter(({ verdict }) => verdict === "violated")
    .map(({ subject, title, measures }) => ({
      kind: String(measures["difference"]),
      subject: subject.name,
      message: title,
    }))
    .sort(byName);
}

function byName(left: Told, right: Told): number {
  const [one, other] = [left, right].map(({ kind, subject }) => `${kind} ${subject}`);
  return (one ?? "") < (other ?? "") ? -1 : 1;
}

test.each(["a", "b", "c", "d"])(
  "contracts and reconciliation say the same of a ledger: seed %s",
  async (seed) => {
    const tenantId = await database.createTenant(`export-${seed}`);
    const scope = { tenantId, signal };
    const random = seededRandom(seed);
    const requests = new RandomRequests(random.fork("requests"));
    let nowMs = systemClock.nowMs();
    const clock = { ...systemClock, nowMs: () => nowMs, every: () => {} };
    await using fixture = openLedgerFixture({ store: database.store, tenantId, clock });
    const books = new LedgerBooks({ store: database.store, clock });
    const moments = [nowMs];
    const kinds = new Set<string>();
    for (let group = 0; group < 60; group += 1) {
      const together = Array.from({ length: 1 + random.integer(8) }, () => requests.next(nowMs));
      await Promise.all(together.map((request) => fixture.ask(request)));
      nowMs += random.integer(20) === 0 ? 400_000 : random.integer(1_500);
      moments.push(nowMs);
      if (random.integer(6) > 0) continue;
      const told = (await books.differences(scope))
        .map(({ kind, subject, message }) => ({ kind, subject, message }))
        .sort(byName);
      expect(await found(books, scope)).toEqual(told);
      const since = moments[random.integer(moments.length)] ?? nowMs;
      // What is not in the window cannot be told of, and what is told is so of the whole ledger.
      const late = await found(books, scope, new Date(since).toISOString());
      for (const difference of late) expect(told).toContainEqual(difference);
      for (const { kind } of told) kinds.add(kind);
    }
    // Nothing that a ledger does by itself is a fault of its books.
    const byItself = ["debt-blocks", "hold-without-work", "lease-unread", "use-without-completion"];
    expect(byItself).toEqual(expect.arrayContaining([...kinds]));
  },
);
