/** Control processes that are killed with SIGKILL between a hold, the start of its work, its intervals and its completion. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { openComputeProcess, type WorkStep } from "./test/compute-process.ts";

/** More than the work has; the loop ends when it is done without coming so far. */
const pointCountMax = 100;
const grantedMicros = 1_000_000n;
/** Two whole intervals, and half of a third one. */
const usedMicros = 60_000n;
const startMs = 1_800_000_000_000;
const steps: readonly WorkStep[] = [
  { kind: "reserve", nowMs: startMs },
  { kind: "heartbeat", nowMs: startMs },
  { kind: "heartbeat", nowMs: startMs + 60_000 },
  { kind: "heartbeat", nowMs: startMs + 120_000 },
  { kind: "complete", nowMs: startMs + 150_000 },
];
const { signal } = new AbortController();
let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

/** Works in a process of its own until that stands at a point and is killed there; which, and how many steps were taken. */
async function workUntil(
  stop: number,
  tenant: string,
): Promise<{ readonly point: string | undefined; readonly takenCount: number }> {
  const { socketFolder, superuser } = inject("faultlinePostgres");
  const [named] = await database.sql<{ name: string }>("select current_database() as name");
  const script = fileURLToPath(new URL("test/run-compute.ts", import.meta.url));
  const words = [socketFolder, superuser, named?.name ?? "", tenant, String(startMs), String(stop)];
  const child = spawn(process.execPath, [script, ...words], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  for (const step of steps) child.stdin.write(`${JSON.stringify(step)}\n`);
  let [point, takenCount]: [string | undefined, number] = [undefined, 0];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "taken") {
      takenCount += 1;
      if (takenCount === steps.length) child.stdin.end();
    } else {
      point = line.replace("at ", "");
      child.kill("SIGKILL");
    }
  }
  const [, killedBy]: unknown[] = await exited;
  expect(killedBy).toBe(point === undefined ? null : "SIGKILL");
  return { point, takenCount };
}

async function grant(tenant: string): Promise<void> {
  await using first = await openComputeProcess({ store: database.store, tenant, startMs });
  const scope = { tenantId: await database.createTenant(tenant), signal };
  const currency = "USD";
  const account = { kind: "open-account", id: "open", currency, limitMicros: 0n } as const;
  await first.ledger.submit(scope, account);
  const lot = { currency, amountMicros: grantedMicros, priority: 0, expiresAtMs: undefined };
  await first.ledger.submit(scope, { kind: "grant", id: "gift", ...lot, currency });
}

const partCount = 4;
const points: string[] = [];

// In parts, so that none of them takes long on a busy machine.
it.each([1, 2, 3, 4])("lose nothing and charge nothing twice: points of part %i", async (part) => {
  for (let stop = part; stop <= pointCountMax; stop += partCount) {
    const tenant = `killed-${stop}`;
    await grant(tenant);
    const { point, takenCount } = await workUntil(stop, tenant);
    if (point === undefined) {
      expect(takenCount).toBe(steps.length);
      break;
    }
    points.push(point);
    // Whoever runs the work got no answer to its last step, and sends it again to the next process.
    const { nowMs } = steps[takenCount] ?? { nowMs: startMs };
    await using next = await openComputeProcess({ store: database.store, tenant, startMs: nowMs });
    for (const step of steps.slice(takenCount)) await next.take(step);
    // The tenant was made above.
    const rows = await database.sql<{ id: string; micros: string }>(
      "select id, amount_micros as micros from ledger_use where tenant_id = $1 order by id",
      [tenant],
    );
    const what = `killed ${point}, at point ${stop}`;
    expect(rows, what).toEqual([
      { id: `${tenant}/j/0`, micros: "24000" },
      { id: `${tenant}/j/1`, micros: "24000" },
      { id: `${tenant}/j/2`, micros: "12000" },
    ]);
    const [account] = await database.sql<{ credit: string; held: string }>(
      `select max(balance_micros) filter (where id = 'credit/USD') as credit,
         max(balance_micros) filter (where id = 'holds/USD') as held
       from ledger_account where tenant_id = $1`,
      [tenant],
    );
    expect(account, what).toEqual({ credit: String(grantedMicros - usedMicros), held: "0" });
    const [reservation] = await database.sql<{ end: string }>(
      "select record -> 'stage' ->> 'end' as end from compute_reservation where tenant_id = $1",
      [tenant],
    );
    expect(reservation?.end, what).toBe("completed");
  }
});

/** What the work has cost by each step. */
const micros = [0n, 0n, 24_000n, 48_000n, usedMicros];

it.each([1, 2, 3, 4])("keep what was answered, if nobody is heard again: part %i", async (part) => {
  for (let stop = part; stop <= pointCountMax; stop += partCount) {
    const tenant = `silent-${stop}`;
    await grant(tenant);
    const { point, takenCount } = await workUntil(stop, tenant);
    if (point === undefined) break;
    await using next = await openComputeProcess({ store: database.store, tenant, startMs });
    const what = `killed ${point}, at point ${stop}, after ${takenCount} steps`;
    // What still waited is let in by the first look; the second ends what was not heard, and the third compares what has ended.
    for (const laterMs of [400_000, 800_000]) await next.lookAt(startMs + laterMs);
    expect(await next.lookAt(startMs + 800_000), what).toEqual([]);
    const [used] = await database.sql<{ micros: string }>(
      "select coalesce(sum(amount_micros), 0) as micros from ledger_use where tenant_id = $1",
      [tenant],
    );
    // The step that was under way counts in whole or not at all.
    const expected = new Set([micros[Math.max(0, takenCount - 1)], micros[takenCount]]);
    expect([...expected], what).toContain(BigInt(used?.micros ?? 0));
    const [account] = await database.sql<{ credit: string; held: string }>(
      `select max(balance_micros) filter (where id = 'credit/USD') as credit,
         coalesce(max(balance_micros) filter (where id = 'holds/USD'), 0) as held
       from ledger_account where tenant_id = $1`,
      [tenant],
    );
    const credit = String(grantedMicros - BigInt(used?.micros ?? 0));
    expect(account, what).toEqual({ credit, held: "0" });
  }
});

it("were killed before and after everything that is written", () => {
  for (const kind of ["hold", "settle", "release"])
    for (const when of ["before", "after"]) expect(points).toContain(`${when} ${kind}`);
  expect(points).toContain("before a reservation is written");
  expect(points).toContain("after a reservation was written");
  expect(points.length).toBeLessThan(pointCountMax);
});
