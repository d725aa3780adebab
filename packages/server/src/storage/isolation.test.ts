import { openTestDatabase } from "@faultline/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { databaseRoles } from "./postgres/connection.ts";

type Database = Awaited<ReturnType<typeof openTestDatabase>>;
const signal = new AbortController().signal;
const stack = new AsyncDisposableStack();
let database: Database;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
  await database.createTenant("other");
});
afterAll(async () => await stack.disposeAsync());

async function asRole<T>(
  role: (typeof databaseRoles)[number],
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(database.postgres.clientConfig(role));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const key = (tenantId: string, mark: string): string =>
  `insert into api_key (id, tenant_id, name, role, hash, prefix)
   values (gen_random_uuid(), '${tenantId}', 'key', 'admin', '${mark.repeat(64)}', 'fl_${tenantId}_')`;

test("every table with a tenant has row-level security enabled and forced", async () => {
  const open = await database.sql(
    `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'faultline' and c.relkind in ('r', 'p') and c.relname <> 'migration'
       and not (c.relrowsecurity and c.relforcerowsecurity)`,
  );
  expect(open).toEqual([]);
});

test("every table shows no row to the serving role while no tenant is set", async () => {
  await database.sql(key("default", "a"));
  await database.sql(key("other", "b"));
  const tables = await database.sql<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'faultline' and c.relkind in ('r', 'p') and not c.relispartition
       and has_table_privilege('faultline_app', c.oid, 'select') order by 1`,
  );
  expect(tables.length).toBeGreaterThanOrEqual(2);
  await asRole("faultline_app", async (client) => {
    for (const { name } of tables) {
      const { rows } = await client.query(`select count(*)::int as rows from ${name}`);
      expect({ name, rows: rows[0].rows }).toEqual({ name, rows: 0 });
    }
  });
  expect(await database.sql("select 1 from api_key")).toHaveLength(2);
});

test("no role can bypass row-level security, and only the owner owns anything", async () => {
  const roles = await database.sql<{ name: string; strong: boolean }>(
    `select rolname as name, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as strong
     from pg_roles where rolname = any ($1) order by 1`,
    [[...databaseRoles]],
  );
  expect(roles).toEqual([...databaseRoles].sort().map((name) => ({ name, strong: false })));
  const owned = await database.sql(
    `select c.relname, r.rolname from pg_class c join pg_roles r on r.oid = c.relowner
     where r.rolname like 'faultline\\_%' and r.rolname not in ('faultline_owner', 'faultline_superuser')
       and c.relpersistence <> 't'`,
  );
  expect(owned).toEqual([]);
  const members = await database.sql(
    "select 1 from pg_auth_members m join pg_roles r on r.oid = m.member where r.rolname like 'faultline%'",
  );
  expect(members).toEqual([]);
});

test("a session of a serving role can become no other role", async () => {
  await asRole("faultline_app", async (client) => {
    for (const statement of [
      "set role faultline_owner",
      "set role faultline_system",
      "set session authorization faultline_superuser",
    ]) {
      await expect(client.query(statement)).rejects.toThrow(/permission denied/);
    }
    await client.query("set role none");
    expect((await client.query("select current_user as name")).rows).toEqual([
      { name: "faultline_app" },
    ]);
  });
});

test("a tenant reads and writes its own rows and no others", async () => {
  const scope = { tenantId: database.tenantId, signal };
  const seen = await database.store.read(
    scope,
    async (reader) => await reader.selectFrom("tenant").select("id").execute(),
  );
  expect(seen).toEqual([{ id: "default" }]);

  const touched = await database.store.transact(
    scope,
    async (writer) => await writer.updateTable("api_key").set({ name: "mine" }).executeTakeFirst(),
  );
  expect(touched.numUpdatedRows).toBe(1n);
  expect(await database.sql("select name from api_key where tenant_id = 'other'")).toEqual([
    { name: "key" },
  ]);

  await expect(
    database.store.transact(
      scope,
      async (writer) =>
        await writer
          .insertInto("api_key")
          .values({
            id: "01900000-0000-7000-8000-000000000000",
            tenant_id: (await database.sql<{ id: "other" }>("select 'other' as id"))[0]!
              .id as never,
            name: "planted",
            role: "admin",
            hash: "c".repeat(64),
            prefix: "fl_other_",
          })
          .execute(),
    ),
  ).rejects.toThrow(/row-level security/);
  await expect(
    database.store.transact(
      scope,
      async (writer) =>
        await writer
          .updateTable("api_key")
          .set({ tenant_id: "other" as never })
          .execute(),
    ),
  ).rejects.toThrow(/row-level security/);
});

test("a tenant id cannot smuggle SQL into the transaction", async () => {
  const scope = { tenantId: "x', true); set role faultline_owner; --" as never, signal };
  const rows = await database.store.read(
    scope,
    async (reader) => await reader.selectFrom("tenant").selectAll().execute(),
  );
  expect(rows).toEqual([]);
});

test("the tenant of one transaction is not there in the next of the same session", async () => {
  await asRole("faultline_app", async (client) => {
    await client.query("begin; select set_config('faultline.tenant', 'default', true)");
    expect((await client.query("select id from tenant")).rows).toEqual([{ id: "default" }]);
    await client.query("commit");
    expect((await client.query("select id from tenant")).rows).toEqual([]);
  });
});

test("the ingest role reads nothing", async () => {
  await asRole("faultline_ingest", async (client) => {
    const tables = await database.sql<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'faultline'",
    );
    for (const { name } of tables) {
      await expect(client.query(`select * from ${name}`)).rejects.toThrow(/permission denied/);
    }
  });
});

test("the system role sees tenants and keys, and cannot delete them", async () => {
  const tenants = await database.store.system(
    signal,
    async (writer) => await writer.selectFrom("tenant").select("id").orderBy("id").execute(),
  );
  expect(tenants.map((tenant) => tenant.id)).toEqual(["default", "other"]);
  await expect(
    database.store.system(signal, async (writer) => await writer.deleteFrom("tenant").execute()),
  ).rejects.toThrow(/permission denied/);
});

test("the backup role reads every table and writes none", async () => {
  await asRole("faultline_backup", async (client) => {
    const tables = await database.sql<{ name: string; rows: number }>(
      "select tablename as name from pg_tables where schemaname = 'faultline' and tablename !~ '_\\d{8}$'",
    );
    for (const { name } of tables) {
      const all = await database.sql(`select count(*) from ${name}`);
      expect((await client.query(`select count(*) from ${name}`)).rows).toEqual(all);
      await expect(client.query(`delete from ${name}`)).rejects.toThrow(/permission denied/);
    }
  });
});

test("a serving role can make nothing in the schema, and no other database object is open to it", async () => {
  await asRole("faultline_app", async (client) => {
    await expect(client.query("create table faultline.mine ()")).rejects.toThrow(
      /permission denied/,
    );
    await expect(client.query("create table public.mine ()")).rejects.toThrow(/permission denied/);
    await expect(client.query("create temporary table mine ()")).rejects.toThrow(
      /permission denied/,
    );
  });
});
