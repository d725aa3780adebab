/** What becomes of credit when workers die or stand still, and when the database is away. */

import { mkdtemp, readdir, rm } from "node:fs/promises";
import path from "node:path";

import type { Lending } from "#ledger/index.ts";
import { PlatformError, type TenantId } from "@faultline/protocol";
import { openTestDatabase, type TestDatabase, until } from "@faultline/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { RawReply } from "../test/raw-client.ts";
import { costMicros, type CreditWorld, openCreditWorld } from "./test/credit-world.ts";

const stack = new AsyncDisposableStack();
let database: TestDatabase;
let tenantId: TenantId;
let tenantCount = 0;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
beforeEach(async () => {
  tenantCount += 1;
  tenantId = await database.createTenant(`survivor-${tenantCount}`);
});
afterAll(() => stack.disposeAsync());

/** A number that a query gives. */
async function numberOf(query: string): Promise<bigint> {
  const [row] = await database.sql<{ number: string | null }>(query, [tenantId]);
  return BigInt(row?.number ?? 0);
}

const openCount = () =>
  numberOf("select count(*) as number from ledger_hold where tenant_id = $1 and state = 'open'");
const balance = (id: string) =>
  numberOf(
    `select balance_micros as number from ledger_account where tenant_id = $1 and id = '${id}'`,
  );

function codeOf(reply: RawReply): string {
  const { error } = JSON.parse(reply.body.toString()) as { error?: { code: string } };
  return error?.code ?? "none";
}

/** A ledger that cannot be reached while `isAway`. */
function lossy(state: { isAway: boolean }) {
  return (lending: Lending) => {
    const refuseAway = (): void => {
      if (state.isAway) throw new PlatformError("ledger_unavailable", "The database is away.");
    };
    return {
      budgetRules: (tenant: TenantId) => lending.budgetRules(tenant),
      latestEpoch: async (...given: Parameters<Lending["latestEpoch"]>) => {
        refuseAway();
        return lending.latestEpoch(...given);
      },
      submit: async (...given: Parameters<Lending["submit"]>) => {
        refuseAway();
        return lending.submit(...given);
      },
      unreadLeases: async (...given: Parameters<Lending["unreadLeases"]>) => {
        refuseAway();
        return lending.unreadLeases(...given);
      },
      openReserves: async (...given: Parameters<Lending["openReserves"]>) => {
        refuseAway();
        return lending.openReserves(...given);
      },
    };
  };
}

/** Calls until one is refused; gives how many were served, and the refusal. */
async function callUntilRefused(opened: CreditWorld) {
  for (let served = 0; ; served += 1) {
    const reply = await opened.call();
    if (reply.status !== 200) return { served, code: codeOf(reply), status: reply.status };
  }
}

describe("while the database is away", () => {
  it("a worker serves from its lease until that is used up, and never guesses", async () => {
    const state = { isAway: false };
    await using opened = await openCreditWorld(
      { ...database, tenantId },
      { creditMicros: costMicros * 10_000n, count: 1, wrap: lossy(state) },
    );
    for (let count = 0; count < 20; count += 1) expect((await opened.call()).status).toBe(200);
    await until(async () => (await openCount()) > 0n);
    state.isAway = true;
    const { served, code, status } = await callUntilRefused(opened);
    expect({ code, status }).toEqual({ code: "ledger_unavailable", status: 503 });
    expect(served).toBeGreaterThan(0);
    state.isAway = false;
    await until(async () => (await opened.call()).status === 200);
    const asked = BigInt(opened.provider.bodies.length);
    await opened.world.gateway[Symbol.asyncDispose]();
    expect(await balance("usage:tokens/USD")).toBe(asked * costMicros);
    expect(await balance("holds/USD")).toBe(0n);
  });

  it("a worker that stood still beyond the deadline of its lease admits nothing out of it", async () => {
    const state = { isAway: false };
    await using opened = await openCreditWorld(
      { ...database, tenantId },
      {
        creditMicros: costMicros * 100_000n,
        count: 1,
        wrap: lossy(state),
        leaseDurationMs: 4_000,
      },
    );
    for (let count = 0; count < 20; count += 1) expect((await opened.call()).status).toBe(200);
    state.isAway = true;
    expect((await opened.call()).status).toBe(200);
    const [worker = 0] = opened.world.gateway.workerIds;
    process.kill(worker, "SIGSTOP");
    const stoppedMs = performance.now();
    await until(() => performance.now() - stoppedMs > 4_500);
    process.kill(worker, "SIGCONT");
    const reply = await opened.call();
    expect({ code: codeOf(reply), status: reply.status }).toEqual({
      code: "ledger_unavailable",
      status: 503,
    });
    expect(opened.provider.bodies).toHaveLength(21);
  });
});

describe("workers that are killed under load", () => {
  it("lose nothing, overspend nothing and charge nothing twice", async () => {
    const folder = await mkdtemp("/tmp/faultline-credit-");
    const journalFolder = path.join(folder, "journal");
    const creditMicros = costMicros * 100_000n;
    const settings = { leaseDurationMs: 3_000, journalFolder };
    const opened = await openCreditWorld({ ...database, tenantId }, { creditMicros, ...settings });
    let served = 0;
    const over = new AbortController();
    const clients = Array.from({ length: 32 }, async () => {
      while (!over.signal.aborted) {
        const reply = await opened.call().catch(() => undefined);
        if (reply?.status === 200) served += 1;
      }
    });
    for (const target of [60, 120, 180]) {
      await until(() => served >= target);
      const { workerIds } = opened.world.gateway;
      process.kill(workerIds[target % workerIds.length] ?? 0, "SIGKILL");
    }
    await until(() => served >= 240);
    over.abort();
    await Promise.all(clients);
    const askedCount = BigInt(opened.provider.bodies.length);
    await opened[Symbol.asyncDispose]();
    // The rest is for the next start of the gateway, when leases of the dead are past their deadlines.
    const next = await openCreditWorld(
      { ...database, tenantId },
      { creditMicros: 0n, ...settings },
    );
    await until(async () => (await openCount()) === 0n);
    await next[Symbol.asyncDispose]();

    const charged =
      "select count(*) as number from ledger_use where tenant_id = $1 and amount_micros";
    const chargedCount = await numberOf(`${charged} >= ${costMicros}`);
    // A worker that died after it wrote a call down and before it asked has charged one that nobody made.
    expect(chargedCount).toBeGreaterThanOrEqual(askedCount);
    expect(chargedCount - askedCount).toBeLessThan(96n);
    // A call whose end was not written down when its worker was killed is charged with all that was held for it.
    const exactCount = await numberOf(`${charged} = ${costMicros}`);
    expect(exactCount).toBeGreaterThan(BigInt(served) - 32n);
    const sum = "select sum(amount_micros) as number from ledger_use where tenant_id = $1";
    const spent = await balance("usage:tokens/USD");
    expect(spent).toBe(await numberOf(sum));
    expect(await balance("usage:unread/USD")).toBe(0n);
    expect(await balance("debt/USD")).toBe(0n);
    expect(await balance("holds/USD")).toBe(0n);
    expect(await balance("credit/USD")).toBe(creditMicros - spent);
    expect((await readdir(path.join(journalFolder, "usage"))).length).toBeLessThanOrEqual(3);
    await rm(folder, { recursive: true });
  });
});
