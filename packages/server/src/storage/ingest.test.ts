import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { IngestBatch } from "./store.ts";

const stack = new AsyncDisposableStack();
const signal = new AbortController().signal;
let database: TestDatabase;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
  // A table like those of telemetry, which ingest may fill and not read.
  await database.sql("set role faultline_owner");
  await database.sql(
    "create table probe (tenant_id text, n bigint primary key, note text, at timestamptz)",
  );
  await database.sql("alter table probe enable row level security");
  await database.sql("alter table probe force row level security");
  await database.sql("grant insert on probe to faultline_ingest");
  await database.sql(
    "create policy probe_ingest on probe for insert to faultline_ingest with check (true)",
  );
  await database.sql("reset role");
});
afterAll(async () => await stack.disposeAsync());

const batch = (rows: IngestBatch["rows"], more: Partial<IngestBatch> = {}): IngestBatch => ({
  table: "probe",
  columns: ["tenant_id", "n", "note"],
  rows,
  ...more,
});

test("inserts rows of several tenants and tables in one transaction", async () => {
  const count = await database.store.ingest(signal, [
    batch([
      ["a", "1", "one"],
      ["b", "2", null],
    ]),
    batch([["c", "3", "three"]]),
  ]);
  expect(count).toBe(3);
  expect(await database.sql("select tenant_id, n, note from probe order by n")).toEqual([
    { tenant_id: "a", n: "1", note: "one" },
    { tenant_id: "b", n: "2", note: null },
    { tenant_id: "c", n: "3", note: "three" },
  ]);
});

test("keeps every character, save NUL, which PostgreSQL cannot hold", async () => {
  const notes = [
    "tab\there",
    "line\nfeed\r\n",
    "back\\slash \\N \\.",
    "\\N",
    "",
    "Zürich 🜨",
    "a\0b",
  ];
  await database.store.ingest(signal, [
    batch(notes.map((note, index) => ["a", String(100 + index), note])),
  ]);
  const stored = await database.sql<{ note: string }>(
    "select note from probe where n >= 100 and n < 200 order by n",
  );
  expect(stored.map((row) => row.note)).toEqual([...notes.slice(0, -1), "a\uFFFDb"]);
});

test("a bad row fails the whole call and leaves nothing, and the next call works", async () => {
  const before = await database.sql("select count(*) from probe");
  await expect(
    database.store.ingest(signal, [
      batch([["a", "1000", "good"]]),
      batch([["a", "no number", ""]]),
    ]),
  ).rejects.toThrow(/bigint/);
  await expect(database.store.ingest(signal, [batch([["a", "1001"]])])).rejects.toThrow(
    "2 values for 3 columns",
  );
  await expect(
    database.store.ingest(signal, [batch([["a", "1"]], { columns: ["tenant_id", "absent"] })]),
  ).rejects.toThrow("no column absent");
  expect(await database.sql("select count(*) from probe")).toEqual(before);
  expect(await database.store.ingest(signal, [batch([["a", "1002", "later"]])])).toBe(1);
});

test("a row that is there already fails the call, or is left out when asked", async () => {
  await database.store.ingest(signal, [batch([["a", "5000", "first"]])]);
  await expect(
    database.store.ingest(signal, [batch([["a", "5000", "again"]])]),
  ).rejects.toMatchObject({ code: "23505" });
  const rows = [
    ["a", "5000", "again"],
    ["a", "5001", "new"],
  ];
  expect(await database.store.ingest(signal, [batch(rows, { onConflict: "skip" })])).toBe(1);
  expect(await database.sql("select note from probe where n = 5000")).toEqual([{ note: "first" }]);
});

test("takes more rows than fit one chunk, from a generator, without holding them", async () => {
  function* many(): Generator<[string, string, string]> {
    for (let n = 0; n < 20_000; n += 1) yield ["a", String(10_000 + n), "x".repeat(50)];
  }
  expect(await database.store.ingest(signal, [batch(many())])).toBe(20_000);
});

test("a source of rows that fails in the middle leaves nothing", async () => {
  function* failing(): Generator<[string, string, string]> {
    yield ["a", "90000", "x".repeat(100_000)];
    throw new Error("the source broke");
  }
  await expect(database.store.ingest(signal, [batch(failing())])).rejects.toThrow(
    "the source broke",
  );
  expect(await database.sql("select 1 from probe where n = 90000")).toEqual([]);
  await database.store.ingest(signal, [batch([["a", "90001", null]])]);
});
