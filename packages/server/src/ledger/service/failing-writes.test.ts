import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { PlatformError } from "@faultline/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { raceAbort, systemClock } from "#kernel/index.ts";
import type { Store } from "#storage/index.ts";

import { chargeOf, type LedgerFixture, openLedgerFixture } from "../test/ledger-fixture.ts";
import { ledgerServiceLimits } from "./limits.ts";

const stack = new AsyncDisposableStack();
let database: TestDatabase;
let tenantCount = 0;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
afterAll(async () => await stack.disposeAsync());

const newTenant = async () => await database.createTenant(`failing-${(tenantCount += 1)}`);
const lost = () => new PlatformError("database_unavailable", "The session broke.");

/** A store whose transactions of one tenant break, before or after their commit, when `breaks` says so. */
function breakingStore(breaks: (turn: number) => "before" | "after" | undefined): Store {
  let turn = 0;
  const breaking = async <Result>(run: () => Promise<Result>): Promise<Result> => {
    turn += 1;
    const how = breaks(turn);
    if (how === "before") throw lost();
    const result = await run();
    if (how === "after") throw lost();
    return result;
  };
  return {
    read: (scope, run) => database.store.read(scope, run),
    system: (signal, run) => database.store.system(signal, run),
    ingest: (signal, batches) => database.store.ingest(signal, batches),
    ping: (signal) => database.store.ping(signal),
    sessions: () => database.store.sessions(),
    [Symbol.asyncDispose]: async () => {},
    transact: (scope, run) => breaking(() => database.store.transact(scope, run)),
    call: (scope, call) => breaking(() => database.store.call(scope, call)),
  };
}

const gift = {
  kind: "grant",
  id: "gift",
  currency: "USD",
  amountMicros: 1_000n,
  priority: 0,
  expiresAtMs: undefined,
} as const;
const holdOf = (id: string) =>
  ({
    kind: "hold",
    id,
    currency: "USD",
    amountMicros: 100n,
    durationMs: 60_000,
    attribution: {},
  }) as const;

/** Sends a command until it is known what became of it. */
async function insist(fixture: LedgerFixture, request: Parameters<LedgerFixture["ask"]>[0]) {
  for (;;) {
    try {
      return await fixture.ask(request);
    } catch (error) {
      if (!(error instanceof PlatformError) || error.code !== "ledger_unavailable") throw error;
    }
  }
}

describe("a scenario whose n-th transaction breaks", () => {
  it.each(["before", "after"] as const)(
    "ends as if none had, when the break comes %s the commit",
    async (how) => {
      for (let broken = 1; broken <= 8; broken += 1) {
        const tenantId = await newTenant();
        let turns = 0;
        const store = breakingStore((turn) => {
          turns = turn;
          return turn === broken ? how : undefined;
        });
        await using fixture = openLedgerFixture({ store, tenantId });
        await insist(fixture, { kind: "open-account", id: "o", currency: "USD", limitMicros: 0n });
        await insist(fixture, gift);
        const answers = await Promise.all(["a", "b", "c"].map((id) => insist(fixture, holdOf(id))));
        expect(answers.map(({ kind }) => kind)).toEqual(["held", "held", "held"]);
        const settle = { kind: "settle", id: "s", holdId: "a", isFinal: true } as const;
        const charge = chargeOf("use", 40n);
        const settled = await insist(fixture, { ...settle, charge });
        expect(settled).toMatchObject({ chargedMicros: 40n, releasedMicros: 60n });
        expect(await insist(fixture, { ...settle, charge })).toEqual(settled);
        expect(turns).toBeGreaterThanOrEqual(Math.min(broken, 5));
        const rows = await database.sql<{ id: string; micros: string }>(
          "select id, balance_micros::text as micros from ledger_account where tenant_id = $1 order by id",
          [tenantId],
        );
        expect(rows.map(({ id, micros }) => `${id} ${micros}`)).toEqual([
          "credit/USD 760",
          "grants/USD -1000",
          "holds/USD 200",
          "usage:tokens/USD 40",
        ]);
      }
    },
  );
});

