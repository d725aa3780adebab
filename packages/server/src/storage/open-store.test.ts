import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { sql } from "kysely";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#kernel/index.ts";

import { mapDatabaseError } from "./database-error.ts";
import { registerSessionMetrics } from "./session-metrics.ts";
import { SessionPool } from "./session-pool.ts";
import type { Reader, TenantScope } from "./store.ts";

const stack = new AsyncDisposableStack();
const never = new AbortController().signal;
let database: TestDatabase;
let scope: TenantScope;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
  scope = { tenantId: database.tenantId, signal: never };
});
afterAll(async () => await stack.disposeAsync());

const sessionPid = async (executor: Reader["executor"]): Promise<number> =>
  (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(executor)).rows[0]!.pid;

const rename = async (name: string): Promise<string> =>
  await database.store.transact(scope, async (writer) => {
    const row = await writer
      .insertInto("api_key")
      .values({
        id: sql<string>`gen_random_uuid()`,
        tenant_id: database.tenantId,
        name,
        role: "viewer",
        hash: sql<string>`encode(sha256(${name}::bytea), 'hex')`,
        prefix: "fl_default_",
      })
      .returning("id")
      .executeTakeFirstOrThrow();
    return row.id;
  });

const names = async (): Promise<string[]> =>
  (await database.sql<{ name: string }>("select name from api_key order by name")).map(
    (row) => row.name,
  );

test("commits what a transaction wrote, and gives what it returned", async () => {
  expect(await rename("committed")).toMatch(/^[0-9a-f-]{36}$/);
  expect(await names()).toContain("committed");
});

test("keeps nothing of a transaction that failed, and does not use its session again", async () => {
  let failedPid = 0;
  await expect(
    database.store.transact(scope, async (writer) => {
      failedPid = await sessionPid(writer);
      await writer.updateTable("api_key").set({ name: "half" }).execute();
      throw new Error("changed my mind");
    }),
  ).rejects.toThrow("changed my mind");
  expect(await names()).not.toContain("half");
  for (let turn = 0; turn < 20; turn += 1) {
    const pid = await database.store.read(
      scope,
      async ({ executor }) => await sessionPid(executor),
    );
    expect(pid).not.toBe(failedPid);
  }
});

test("a column of JSON has the keys that were written to it, whatever was read before", async () => {
  const keysOf = async (kind: "json" | "jsonb", text: string): Promise<string[]> =>
    await database.store.read(scope, async ({ executor }) => {
      const read = sql<{ value: object }>`select ${text}::${sql.raw(kind)} as value`;
      return (await read.execute(executor)).rows.flatMap(({ value }) => Object.keys(value));
    });
  await keysOf("jsonb", String.raw`{"#":1,"\\\"":2}`);
  expect(await keysOf("jsonb", String.raw`{"#":1,"\"b":2}`)).toEqual(["#", '"b']);
  expect(await keysOf("json", String.raw`{"#":1,"\"\u0062":2}`)).toEqual(["#", '"b']);
});

test("a session that was ended in mid-transaction runs nothing outside of it", async () => {
  await expect(
    database.store.transact(scope, async (writer) => {
      const pid = await sessionPid(writer);
      await writer.updateTable("api_key").set({ name: "torn" }).execute();
      await database.sql("select pg_terminate_backend($1)", [pid]);
      await writer.updateTable("api_key").set({ name: "torn, and committed alone" }).execute();
    }),
  ).rejects.toMatchObject({ code: "database_unavailable" });
  expect((await names()).filter((name) => name.startsWith("torn"))).toEqual([]);
  await rename("after the loss");
  expect(await names()).toContain("after the loss");
});

test("a session that was ended while idle is replaced without an error", async () => {
  const pid = await database.store.read(scope, async ({ executor }) => await sessionPid(executor));
  await database.sql("select pg_terminate_backend($1)", [pid]);
  for (;;) {
    const left = await database.sql("select 1 from pg_stat_activity where pid = $1", [pid]);
    if (left.length === 0) break;
  }
  // The loss may be noticed only by using the session; after that one failure, the pool is whole.
  await database.store.ping(never).catch(() => {});
  await database.store.ping(never);
});

test("reads see one state, and cannot write", async () => {
  await database.store.read(scope, async (reader) => {
    const before = await reader.selectFrom("api_key").select("id").execute();
    await rename("meanwhile");
    const after = await reader.selectFrom("api_key").select("id").execute();
    expect(after).toEqual(before);
  });
  await expect(
    database.store.read(
      scope,
      async ({ executor }) => await sql`update api_key set name = 'no'`.execute(executor),
    ),
  ).rejects.toThrow(/read-only transaction/);
});

test("an abort ends the wait at once and the statement soon after", async () => {
  const controller = new AbortController();
  const reading = database.store.read(
    { ...scope, signal: controller.signal },
    async ({ executor }) => {
      await sql`select pg_sleep(3600) as marked_sleep`.execute(executor);
    },
  );
  const refused = expect(reading).rejects.toThrow("enough");
  const running = async (): Promise<number> =>
    (
      await database.sql(
        "select 1 from pg_stat_activity where query like '%marked_sleep%' and state = 'active' and pid <> pg_backend_pid()",
      )
    ).length;
  while ((await running()) === 0);
  controller.abort(new Error("enough"));
  await refused;
  while ((await running()) > 0);
});

test("refuses a scope that is aborted already", async () => {
  const signal = AbortSignal.abort(new Error("too late"));
  await expect(database.store.transact({ ...scope, signal }, async () => {})).rejects.toThrow(
    "too late",
  );
});

