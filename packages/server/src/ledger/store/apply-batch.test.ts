import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { TenantScope } from "#storage/index.ts";

import type { LedgerCommand } from "../rules/commands.ts";
import { decide } from "../rules/decide.ts";
import type { LedgerState } from "../rules/ledger-state.ts";
import { disagreeingGroups } from "../test/disagreeing-groups.ts";
import { applyBatch, type WriterPosition } from "./apply-batch.ts";
import { Batch } from "./batch.ts";
import { loadLedger } from "./load-ledger.ts";

const stack = new AsyncDisposableStack();
const { signal } = new AbortController();
const nothing = { commandIds: [], holdIds: [], usageIds: [] };
let database: TestDatabase;
let scope: TenantScope;
let state: LedgerState;
let position: WriterPosition;
let tenantCount = 0;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
afterAll(async () => await stack.disposeAsync());

/** Decides commands and writes what came of them, after the test has meddled with the state. */
async function write(commands: readonly object[], meddle?: (state: LedgerState) => void) {
  const batch = new Batch(state);
  for (const command of commands) {
    // Each test spells its commands with all their parts.
    const decision = decide(state, { atMs: 1_000, currency: "USD", ...command } as LedgerCommand);
    expect(decision.answer).not.toMatchObject({ kind: "refused" });
    batch.add(decision, undefined);
  }
  meddle?.(state);
  const parameters = batch.parameters();
  const failure = await applyBatch(database.store, scope, {
    position,
    latestMs: 1_000,
    parameters,
  });
  if (failure === undefined)
    position = {
      ...position,
      sequence: position.sequence + BigInt(batch.transferCount),
      batchCount: position.batchCount + 1n,
    };
  return failure;
}

const opening = [
  { kind: "open-account", id: "open", limitMicros: 0n },
  { kind: "grant", id: "gift", amountMicros: 1_000n, priority: 0, expiresAtMs: undefined },
];
const hold = (id: string, amountMicros = 100n) => ({
  kind: "hold",
  id,
  amountMicros,
  durationMs: 60_000,
  attribution: {},
});
const settle = (id: string, holdId: string, usageId = `use-${id}`) => ({
  kind: "settle",
  id,
  holdId,
  charge: { usageId, usageKind: "tokens", amountMicros: 40n },
  isFinal: true,
});

const release = (holdId: string) => ({ kind: "release", id: `release-${holdId}`, holdId });

beforeEach(async () => {
  scope = { tenantId: await database.createTenant(`apply-${(tenantCount += 1)}`), signal };
  ({ state, position } = await loadLedger(database.store, scope, nothing));
  expect(await write([...opening, hold("h")])).toBeUndefined();
});

const transferCount = async (): Promise<bigint> => {
  const [row] = await database.sql<{ count: string }>(
    "select count(*) from ledger_transfer where tenant_id = $1",
    [scope.tenantId],
  );
  return BigInt(row?.count ?? "");
};

describe("the database refuses by itself, and keeps nothing of the batch", () => {
  it.each<[string, () => Promise<unknown>, string]>([
    [
      "a writer that another has replaced",
      async () => {
        await loadLedger(database.store, scope, nothing);
        return await write([hold("late")]);
      },
      "fenced",
    ],
    [
      "a writer that does not know the last transfer",
      async () => {
        position = { ...position, sequence: position.sequence - 1n };
        return await write([hold("late")]);
      },
      "overtaking",
    ],
    [
      "a writer that does not know of a batch without transfers",
      async () => {
        const { batchCount } = position;
        expect(
          await write([{ kind: "renew", id: "r", holdId: "h", durationMs: 90_000 }]),
        ).toBeUndefined();
        position = { ...position, batchCount };
        return await write([hold("late")]);
      },
      "overtaking",
    ],
    [
      "a command whose id was used before",
      async () => {
        state.commands.delete("h");
        state.holds.delete("h");
        return await write([hold("h")]);
      },
      "reused",
    ],
    [
      "a use that was charged before",
      async () => {
        expect(await write([settle("s", "h", "use"), hold("h2")])).toBeUndefined();
        state.uses.delete("use");
        return await write([settle("s2", "h2", "use")]);
      },
      "reused",
    ],
    [
      "credit that is not there",
      async () => {
        const lot = state.lots.get("gift");
        if (lot !== undefined) lot.remainingMicros = 5_000n;
        return await write([hold("more", 2_000n)]);
      },
      "fault",
    ],
    [
      "a lot that does not exist",
      async () => {
        const lot = { ...state.lots.get("gift"), id: "made-up", remainingMicros: 5_000n };
        state.lots.clear();
        state.lots.set("made-up", lot as never);
        return await write([hold("more", 10n)]);
      },
      "fault",
    ],
    [
      "a hold that ended before",
      async () => {
        expect(await write([settle("s", "h")])).toBeUndefined();
        const ended = state.holds.get("h");
        if (ended !== undefined) Object.assign(ended, { state: "open", portions: [] });
        return await write([{ kind: "renew", id: "r", holdId: "h", durationMs: 9_000 }]);
      },
      "fault",
    ],
    [
      "a hold that ends and that its group does not count",
      async () => {
        expect(await write([hold("h2")])).toBeUndefined();
        await database.sql(
          `delete from ledger_open_group grouped using ledger_hold hold
           where hold.id = 'h2' and hold.tenant_id = $1 and grouped.tenant_id = $1 and grouped.number = hold.open_group`,
          [scope.tenantId],
        );
        return await write([settle("s", "h"), settle("s2", "h2")]);
      },
      "fault",
    ],
    [
      "a hold that says it has more than its transfers gave it",
      async () =>
        await write([hold("more", 10n)], (meddled) => {
          const [portion] = meddled.holds.get("more")?.portions ?? [];
          if (portion !== undefined) portion.amountMicros = 11n;
        }),
      "fault",
    ],
  ])("%s", async (_what, attempt, kind) => {
    expect(await attempt()).toMatchObject({ kind });
    const { state: read, position: end } = await loadLedger(database.store, scope, nothing);
    expect(await transferCount()).toBe(end.sequence);
    const sum = [...read.balances.values()].reduce((total, micros) => total + micros, 0n);
    expect(sum).toBe(0n);
    expect(read.holds.has("late") || read.holds.has("more")).toBe(false);
  });
});