describe("batches that are on their way together", () => {
  it.each(["before", "after"] as const)(
    "are written in their order and once, when one breaks %s its commit",
    async (how) => {
      const { batchCommandCountMax, sentBatchCountMax } = ledgerServiceLimits;
      const count = (sentBatchCountMax + 1) * batchCommandCountMax;
      for (const broken of [4, 5, 6]) {
        const tenantId = await newTenant();
        const store = breakingStore((turn) => (turn === broken ? how : undefined));
        await using fixture = openLedgerFixture({ store, tenantId });
        await insist(fixture, { kind: "open-account", id: "o", currency: "USD", limitMicros: 0n });
        await insist(fixture, { ...gift, amountMicros: 1_000_000_000n });
        const ids = Array.from({ length: count }, (_, index) => `h${index}`);
        const answers = await Promise.all(ids.map((id) => insist(fixture, holdOf(id))));
        expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(["held"]));
        const [row] = await database.sql<{ ids: string[]; held: string }>(
          `select (select balance_micros::text from ledger_account where tenant_id = $1 and id = 'holds/USD') as held,
             (select array_agg(hold_id order by sequence) from ledger_transfer where tenant_id = $1 and reason = 'held') as ids`,
          [tenantId],
        );
        expect(row?.held).toBe(String(100 * count));
        expect(row?.ids).toEqual(ids);
      }
    },
  );
});

describe("a batch behind one that was not written", () => {
  it("is given up at once, and decided anew", async () => {
    const tenantId = await newTenant();
    const { store } = database;
    const sent: AbortSignal[] = [];
    const behind = Promise.withResolvers<void>();
    const breaking: Store = {
      ...breakingStore(() => undefined),
      async call(scope, call) {
        if (sent.length === 2) return await store.call(scope, call);
        if (sent.push(scope.signal) === 1) {
          await behind.promise;
          throw lost();
        }
        behind.resolve();
        // As in the database: it waits for the one before, and has no end of its own.
        return await raceAbort(new Promise<void>(() => {}), scope.signal);
      },
    };
    await using fixture = openLedgerFixture({ store, tenantId });
    await fixture.ask({ kind: "open-account", id: "o", currency: "USD", limitMicros: 0n });
    await fixture.ask({ ...gift, amountMicros: 1_000_000_000n });
    await using second = openLedgerFixture({ store: breaking, tenantId });
    const ids = Array.from(
      { length: 2 * ledgerServiceLimits.batchCommandCountMax },
      (_, index) => `h${index}`,
    );
    const answers = await Promise.all(ids.map((id) => second.ask(holdOf(id))));
    expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(["held"]));
    expect(sent.map(({ aborted }) => aborted)).toEqual([true, true]);
  });
});

