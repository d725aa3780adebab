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
});