describe("what is open is found by groups", () => {
  const groups = async (): Promise<readonly number[]> => {
    const wrong = await database.sql<{ tenant_id: string }>(disagreeingGroups);
    // Other tests meddle with the groups of their tenants.
    expect(wrong.filter((row) => row.tenant_id === scope.tenantId)).toEqual([]);
    const rows = await database.sql<{ hold_count: number }>(
      "select hold_count from ledger_open_group where tenant_id = $1 order by number",
      [scope.tenantId],
    );
    return rows.map((row) => row.hold_count);
  };

  it("of few holds each, which are gone when nothing of them is open", async () => {
    const ids = Array.from({ length: 200 }, (_, place) => `h-${place}`);
    expect(await write(ids.map((id) => hold(id, 1n)))).toBeUndefined();
    expect(await groups()).toEqual([1, 127, 73]);
    expect(await write(ids.slice(0, 150).map((id) => release(id)))).toBeUndefined();
    expect(await groups()).toEqual([1, 50]);
    expect(await write([...ids.slice(150), "h"].map((id) => release(id)))).toBeUndefined();
    expect(await groups()).toEqual([]);
  });

  it("but not what ends in the batch that placed it, nor what was renewed or is settled in part", async () => {
    expect(await write([hold("short"), release("short"), hold("long")])).toBeUndefined();
    expect(await groups()).toEqual([1, 1]);
    const part = { ...settle("part", "long"), isFinal: false };
    const later = { kind: "renew", id: "later", holdId: "long", durationMs: 90_000 };
    expect(await write([part, later])).toBeUndefined();
    expect(await groups()).toEqual([1, 1]);
    // A charge that comes after the end changes nothing of what is open.
    expect(await write([release("long")])).toBeUndefined();
    expect(await write([{ ...settle("late", "long"), isFinal: true }])).toBeUndefined();
    expect(await groups()).toEqual([1]);
  });
});

describe("what is written once", () => {
  it.each(["ledger_transfer", "ledger_batch", "ledger_command", "ledger_use"])(
    "is changed by nobody: %s",
    async (table) => {
      await expect(database.sql(`update ${table} set at_ms = at_ms`)).rejects.toMatchObject({
        code: "FL005",
      });
      await expect(database.sql(`delete from ${table}`)).rejects.toMatchObject({ code: "FL005" });
    },
  );

  it("is written by the function alone: the serving role may only read", async () => {
    const client = new Client(database.postgres.clientConfig("faultline_app"));
    await client.connect();
    try {
      await client.query("select set_config('faultline.tenant', $1, false)", [scope.tenantId]);
      for (const statement of [
        "insert into ledger_account values (current_setting('faultline.tenant'), 'credit/USD', 5)",
        "update ledger_account set balance_micros = 5",
        "update ledger_lot set remaining_micros = 5",
        "delete from ledger_hold",
        "update ledger_batch set until_ms = 0",
        "insert into ledger_batch (tenant_id) values (current_setting('faultline.tenant'))",
        "update ledger_writer set epoch = 9",
        "update ledger_open_group set hold_count = 5",
        "select ledger_apply_rest('default', 0, '{}')",
        "select ledger_count_open('default', '{1}', '{1}')",
        "select ledger_count_accounts('default', '{a/USD}', '{b/USD}', '{1}')",
      ]) {
        await expect(client.query(statement), statement).rejects.toThrow(/permission denied/);
      }
    } finally {
      await client.end();
    }
  });
});
