import { createHash } from "node:crypto";

import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { Client } from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#kernel/index.ts";

import { migrate, type Migration, readMigrations } from "./migrations.ts";
import { openStore } from "./open-store.ts";

const stack = new AsyncDisposableStack();
const options = {
  clock: systemClock,
  logger: pino({ level: "silent" }),
  signal: new AbortController().signal,
};
let database: TestDatabase;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
afterAll(async () => await stack.disposeAsync());

const migration = (name: string, sql: string): Migration => ({
  name,
  sql,
  checksum: createHash("sha256").update(sql).digest("hex"),
});

/** Runs migrations on an empty schema of the test's database. */
async function onEmptySchema<T>(work: (connect: () => Promise<Client>) => Promise<T>): Promise<T> {
  await database.sql("drop schema faultline cascade");
  await database.sql("create schema faultline authorization faultline_owner");
  const clients: Client[] = [];
  try {
    return await work(async () => {
      const client = new Client(database.postgres.clientConfig("faultline_owner"));
      clients.push(client);
      await client.connect();
      return client;
    });
  } finally {
    await Promise.all(clients.map(async (client) => await client.end()));
  }
}

const first = migration("0001-a.sql", "create table a (n int); insert into a values (1)");
const second = migration("0002-b.sql", "create table b (n int)");

test("applies what is missing, in order, and nothing twice", async () => {
  await onEmptySchema(async (connect) => {
    const client = await connect();
    expect(await migrate(client, [first])).toEqual(["0001-a.sql"]);
    expect(await migrate(client, [first, second])).toEqual(["0002-b.sql"]);
    expect(await migrate(client, [first, second])).toEqual([]);
    expect((await client.query("select n from a")).rows).toEqual([{ n: 1 }]);
  });
});

test("two starters at once apply each migration once", async () => {
  await onEmptySchema(async (connect) => {
    const clients = await Promise.all([connect(), connect(), connect()]);
    const added = await Promise.all(
      clients.map(async (client) => await migrate(client, [first, second])),
    );
    expect(added.flat().sort()).toEqual(["0001-a.sql", "0002-b.sql"]);
  });
});

test("refuses an applied migration that was edited, naming the file", async () => {
  await onEmptySchema(async (connect) => {
    const client = await connect();
    await migrate(client, [first, second]);
    await expect(
      migrate(client, [migration("0001-a.sql", "create table a (n bigint)"), second]),
    ).rejects.toMatchObject({
      code: "data_folder_incompatible",
      message: "The migration 0001-a.sql was edited after the database had it.",
      where: "0001-a.sql",
    });
  });
});

test("refuses a database that is newer than the code", async () => {
  await onEmptySchema(async (connect) => {
    const client = await connect();
    await migrate(client, [first, second]);
    await expect(migrate(client, [first])).rejects.toMatchObject({
      code: "data_folder_incompatible",
      message: expect.stringContaining("newer than this version of Faultline"),
      where: "0002-b.sql",
    });
  });
});

test("refuses a migration that was put before an applied one", async () => {
  await onEmptySchema(async (connect) => {
    const client = await connect();
    await migrate(client, [first, second]);
    const late = migration("0001-late.sql", "select 1");
    await expect(migrate(client, [first, late, second])).rejects.toMatchObject({
      code: "data_folder_incompatible",
      where: "0001-late.sql",
    });
  });
});

test("a migration that fails leaves nothing of itself, and the next try continues", async () => {
  await onEmptySchema(async (connect) => {
    const client = await connect();
    const broken = migration("0002-b.sql", "create table b (n int); select 1 / 0");
    await expect(migrate(client, [first, broken])).rejects.toMatchObject({
      where: "0002-b.sql",
      message: expect.stringContaining("division by zero"),
    });
    expect(await migrate(client, [first, second])).toEqual(["0002-b.sql"]);
  });
});

