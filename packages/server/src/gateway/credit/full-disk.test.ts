/** What becomes of calls and credit when the disk takes no more of the journal of usage. */

import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";

import type { TenantId } from "@faultline/protocol";
import { openTestDatabase, type TestDatabase, until } from "@faultline/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

import { costMicros, openCreditWorld } from "./test/credit-world.ts";

const stack = new AsyncDisposableStack();
let database: TestDatabase;
let tenantId: TenantId;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
  tenantId = await database.createTenant("full-disk");
});
afterAll(() => stack.disposeAsync());

/** Lets a process write no file beyond so many bytes, as a full disk would; the system cuts what goes over it. */
function limitFiles(processId: number, bytes: string): void {
  execFileSync("prlimit", ["--pid", String(processId), `--fsize=${bytes}:`]);
}

const hasLimits = ((): boolean => {
  try {
    execFileSync("prlimit", ["--version"]);
    return true;
  } catch {
    return false;
  }
})();

async function micros(account: string): Promise<bigint> {
  const [row] = await database.sql<{ micros: string }>(
    "select balance_micros::text as micros from ledger_account where tenant_id = $1 and id = $2",
    [tenantId, account],
  );
  return BigInt(row?.micros ?? 0);
}

test.runIf(hasLimits)(
  "a full disk refuses calls before anything is asked or held, and loses nothing of what it took",
  async () => {
    const folder = await mkdtemp("/tmp/faultline-disk-");
    const creditMicros = costMicros * 10_000n;
    const settings = { journalFolder: folder, count: 1, leaseDurationMs: 3_000 };
    const opened = await openCreditWorld({ ...database, tenantId }, { creditMicros, ...settings });
    const { gateway } = opened.world;
    for (let count = 0; count < 10; count += 1) expect((await opened.call()).status).toBe(200);

    const usage = path.join(folder, "usage");
    const [file = ""] = await readdir(usage);
    const { size } = await stat(path.join(usage, file));
    const [worker = 0] = gateway.workerIds;
    // The next line is torn, and no file can be begun.
    limitFiles(worker, String(size + 20));
    const torn = await opened.call();
    expect(torn.status).toBe(503);
    limitFiles(worker, "0");
    expect((await opened.call()).status).toBe(503);
    await until(() => gateway.failedJournalCount === 1);
    const asked = opened.provider.bodies.length;
    for (let count = 0; count < 5; count += 1) expect((await opened.call()).status).toBe(503);
    expect(opened.provider.bodies).toHaveLength(asked);
    expect(await gateway.metrics()).toMatch(/^faultline_gateway_journals_failed(\{.*\})? 1$/m);
    // It does not fill with empty files.
    expect((await readdir(usage)).length).toBeLessThanOrEqual(2);

    limitFiles(worker, "unlimited");
    await until(async () => (await opened.call()).status === 200);
    await until(() => gateway.failedJournalCount === 0);
    // It dies with torn lines in its journal, which is whole all the same.
    process.kill(worker, "SIGKILL");
    await until(async () => {
      const reply = await opened.call().catch(() => undefined);
      return reply?.status === 200;
    });
    await until(async () => (await opened.call()).status === 200);
    const open =
      "select count(*)::int as count from ledger_hold where tenant_id = $1 and state = 'open' and id not like $2";
    const living = (await readdir(usage)).toSorted().at(-1)?.split(".")[1] ?? "";
    await until(async () => {
      const [row] = await database.sql<{ count: number }>(open, [tenantId, `%/${living}/%`]);
      return row?.count === 0;
    });
    const served = BigInt(opened.provider.bodies.length);
    await opened[Symbol.asyncDispose]();
    expect(await micros("usage:tokens/USD")).toBe(served * costMicros);
    expect(await micros("usage:unread/USD")).toBe(0n);
    expect(await micros("holds/USD")).toBe(0n);
    expect(await micros("credit/USD")).toBe(creditMicros - served * costMicros);
    await rm(folder, { recursive: true });
  },
);