describe("what rests on a batch that is on its way", () => {
  const count = ledgerServiceLimits.batchCommandCountMax;
  const turn = async () => await new Promise((resolve) => setImmediate(resolve));

  /** A ledger whose next batches are held up until they are let go, and then break. */
  async function holdUp(how: "before" | "after", isBack: () => boolean) {
    const tenantId = await newTenant();
    let isArmed = false;
    let callCount = 0;
    const gate = Promise.withResolvers<void>();
    const whole = breakingStore(() => (isArmed && !isBack() ? how : undefined));
    const store: Store = {
      ...whole,
      transact: (scope, run) =>
        how === "before" ? whole.transact(scope, run) : database.store.transact(scope, run),
      async call(scope, call) {
        if (isArmed) callCount += 1;
        if (isArmed) await gate.promise;
        await whole.call(scope, call);
      },
    };
    const fixture = openLedgerFixture({ store, tenantId });
    await fixture.ask({ kind: "open-account", id: "o", currency: "USD", limitMicros: 0n });
    await fixture.ask({ ...gift, amountMicros: 1_000_000_000n });
    const whenCalled = async (wanted: number) => {
      for (;;) {
        if (callCount >= wanted) return;
        await turn();
      }
    };
    return { fixture, gate, arm: () => void (isArmed = true), whenCalled };
  }

  it("is not answered before it: repetitions of commands that were not written", async () => {
    const { fixture, gate, arm, whenCalled } = await holdUp("before", () => false);
    await using _open = fixture;
    arm();
    const ask = async () =>
      await Promise.allSettled(
        Array.from({ length: count }, async (_, index) => await fixture.ask(holdOf(`h${index}`))),
      );
    const first = ask();
    await whenCalled(1);
    const again = ask();
    for (let turns = 0; turns < 5; turns += 1) await turn();
    gate.resolve();
    const answers = [...(await first), ...(await again)];
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(["rejected"]));
  });

  it("is found again when both were written and nobody heard of it", async () => {
    let isBack = false;
    const { fixture, gate, arm, whenCalled } = await holdUp("after", () => isBack);
    await using _open = fixture;
    const ids = Array.from({ length: 2 * count }, (_, index) => `h${index}`);
    await Promise.all(ids.map(async (id) => await fixture.ask(holdOf(id))));
    arm();
    const settle = async (id: string, index: number) =>
      await fixture.ask({
        kind: "settle",
        id: `settle-${id}`,
        // One that is not known has those behind it looked up.
        holdId: index === 100 ? "none" : id,
        isFinal: true,
        charge: chargeOf(`use-${id}`, 40n),
      });
    const settled = Promise.all(ids.map(settle));
    await whenCalled(1);
    const last = fixture.ask(holdOf("last"));
    await whenCalled(2);
    gate.resolve();
    for (let turns = 0; turns < 5; turns += 1) await turn();
    isBack = true;
    const kinds = (await settled).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "settled")).toHaveLength(2 * count - 1);
    expect(await last).toMatchObject({ kind: "held" });
  });
});

describe("the bounds of a ledger's queue", () => {
  /** A ledger whose database does not answer until it is let. */
  async function stalled() {
    const tenantId = await newTenant();
    const gate = Promise.withResolvers<void>();
    const whole = breakingStore(() => undefined);
    const store: Store = {
      ...whole,
      async transact(scope, run) {
        await gate.promise;
        return whole.transact(scope, run);
      },
    };
    let aheadMs = 0;
    const clock = {
      ...systemClock,
      monotonicMs: () => systemClock.monotonicMs() + aheadMs,
      every: () => {},
    };
    const fixture = openLedgerFixture({ store, tenantId, clock });
    return { fixture, gate, advance: (durationMs: number) => void (aheadMs += durationMs) };
  }

  it("refuse the command that would be one too many, and keep the others", async () => {
    const { fixture, gate } = await stalled();
    await using _open = fixture;
    const open = { kind: "open-account", id: "o", currency: "USD", limitMicros: 0n } as const;
    // The same command again and again: one takes effect, the others are repetitions.
    const waiting = Array.from({ length: ledgerServiceLimits.waitingCountMax }, () =>
      fixture.ask(open),
    );
    await expect(fixture.ask(open)).rejects.toMatchObject({ code: "ledger_unavailable" });
    gate.resolve();
    const answers = await Promise.all(waiting);
    expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(["account-opened"]));
  });

  it("refuse commands that waited too long, because nobody waits for them any more", async () => {
    const { fixture, gate, advance } = await stalled();
    await using _open = fixture;
    const open = { kind: "open-account", id: "o", currency: "USD", limitMicros: 0n } as const;
    const late = fixture.ask(open);
    await new Promise((resolve) => setImmediate(resolve));
    advance(ledgerServiceLimits.waitMsMax + 1);
    gate.resolve();
    await expect(late).rejects.toMatchObject({ code: "ledger_unavailable" });
    expect(await fixture.ask(open)).toEqual({ kind: "account-opened" });
  });

  it("let a ledger that nobody asked for leave the memory, and read it again when somebody does", async () => {
    const { fixture, gate, advance } = await stalled();
    await using _open = fixture;
    gate.resolve();
    const open = { kind: "open-account", id: "o", currency: "USD", limitMicros: 0n } as const;
    await fixture.ask(open);
    expect(fixture.ledger.use().tenantCount).toBe(1);
    advance(ledgerServiceLimits.idleMsMax + 1);
    fixture.ledger.sweep();
    expect(fixture.ledger.use().tenantCount).toBe(0);
    expect(await fixture.ask(open)).toEqual({ kind: "account-opened" });
  });
});
