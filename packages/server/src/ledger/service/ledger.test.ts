import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { Registry } from "prom-client";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { chargeOf, type LedgerFixture, openLedgerFixture } from "../test/ledger-fixture.ts";
import { registerLedgerMetrics } from "./ledger-metrics.ts";

const stack = new AsyncDisposableStack();
let database: TestDatabase;
let tenant: TestDatabase["tenantId"];
let fixture: LedgerFixture;
let tenantCount = 0;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
beforeEach(async () => {
  tenant = await database.createTenant(`tenant-${(tenantCount += 1)}`);
  fixture = open();
});
afterAll(async () => await stack.disposeAsync());

const open = (): LedgerFixture =>
  stack.use(openLedgerFixture({ store: database.store, tenantId: tenant }));
const openAccount = async (limitMicros = 0n) =>
  await fixture.ask({ kind: "open-account", currency: "USD", limitMicros });
const grant = async (amountMicros: bigint, more: object = {}) =>
  await fixture.ask({
    kind: "grant",
    currency: "USD",
    amountMicros,
    priority: 0,
    expiresAtMs: undefined,
    ...more,
  });
const hold = async (id: string, amountMicros: bigint, more: object = {}) =>
  await fixture.ask({
    kind: "hold",
    id,
    currency: "USD",
    amountMicros,
    durationMs: 60_000,
    attribution: {},
    ...more,
  });
const settle = async (id: string, holdId: string, amountMicros: bigint) =>
  await fixture.ask({
    kind: "settle",
    id,
    holdId,
    charge: chargeOf(`use-${id}`, amountMicros),
    isFinal: true,
  });
const balances = async (): Promise<Record<string, string>> => {
  const rows = await database.sql<{ id: string; balance: string }>(
    "select id, balance_micros::text as balance from ledger_account where tenant_id = $1 and balance_micros <> 0 order by id",
    [tenant],
  );
  return Object.fromEntries(rows.map(({ id, balance }) => [id, balance]));
};

test("a hold that is settled in part charges that part and gives the rest back, in the database", async () => {
  await openAccount();
  await grant(1_000n, { id: "lot" });
  expect(await hold("h", 600n)).toMatchObject({ kind: "held", holdId: "h" });
  expect(await balances()).toEqual({
    "credit/USD": "400",
    "grants/USD": "-1000",
    "holds/USD": "600",
  });
  expect(await settle("s", "h", 250n)).toMatchObject({ chargedMicros: 250n, releasedMicros: 350n });
  expect(await balances()).toEqual({
    "credit/USD": "750",
    "grants/USD": "-1000",
    "usage:tokens/USD": "250",
  });
});

test("another writer goes on where the first one was, with every open hold, lot, budget and lease", async () => {
  await openAccount(100n);
  await grant(1_000n, { id: "soon", expiresAtMs: Date.now() + 3_600_000 });
  await grant(500n, { id: "late" });
  await fixture.ask({
    kind: "set-budget",
    terms: {
      budgetId: "b",
      currency: "USD",
      scope: { kind: "tenant" },
      window: { kind: "day" },
      limitMicros: 5_000n,
      isHard: true,
      thresholdPercents: [10],
    },
    spentMicros: 0n,
  });
  await hold("h", 1_200n);
  await hold("ended", 10n);
  await settle("s", "ended", 10n);
  await fixture.ask({
    kind: "lease",
    id: "l",
    workerId: "w",
    epoch: 3,
    currency: "USD",
    amountMicros: 100n,
    minimumMicros: 10n,
    durationMs: 60_000,
    budgets: [],
  });
  const before = fixture.ledger.stateOf(tenant);
  const second = open();
  // Names everything that ended, so that the second writer reads that too.
  await second.ask({ kind: "release", id: "r", holdId: "ended" });
  const after = second.ledger.stateOf(tenant);
  const comparable = (state: typeof before): object => {
    const { commands: _commands, uses: _uses, timeMs: _timeMs, ...rest } = { ...state };
    return rest;
  };
  expect(comparable(after)).toEqual(comparable(before));
});

test("a command that is repeated has the same answer and moves nothing, also with another writer", async () => {
  await openAccount();
  await grant(1_000n);
  const first = await hold("h", 600n);
  expect(await hold("h", 600n)).toEqual(first);
  fixture = open();
  expect(await hold("h", 600n)).toEqual(first);
  expect(await balances()).toMatchObject({ "credit/USD": "400", "holds/USD": "600" });
  expect(await hold("h", 601n)).toMatchObject({ kind: "refused", code: "ledger_id_reused" });
});

test("an id that left the memory is found in the database, and the batch that met it is decided anew", async () => {
  await openAccount();
  await grant(1_000n);
  const first = await hold("h", 100n);
  await settle("s", "h", 40n);
  // As after a hundred thousand other commands.
  fixture.ledger.stateOf(tenant)?.commands.delete("h");
  fixture.ledger.stateOf(tenant)?.uses.delete("use-s");
  fixture.ledger.stateOf(tenant)?.holds.delete("h");
  const [repeated, other] = await Promise.all([hold("h", 100n), hold("other", 50n)]);
  expect(repeated).toEqual(first);
  expect(other).toMatchObject({ kind: "held" });
  fixture.ledger.stateOf(tenant)?.uses.delete("use-s");
  expect(
    await fixture.ask({
      kind: "settle",
      holdId: "other",
      charge: chargeOf("use-s", 40n),
      isFinal: false,
    }),
  ).toMatchObject({ isRepeated: true, chargedMicros: 40n });
  expect(await balances()).toMatchObject({
    "usage:tokens/USD": "40",
    "credit/USD": "910",
    "holds/USD": "50",
  });
});

