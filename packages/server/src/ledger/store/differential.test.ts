import { openTestDatabase, seededRandom, type TestDatabase } from "@faultline/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#kernel/index.ts";

import { decide } from "../rules/decide.ts";
import { brokenInvariants } from "../rules/invariants.ts";
import { emptyLedger, type LedgerState } from "../rules/ledger-state.ts";
import type { BudgetShare, Hold, Lease } from "../rules/types.ts";
import type { LedgerAnswer, LedgerRequest } from "../service/ledger-request.ts";
import { disagreeingGroups } from "../test/disagreeing-groups.ts";
import { openLedgerFixture } from "../test/ledger-fixture.ts";
import { RandomRequests } from "../test/random-requests.ts";
import { loadLedger } from "./load-ledger.ts";

const stack = new AsyncDisposableStack();
const { signal } = new AbortController();
let database: TestDatabase;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
afterAll(async () => await stack.disposeAsync());

/** What a ledger in memory and one that was read from the database must agree on. */
function essence(state: LedgerState): object {
  // A ledger that was read finds the budgets of a hold in another order than the one in which they were set.
  const open = (records: ReadonlyMap<string, Hold | Lease>) =>
    [...records.entries()]
      .filter(([, record]) => record.state === "open")
      .map(([id, record]) => [id, { ...record, budgets: byBudget(record.budgets) }] as const)
      .sort(byId);
  return {
    balances: [...state.balances].filter(([, micros]) => micros !== 0n).sort(byId),
    accounts: [...state.accounts].sort(byId),
    lots: [...state.lots].filter(([, lot]) => lot.remainingMicros > 0n).sort(byId),
    holds: open(state.holds),
    leases: open(state.leases),
    openHoldCount: state.openHoldCount,
    workerEpochs: [...state.workerEpochs].sort(byId),
    budgets: [...state.budgets]
      .map(([id, { terms, counts }]) => [id, terms, [...counts].sort(([a], [b]) => a - b)] as const)
      .sort(byId),
  };
}

function byBudget(shares: readonly BudgetShare[]): BudgetShare[] {
  const key = ({ budgetId, windowStartMs }: BudgetShare) => `${budgetId} ${windowStartMs}`;
  return shares.toSorted((left, right) => (key(left) < key(right) ? -1 : 1));
}

function byId(left: readonly [string, ...unknown[]], right: readonly [string, ...unknown[]]) {
  return left[0] < right[0] ? -1 : 1;
}

test.each(["a", "b", "c"])(
  "the service answers as the rules do, and the database holds what they lead to: seed %s",
  async (seed) => {
    const tenantId = await database.createTenant(`seed-${seed}`);
    const random = seededRandom(seed);
    const requests = new RandomRequests(random.fork("requests"));
    let nowMs = systemClock.nowMs();
    const clock = { ...systemClock, nowMs: () => nowMs, every: () => {} };
    let fixture = openLedgerFixture({ store: database.store, tenantId, clock });
    const model = emptyLedger();

    for (let group = 0; group < 60; group += 1) {
      const together: LedgerRequest[] = Array.from({ length: 1 + random.integer(8) }, () =>
        requests.next(nowMs),
      );
      const expected = together.map((request) => decide(model, { ...request, atMs: nowMs }).answer);
      const answers = await Promise.all(together.map((request) => fixture.ask(request)));
      expect(answers.map((answer) => sorted(answer))).toEqual(
        expected.map((answer) => sorted(answer)),
      );
      expect(await database.sql(disagreeingGroups)).toEqual([]);
      nowMs += random.integer(20) === 0 ? 400_000 : random.integer(1_500);
      if (random.integer(6) > 0) continue;
      // Whoever reads the ledger now is its writer, so the fixture's is fenced and reads it anew; or another takes its place.
      const wanted = { commandIds: [], holdIds: [], usageIds: [] };
      const { state } = await loadLedger(database.store, { tenantId, signal }, wanted);
      expect(essence(state)).toEqual(essence(model));
      expect(brokenInvariants(state)).toEqual([]);
      if (random.integer(2) === 0) continue;
      await fixture[Symbol.asyncDispose]();
      fixture = openLedgerFixture({ store: database.store, tenantId, clock });
    }
    await fixture[Symbol.asyncDispose]();
    await expectSums(tenantId);
  },
);

/** In which order a sweep ends things means nothing. */
function sorted(answer: LedgerAnswer): LedgerAnswer {
  if (answer.kind === "holds-expired") return { ...answer, holdIds: answer.holdIds.toSorted() };
  if (answer.kind === "lots-expired") return { ...answer, lotIds: answer.lotIds.toSorted() };
  return answer;
}

/** What can be told without the rules: every balance is the sum of its transfers, and each transfer is of one command. */
async function expectSums(tenantId: string): Promise<void> {
  const wrong = await database.sql(
    `select id, balance_micros, sum from ledger_account join lateral (
       select coalesce(sum(case when to_account = id then amount_micros else -amount_micros end), 0) as sum
       from ledger_transfer t where t.tenant_id = ledger_account.tenant_id and id in (from_account, to_account)) s on true
     where tenant_id = $1 and sum <> balance_micros`,
    [tenantId],
  );
  expect(wrong).toEqual([]);
  const [sums] = await database.sql<Record<string, boolean>>(
    `select
       (select coalesce(sum(balance_micros), 0) = 0 from ledger_account where tenant_id = $1) as zero,
       (select coalesce(sum(transfer_count), 0) from ledger_command where tenant_id = $1) =
         (select count(*) from ledger_transfer where tenant_id = $1) as counted,
       not exists (select from ledger_command c join ledger_transfer t using (tenant_id)
         where tenant_id = $1 and t.sequence >= first_sequence and t.sequence < first_sequence + transfer_count
           and t.command_id <> c.id) as own`,
    [tenantId],
  );
  expect(sums).toEqual({ zero: true, counted: true, own: true });
}
