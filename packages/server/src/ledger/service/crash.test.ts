import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { type TenantId, PlatformError } from "@faultline/protocol";
import { openTemporaryFolder, seededRandom, until } from "@faultline/testkit";
import { sql } from "kysely";
import { pino } from "pino";
import { expect, test } from "vitest";

import { assert, systemClock } from "#kernel/index.ts";
import { openPostgres, openStore, type Store } from "#storage/index.ts";

import { brokenInvariants } from "../rules/invariants.ts";
import { loadLedger } from "../store/load-ledger.ts";
// The test kills the server by its record, as nobody else does.
import { readServerRecord } from "../../storage/postgres/orphan.ts";
import { locateCluster } from "../../storage/postgres/placement.ts";
import { disagreeingGroups } from "../test/disagreeing-groups.ts";
import { chargeOf, openLedgerFixture } from "../test/ledger-fixture.ts";

const { signal } = new AbortController();
const base = { clock: systemClock, logger: pino({ level: "silent" }), signal };
const grantedMicros = 1_000_000n;
// The tenant is made under this name below.
const tenantId = "crash" as TenantId;

async function killServer(dataFolder: string): Promise<void> {
  const cluster = await locateCluster(dataFolder);
  // It may still be on its way back from the kill before.
  await until(async () => (await readServerRecord(cluster))?.running === true);
  const record = await readServerRecord(cluster);
  assert(record !== undefined, "a server that runs has a record");
  process.kill(record.pid, "SIGKILL");
}

async function openTenant(store: Store): Promise<void> {
  await store.system(signal, (writer) =>
    writer
      .insertInto("tenant")
      .values({ id: tenantId })
      .onConflict((conflict) => conflict.doNothing())
      .execute(),
  );
}

/** What stands in the database after all: every acknowledged use once, nothing else, and sums that agree. */
async function expectExactly(
  store: Store,
  acknowledged: ReadonlyMap<string, bigint>,
  isAll: boolean,
) {
  const stored = await store.read({ tenantId, signal }, (reader) =>
    reader.selectFrom("ledger_use").select(["id", "amount_micros"]).execute(),
  );
  const charged = new Map(stored.map((row) => [row.id, BigInt(row.amount_micros)]));
  expect([...acknowledged].filter(([id, micros]) => charged.get(id) !== micros)).toEqual([]);
  if (isAll) expect(charged.size).toBe(acknowledged.size);
  const wanted = { commandIds: [], holdIds: [], usageIds: [] };
  const { state } = await loadLedger(store, { tenantId, signal }, wanted);
  expect(brokenInvariants(state)).toEqual([]);
  const usedMicros = [...charged.values()].reduce((sum, micros) => sum + micros, 0n);
  expect(state.balances.get("usage:tokens/USD") ?? 0n).toBe(usedMicros);
  const heldMicros = state.balances.get("holds/USD") ?? 0n;
  expect(state.balances.get("credit/USD")).toBe(grantedMicros - usedMicros - heldMicros);
  const sums = await store.read({ tenantId, signal }, ({ executor }) =>
    sql<{
      wrong: number;
    }>`select count(*)::int as wrong from ledger_account where balance_micros <> (
      select coalesce(sum(case when to_account = ledger_account.id then amount_micros else -amount_micros end), 0)
      from ledger_transfer where ledger_account.id in (from_account, to_account))`.execute(
      executor,
    ),
  );
  expect(sums.rows).toEqual([{ wrong: 0 }]);
  const groups = await store.read({ tenantId, signal }, ({ executor }) =>
    sql.raw(disagreeingGroups).execute(executor),
  );
  expect(groups.rows).toEqual([]);
}

test("nothing acknowledged is lost and nothing applied twice when PostgreSQL is killed under load", async () => {
  await using folder = await openTemporaryFolder();
  await using postgres = await openPostgres({ ...base, dataFolder: folder.path });
  await using store = await openStore({ ...base, postgres });
  await openTenant(store);
  await using fixture = openLedgerFixture({ store, tenantId });
  await fixture.ask({ kind: "open-account", currency: "USD", limitMicros: 0n });
  const gift = {
    kind: "grant",
    currency: "USD",
    amountMicros: grantedMicros,
    priority: 0,
  } as const;
  await fixture.ask({ ...gift, expiresAtMs: undefined });

  const random = seededRandom("crash");
  const acknowledged = new Map<string, bigint>();
  let unavailableCount = 0;
  const insist = async (request: Parameters<typeof fixture.ask>[0]) => {
    for (;;) {
      try {
        const answer = await fixture.ask(request);
        assert(answer.kind !== "refused", `credit is enough: ${JSON.stringify(request, String)}`);
        return answer;
      } catch (error) {
        if (!(error instanceof PlatformError) || error.code !== "ledger_unavailable") throw error;
        unavailableCount += 1;
        // Whoever is told to come again gives the server a moment.
        await systemClock.sleep(20, signal);
      }
    }
  };
  let killCount = 0;
  const killNow = async (): Promise<void> => {
    killCount += 1;
    await killServer(folder.path);
  };
  const pairCountMax = 1_500;
  let started = 0;
  const killAt = new Set([1, 2, 3, 4].map((part) => part * 250 + random.integer(200)));
  const call = async (): Promise<void> => {
    while (started < pairCountMax) {
      const number = (started += 1);
      if (killAt.has(number)) await killNow();
      const holdId = `h${number}`;
      const hold = { kind: "hold", id: holdId, currency: "USD", amountMicros: 100n } as const;
      await insist({ ...hold, durationMs: 600_000, attribution: {} });
      const micros = BigInt(1 + (number % 90));
      const charge = chargeOf(`u${number}`, micros);
      await insist({ kind: "settle", id: `s${number}`, holdId, charge, isFinal: true });
      acknowledged.set(charge.usageId, micros);
    }
  };
  await Promise.all(Array.from({ length: 64 }, call));
  expect(killCount).toBe(4);
  expect(unavailableCount).toBeGreaterThan(0);
  await expectExactly(store, acknowledged, true);
});