test("a hold that ended long ago is looked up when it is charged late, and one that never was is not found", async () => {
  await openAccount();
  await grant(1_000n);
  await hold("h", 100n);
  await fixture.ask({ kind: "release", holdId: "h" });
  fixture.ledger.stateOf(tenant)?.holds.delete("h");
  expect(await settle("s", "h", 30n)).toMatchObject({
    kind: "settled",
    isLate: true,
    chargedMicros: 30n,
  });
  expect(await settle("t", "none", 30n)).toMatchObject({ code: "hold_not_found" });
});

test("a writer that another has replaced cannot write, and takes the ledger over when it is asked", async () => {
  await openAccount();
  await grant(100n);
  const second = open();
  expect(
    await second.ask({
      kind: "hold",
      id: "theirs",
      currency: "USD",
      amountMicros: 70n,
      durationMs: 1_000,
      attribution: {},
    }),
  ).toMatchObject({ kind: "held" });
  // By what the first writer remembers there would be enough.
  expect(await hold("mine", 70n)).toMatchObject({ code: "credit_exhausted", leftMicros: 30n });
  expect(await hold("less", 30n)).toMatchObject({ kind: "held" });
});

test("of many callers at once exactly those are served that the credit pays for", async () => {
  await openAccount();
  await grant(1_000n);
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, index) => hold(`h${index}`, 10n)),
  );
  expect(answers.filter(({ kind }) => kind === "held")).toHaveLength(100);
  expect(await balances()).toEqual({ "grants/USD": "-1000", "holds/USD": "1000" });
});

test("the sweeper ends holds and lots whose time is over, and no hold that its work renews", async () => {
  await openAccount();
  await grant(1_000n, { id: "lot", expiresAtMs: Date.now() + 3_600_000 });
  await hold("gone", 100n, { durationMs: 1_000 });
  await hold("renewed", 100n, { durationMs: 1_000 });
  await fixture.ask({ kind: "renew", holdId: "renewed", durationMs: 60_000 });
  fixture.advance(2_000);
  fixture.ledger.sweep();
  // Commands of a tenant are decided in the order in which they came.
  await fixture.ask({ kind: "release", holdId: "gone" });
  expect(await balances()).toMatchObject({ "credit/USD": "900", "holds/USD": "100" });
  fixture.advance(3_600_000);
  fixture.ledger.sweep();
  await fixture.ask({ kind: "release", holdId: "gone" });
  expect(await balances()).toEqual({ "expiry/USD": "1000", "grants/USD": "-1000" });
});

test("no other tenant sees a ledger or moves anything in it", async () => {
  await openAccount();
  await grant(1_000n);
  await hold("h", 100n);
  const other = await database.createTenant(`other-${tenantCount}`);
  expect(await fixture.ask({ kind: "release", holdId: "h" }, other)).toMatchObject({
    code: "hold_not_found",
  });
  const scope = { tenantId: other, signal: new AbortController().signal };
  for (const table of [
    "ledger_transfer",
    "ledger_account",
    "ledger_hold",
    "ledger_command",
  ] as const) {
    expect(
      await database.store.read(scope, (reader) => reader.selectFrom(table).selectAll().execute()),
    ).toEqual([]);
  }
});

test("text that cannot be stored is refused before it reaches the commands of others", async () => {
  await openAccount();
  await grant(1_000n);
  const bad = hold("bad", 10n, { attribution: { userId: "a\0b" } });
  const good = hold("good", 10n, { attribution: { userId: 'a"b\\c{},' } });
  await expect(bad).rejects.toMatchObject({ code: "request_invalid" });
  expect(await good).toMatchObject({ kind: "held" });
});

test("counts what was asked, refused and repeated, and how its writing went", async () => {
  const registry = new Registry();
  registerLedgerMetrics(registry, fixture.ledger, { differenceCount: 0 });
  await openAccount();
  await grant(100n);
  await hold("h", 60n);
  await hold("h", 60n);
  await hold("more", 60n);
  const text = await registry.metrics();
  for (const line of [
    'faultline_ledger_commands_total{command="hold",outcome="ok"} 1',
    'faultline_ledger_commands_total{command="hold",outcome="repeated"} 1',
    'faultline_ledger_commands_total{command="hold",outcome="credit_exhausted"} 1',
    'faultline_ledger_batches_total{outcome="written"} 3',
    "faultline_ledger_loads_total 1",
    'faultline_ledger_open{what="holds"} 1',
    'faultline_ledger_tenants{state="loaded"} 1',
  ]) {
    expect(text).toContain(line);
  }
});

test("more uses at once than are kept in memory are each charged once", async () => {
  await openAccount();
  await grant(1_000_000n);
  const lease = { kind: "lease", id: "l", workerId: "w", epoch: 1, currency: "USD", budgets: [] };
  const amounts = { amountMicros: 100_000n, minimumMicros: 1n, durationMs: 60_000 };
  await fixture.ask({ ...lease, ...amounts } as Parameters<typeof fixture.ask>[0]);
  const reports = Array.from({ length: 30 }, (_report, report) => ({
    kind: "report-lease" as const,
    id: `report-${report}`,
    leaseId: "l",
    charges: Array.from({ length: 1_000 }, (_charge, index) => ({
      ...chargeOf(`use-${report}-${index}`, 1n),
      attribution: {},
    })),
  }));
  const answers = await Promise.all([...reports, ...reports].map((report) => fixture.ask(report)));
  expect(answers.map(({ kind }) => kind)).toEqual(Array(60).fill("lease-reported"));
  expect(await balances()).toMatchObject({ "usage:tokens/USD": "30000", "holds/USD": "70000" });
  expect(fixture.ledger.counts.batches.get("fault")).toBeUndefined();
});
