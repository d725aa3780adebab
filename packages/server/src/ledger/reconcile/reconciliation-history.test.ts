import { randomBytes } from "node:crypto";

import type { LedgerDifference } from "@faultline/protocol";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { TenantScope } from "#storage/index.ts";

import { ReconciliationHistory } from "./reconciliation-history.ts";

const { signal } = new AbortController();
const atMs = 1_800_000_000_000;
let database: TestDatabase;
let scope: TenantScope;
let count = 0;

beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  scope = { tenantId: await database.createTenant(`history-${(count += 1)}`), signal };
});

function differenceOf(message: string): LedgerDifference {
  const amounts = { expectedMicros: "0", actualMicros: "1" };
  return { kind: "debt-blocks", subject: "debt/USD", ...amounts, message, evidence: [] };
}

function keep(history: ReconciliationHistory, id: string, more: { atMs?: number; text?: string }) {
  const differences = more.text === undefined ? [] : [differenceOf(more.text)];
  const run = { id, atMs: more.atMs ?? atMs, cause: "schedule", actor: undefined } as const;
  return history.keep(scope, { ...run, differences, applied: [] });
}

const idsOf = async (history: ReconciliationHistory): Promise<string[]> =>
  (await history.list(scope, {})).map(({ id }) => id);

describe("the history of reconciliations", () => {
  it("shows each run once in pages, though several are of one millisecond", async () => {
    const history = new ReconciliationHistory({ store: database.store });
    for (const id of ["a", "b", "c"]) await keep(history, id, {});
    await keep(history, "d", { atMs: atMs - 1 });
    await keep(history, "e", { atMs: atMs + 1 });
    const seen: string[] = [];
    for (;;) {
      const beforeId = seen.at(-1);
      const page = { limit: 2, ...(beforeId === undefined ? {} : { beforeId }) };
      const runs = await history.list(scope, page);
      if (runs.length === 0) break;
      seen.push(...runs.map(({ id }) => id));
    }
    expect(seen).toEqual(["e", "c", "b", "a", "d"]);
    await expect(history.list(scope, { beforeId: "unknown" })).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it("drops the oldest runs when all together are too much, and never the newest", async () => {
    const history = new ReconciliationHistory({ store: database.store, bytesMax: 6_500 });
    const text = (): string => randomBytes(750).toString("hex");
    for (const [index, id] of ["a", "b", "c", "d", "e"].entries())
      await keep(history, id, { atMs: atMs + index, text: text() });
    expect(await idsOf(history)).toEqual(["e", "d", "c"]);
    const small = new ReconciliationHistory({ store: database.store, bytesMax: 10 });
    await keep(small, "f", { atMs: atMs + 9, text: text() });
    expect(await idsOf(small)).toEqual(["f"]);
  });

  it("drops runs that are older than 400 days", async () => {
    const history = new ReconciliationHistory({ store: database.store });
    const dayMs = 86_400_000;
    await keep(history, "old", { atMs: atMs - 401 * dayMs });
    await keep(history, "young", { atMs: atMs - 399 * dayMs });
    await keep(history, "now", {});
    expect(await idsOf(history)).toEqual(["now", "young"]);
  });
});