test("the product's migrations are found, ordered, and give a store that opens twice at once", async () => {
  const names = (await readMigrations()).map(({ name }) => name);
  expect(names[0]).toBe("0001-foundation.sql");
  expect(names).toEqual([...names].sort());

  await database.sql("drop schema faultline cascade");
  const { postgres } = database;
  const stores = await Promise.all([
    openStore({ ...options, postgres }),
    openStore({ ...options, postgres }),
  ]);
  await Promise.all(stores.map(async (store) => await store.ping(options.signal)));
  await Promise.all(stores.map(async (store) => await store[Symbol.asyncDispose]()));
  expect(await database.sql("select name from migration order by name")).toEqual(
    names.map((name) => ({ name })),
  );
});

test("transfers of earlier versions stand in batches afterwards, and read as they did", async () => {
  await onEmptySchema(async (connect) => {
    const client = await connect();
    const all = await readMigrations();
    const before = all.filter(({ name }) => name < "0014");
    await migrate(client, before);
    // Commands of three transfers each, one of which would cross the end of a batch.
    await database.sql(
      `insert into faultline.ledger_transfer
       select tenant, n, 'command-' || (n - 1) / 3, 1000 + n, 'grants/USD', 'credit/USD', n, 'granted',
         case n % 3 when 0 then 'lot-' || n % 7 end, case n % 3 when 1 then 'hold-' || n end, null
       from (values ('a', 4500), ('b', 1)) as listed (tenant, count), generate_series(1, count) as n`,
    );
    const columns =
      "tenant_id, sequence, command_id, at_ms, from_account, to_account, amount_micros, reason, lot_id, hold_id, usage_id";
    const read = `select ${columns} from faultline.ledger_transfer order by tenant_id, sequence`;
    const written = await database.sql(read);
    expect(await migrate(client, all)).toEqual(all.slice(before.length).map(({ name }) => name));
    expect(await database.sql(read)).toEqual(written);
    const [{ count, torn } = {}] = await database.sql<{ count: string; torn: string }>(
      `select (select count(*) from faultline.ledger_batch) as count, (select count(*) from (
         select from faultline.ledger_transfer group by tenant_id, command_id having count(distinct batch_first) > 1) t) as torn`,
    );
    expect([count, torn]).toEqual(["4", "0"]);
  });
});

test("what is open in earlier versions is found by groups afterwards", async () => {
  await onEmptySchema(async (connect) => {
    const client = await connect();
    const all = await readMigrations();
    await migrate(
      client,
      all.filter(({ name }) => name < "0019"),
    );
    await database.sql(
      `insert into faultline.ledger_hold (tenant_id, id, kind, state, ends_at_ms, record)
       select tenant, 'hold-' || n, case n % 5 when 0 then 'lease' else 'hold' end,
         case when n % 3 = 0 then 'open' else 'settled' end, 9000 - n, json_build_object('n', n)
       from (values ('a', 900), ('b', 3), ('c', 2)) as listed (tenant, count), generate_series(1, count) as n`,
    );
    await migrate(client, all);
    const columns = "tenant_id, id, kind, remaining_micros, ends_at_ms, record::text";
    const open = await database.sql(
      `select ${columns} from faultline.ledger_open_hold order by tenant_id, id`,
    );
    expect(open).toHaveLength(301);
    expect(open).toEqual(
      await database.sql(
        `select ${columns} from faultline.ledger_hold where state = 'open' order by tenant_id, id`,
      ),
    );
    const groups = await database.sql(
      "select tenant_id, number, hold_count, ends_from_ms from faultline.ledger_open_group order by tenant_id, number desc",
    );
    expect(groups).toEqual([
      { tenant_id: "a", number: "-1", hold_count: 128, ends_from_ms: "8100" },
      { tenant_id: "a", number: "-2", hold_count: 128, ends_from_ms: "8484" },
      { tenant_id: "a", number: "-3", hold_count: 44, ends_from_ms: "8868" },
      { tenant_id: "b", number: "-1", hold_count: 1, ends_from_ms: "8997" },
    ]);
  });
});