/** Settles one use after the other by 32 callers, and says the id of each once it is acknowledged. */
const writer = `
  import { pino } from ${JSON.stringify(import.meta.resolve("pino"))};
  import { systemClock } from ${JSON.stringify(import.meta.resolve("../../kernel/index.ts"))};
  import { openPostgres, openStore } from ${JSON.stringify(import.meta.resolve("../../storage/index.ts"))};
  import { openLedgerFixture } from ${JSON.stringify(import.meta.resolve("../test/ledger-fixture.ts"))};
  const [dataFolder, round] = process.argv.slice(1);
  const { signal } = new AbortController();
  const options = { dataFolder, clock: systemClock, logger: pino({ level: "silent" }), signal };
  const postgres = await openPostgres(options);
  const store = await openStore({ ...options, postgres });
  await store.system(signal, (writer) => writer.insertInto("tenant").values({ id: "crash" })
    .onConflict((conflict) => conflict.doNothing()).execute());
  const { ask } = openLedgerFixture({ store, tenantId: "crash" });
  await ask({ kind: "open-account", id: "open", currency: "USD", limitMicros: 0n });
  await ask({ kind: "grant", id: "gift", currency: "USD", amountMicros: ${grantedMicros}n, priority: 0 });
  let number = 0;
  const call = async () => {
    for (;;) {
      const id = round + "-" + (number += 1);
      await ask({ kind: "hold", id: "h" + id, currency: "USD", amountMicros: 20n, durationMs: 600000, attribution: {} });
      const charge = { usageId: "u" + id, usageKind: "tokens", amountMicros: 7n };
      await ask({ kind: "settle", id: "s" + id, holdId: "h" + id, charge, isFinal: true });
      console.log("u" + id);
    }
  };
  await Promise.all(Array.from({ length: 32 }, call));`;

test("what was acknowledged stands after the process and PostgreSQL were killed together, again and again", async () => {
  await using folder = await openTemporaryFolder();
  const acknowledged = new Map<string, bigint>();
  for (let round = 0; round < 3; round += 1) {
    const enough = acknowledged.size + 100 + round * 37;
    const child = spawn(
      process.execPath,
      ["--input-type=module", "-e", writer, folder.path, String(round)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const closed = once(child, "close");
    let isKilled = false;
    for await (const line of createInterface(child.stdout)) {
      acknowledged.set(line, 7n);
      if (acknowledged.size < enough || isKilled) continue;
      isKilled = true;
      await killServer(folder.path);
      child.kill("SIGKILL");
    }
    await closed;
    expect(acknowledged.size).toBeGreaterThanOrEqual(enough);
  }
  await using postgres = await openPostgres({ ...base, dataFolder: folder.path });
  await using store = await openStore({ ...base, postgres });
  await expectExactly(store, acknowledged, false);
});

test("a database that is away refuses every command with its own code, and the ledger goes on when it is back", async () => {
  await using folder = await openTemporaryFolder();
  const stack = new AsyncDisposableStack();
  await using postgres = await openPostgres({ ...base, dataFolder: folder.path });
  const store = stack.use(await openStore({ ...base, postgres }));
  await openTenant(store);
  await stack.disposeAsync();
  // Its sessions are gone for good, as if the server were.
  await using fixture = openLedgerFixture({ store, tenantId });
  const open = { kind: "open-account", currency: "USD", limitMicros: 0n } as const;
  await expect(fixture.ask(open)).rejects.toMatchObject({ code: "ledger_unavailable" });

  await using back = await openStore({ ...base, postgres });
  await using again = openLedgerFixture({ store: back, tenantId });
  expect(await again.ask(open)).toEqual({ kind: "account-opened" });
});