test("lends no more sessions than its bound, and serves those who wait", async () => {
  await using pool = new SessionPool({
    postgres: database.postgres,
    role: "faultline_app",
    sessionCountMax: 2,
    statementMsMax: 10_000,
    clock: systemClock,
    logger: pino({ level: "silent" }),
  });
  const registry = new Registry();
  registerSessionMetrics(registry, { sessions: () => [pool.sessionUse] });
  let current = 0;
  let highest = 0;
  // A session that opens late would find that the other has served everybody.
  const bothOpen = Promise.withResolvers<void>();
  const all = Promise.all(
    Array.from({ length: 20 }, async () => {
      await pool.use(never, async (client) => {
        current += 1;
        highest = Math.max(highest, current);
        if (current === 2) bothOpen.resolve();
        await bothOpen.promise;
        await client.query("select pg_sleep(0.005)");
        current -= 1;
      });
    }),
  );
  expect(pool.sessionUse).toMatchObject({ limit: 2, waiting: 18 });
  const metrics = await registry.metrics();
  expect(metrics).toContain('faultline_database_sessions{role="faultline_app",state="waiting"} 18');
  await all;
  expect(highest).toBe(2);
  expect(pool.sessionUse).toMatchObject({ open: 2, idle: 2, waiting: 0 });
});

test("one who stops waiting for a session leaves it to the next", async () => {
  await using pool = new SessionPool({
    postgres: database.postgres,
    role: "faultline_app",
    sessionCountMax: 1,
    statementMsMax: 10_000,
    clock: systemClock,
    logger: pino({ level: "silent" }),
  });
  const gate = Promise.withResolvers<void>();
  const holding = pool.use(never, async () => await gate.promise);
  const controller = new AbortController();
  const waiting = pool.use(controller.signal, async () => {});
  const refused = expect(waiting).rejects.toThrow("gave up");
  controller.abort(new Error("gave up"));
  await refused;
  gate.resolve();
  await holding;
  await pool.use(never, async (client) => await client.query("select 1"));
});

test("a statement beyond its time limit is cancelled and named as such", async () => {
  await using pool = new SessionPool({
    postgres: database.postgres,
    role: "faultline_app",
    sessionCountMax: 1,
    statementMsMax: 50,
    clock: systemClock,
    logger: pino({ level: "silent" }),
  });
  await expect(
    pool.use(never, async (client) => await client.query("select pg_sleep(3600)")),
  ).rejects.toMatchObject({
    code: "database_unavailable",
    message: expect.stringContaining("past its time limit"),
  });
});

test("a server that is away is named as such", async () => {
  const away = (config: object): object => ({ ...config, host: "/nowhere" });
  await using pool = new SessionPool({
    postgres: {
      ...database.postgres,
      clientConfig: (role) => away(database.postgres.clientConfig(role)),
    },
    role: "faultline_app",
    sessionCountMax: 1,
    statementMsMax: 1_000,
    clock: systemClock,
    logger: pino({ level: "silent" }),
  });
  await expect(pool.use(never, async () => {})).rejects.toMatchObject({
    code: "database_unavailable",
  });
});

test("a session in another role than asked for is refused", async () => {
  await using pool = new SessionPool({
    postgres: {
      ...database.postgres,
      clientConfig: () => database.postgres.clientConfig("faultline_system"),
    },
    role: "faultline_app",
    sessionCountMax: 1,
    statementMsMax: 1_000,
    clock: systemClock,
    logger: pino({ level: "silent" }),
  });
  await expect(pool.use(never, async () => {})).rejects.toMatchObject({
    code: "configuration_invalid",
    message: expect.stringContaining("acts as faultline_system"),
  });
});

test("a session whose start-up options were dropped on the way is refused", async () => {
  await using pool = new SessionPool({
    postgres: {
      ...database.postgres,
      clientConfig: (role) => ({ ...database.postgres.clientConfig(role), options: "" }),
    },
    role: "faultline_app",
    sessionCountMax: 1,
    statementMsMax: 1_000,
    clock: systemClock,
    logger: pino({ level: "silent" }),
  });
  await expect(pool.use(never, async () => {})).rejects.toMatchObject({
    code: "configuration_invalid",
    message: expect.stringContaining("search path"),
  });
});

test("errors of SQL itself pass unchanged, so that a caller can tell a broken constraint", async () => {
  await rename("twice");
  await expect(rename("twice")).rejects.toMatchObject({ code: "23505" });
  const abort = new DOMException("The operation was aborted", "AbortError");
  expect(mapDatabaseError(abort)).toBe(abort);
});

test("a pool that is closed has no session left on the server, and says nothing of those that end", async () => {
  const lines: string[] = [];
  const pool = new SessionPool({
    postgres: database.postgres,
    role: "faultline_app",
    sessionCountMax: 8,
    statementMsMax: 10_000,
    clock: systemClock,
    logger: pino({ level: "info" }, { write: (line) => void lines.push(line) }),
  });
  const pids = await Promise.all(
    Array.from({ length: 8 }, async () => {
      return await pool.use(never, async (client) => {
        const { rows } = await client.query<{ pid: number }>(
          "select pg_backend_pid() as pid, pg_sleep(0.1)",
        );
        return rows[0]?.pid;
      });
    }),
  );
  const closing = pool[Symbol.asyncDispose]();
  // What a stopping server does to sessions that it still has.
  await database.sql("select pg_terminate_backend(pid) from pg_stat_activity where pid = any($1)", [
    pids,
  ]);
  await closing;
  expect(pool.sessionUse.open).toBe(0);
  expect(lines).toEqual([]);
});

test("a full disk of the database is told as such", async () => {
  const failed = database.store.transact(scope, async (writer) => {
    await sql`do $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$`.execute(
      writer,
    );
  });
  await expect(failed).rejects.toMatchObject({
    code: "storage_full",
    row: { status: 507 },
    hint: expect.stringContaining("Free space"),
  });
});
