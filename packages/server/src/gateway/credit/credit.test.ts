/** Calls of tenants that pay, through three workers, with a real ledger. */

import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import type { TenantId } from "@faultline/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import {
  body,
  costMicros,
  holdOf,
  openCreditWorld,
  outputTokens,
  spentBySpans,
} from "./test/credit-world.ts";

const stack = new AsyncDisposableStack();
let database: TestDatabase;
let tenantId: TenantId;
let tenantCount = 0;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
beforeEach(async () => {
  tenantCount += 1;
  tenantId = await database.createTenant(`payer-${tenantCount}`);
});
afterAll(() => stack.disposeAsync());

const balances = async (): Promise<Map<string, bigint>> => {
  const rows = await database.sql<{ id: string; balance_micros: string }>(
    "select id, balance_micros from ledger_account where tenant_id = $1",
    [tenantId],
  );
  return new Map(rows.map((row) => [row.id, BigInt(row.balance_micros)]));
};

describe("calls of a tenant that pays", () => {
  it("are served exactly as often as the credit pays for, wherever it lies", async () => {
    // Its limit is what it uses, so that after the last one nothing fits even with less.
    const tight = body.replace('"max_tokens":20', `"max_tokens":${outputTokens}`);
    const holdMicros = holdOf(tight, outputTokens);
    const creditMicros = costMicros * 99n + holdMicros;
    const opened = await openCreditWorld({ ...database, tenantId }, { creditMicros });
    const statuses: number[] = [];
    const clients = Array.from({ length: 64 }, async () => {
      for (let count = 0; count < 4; count += 1) statuses.push((await opened.call(tight)).status);
    });
    await Promise.all(clients);
    const served = statuses.filter((status) => status === 200).length;
    expect(new Set(statuses)).toEqual(new Set([200, 402]));
    expect(served).toBe(100);
    expect(opened.provider.bodies).toHaveLength(100);
    await opened[Symbol.asyncDispose]();
    const after = await balances();
    expect(after.get("usage:tokens/USD")).toBe(costMicros * 100n);
    expect(after.get("credit/USD")).toBe(holdMicros - costMicros);
    expect(after.get("holds/USD")).toBe(0n);
    expect(spentBySpans(opened.world.spans)).toBe(costMicros * 100n);
  });

  it("are refused with what is left and the limit that would fit, and clamped to it before", async () => {
    const few = holdOf(body, 3);
    await using opened = await openCreditWorld(
      { ...database, tenantId },
      { creditMicros: few, count: 1 },
    );
    expect((await opened.call()).status).toBe(200);
    expect(opened.provider.bodies[0]).toContain('"max_tokens":3,');
    const refused = await opened.call();
    expect(refused.status).toBe(402);
    const said = JSON.parse(refused.body.toString()) as {
      error: { code: string; message: string };
    };
    expect(said.error.code).toBe("credit_exhausted");
    expect(said.error.message).toContain(`${holdOf(body, 20)} micros were asked for`);
  });

  it("keep within the budgets of their key, user and tags, of which a refusal names the tightest", async () => {
    await using opened = await openCreditWorld(
      { ...database, tenantId },
      { creditMicros: costMicros * 10_000n },
    );
    const terms = {
      budgetId: "team-a",
      currency: "USD",
      scope: { kind: "tag", value: "team-a" },
      window: { kind: "total" },
      limitMicros: costMicros * 9n + holdOf(body, 20),
      isHard: true,
      thresholdPercents: [],
    };
    await opened.call();
    await opened.ask({ kind: "set-budget", terms, spentMicros: 0n });
    const tagged = ["x-faultline-tags: other, team-a"];
    const first = await Promise.all(Array.from({ length: 8 }, () => opened.call(body, tagged)));
    expect(first.map(({ status }) => status)).toEqual(first.map(() => 200));
    let refused = await opened.call(body, tagged);
    while (refused.status === 200) refused = await opened.call(body, tagged);
    expect(refused.status).toBe(402);
    expect(refused.body.toString()).toContain("the budget 'team-a' leaves");
    // Others are not concerned.
    expect((await opened.call()).status).toBe(200);
    const spent = BigInt(opened.provider.bodies.length - 2) * costMicros;
    expect(spent).toBeLessThanOrEqual(terms.limitMicros);
  });

  it("are refused when the account is closed", async () => {
    await using opened = await openCreditWorld(
      { ...database, tenantId },
      { creditMicros: costMicros * 100n, count: 1 },
    );
    expect((await opened.call()).status).toBe(200);
    await opened.ask({ kind: "close-account", currency: "USD" });
    let refused = await opened.call();
    // What was lent before may still be used.
    while (refused.status === 200) refused = await opened.call();
    expect(refused.body.toString()).toContain("account_closed");
  });
});

describe("calls of a tenant without an account", () => {
  it("are carried without credit", async () => {
    await using opened = await openCreditWorld(
      { ...database, tenantId },
      { creditMicros: 0n, count: 1, paying: [] },
    );
    expect((await opened.call()).status).toBe(200);
    expect(opened.provider.bodies).toEqual([body.replace("model-a", "vendor/model-a-2026")]);
  });
});
