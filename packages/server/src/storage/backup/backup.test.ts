import { open, readFile, readdir, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { openTemporaryFolder, openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#kernel/index.ts";

import { type Blobs, openBlobs } from "../blobs.ts";
import { readMigrations } from "../migrations.ts";
import { prepareDatabase } from "../open-store.ts";
import { createBackup } from "./create.ts";
import type { BackupProgress } from "./manifest.ts";
import { restoreBackup } from "./restore.ts";
import { readTar, TarWriter } from "./tar.ts";
import { verifyBackup } from "./verify.ts";

const stack = new AsyncDisposableStack();
const signal = new AbortController().signal;
const logger = pino({ level: "silent" });
let database: TestDatabase;
let folder: string;
let blobs: Blobs;
let good: string;

const spanTime = "2026-03-01 12:00:00+00";

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
  folder = stack.use(await openTemporaryFolder()).path;
  blobs = await openBlobs(join(folder, "blobs"));
  await fill(database, blobs);
  good = join(folder, "good.tar");
  await backUp(good);
});
afterAll(async () => await stack.disposeAsync());

/** Rows with everything that a text format can get wrong, in tables with and without partitions. */
async function fill(target: TestDatabase, into: Blobs): Promise<void> {
  await target.createTenant("other");
  await target.sql(
    `insert into api_key (id, tenant_id, name, role, hash, prefix, expires_at)
     select gen_random_uuid(), 'other', E'tab\\t, newline\\n, \\\\N and Zürich ' || n, 'viewer',
       encode(sha256(n::text::bytea), 'hex'), 'fl_other_', case when n % 2 = 0 then now() end
     from generate_series(1, 2000) n`,
  );
  await target.sql("select telemetry_add_day('2026-03-01'), telemetry_add_day('2026-03-02')");
  // About 8 MB of rows, so that there are several parts.
  await target.sql(
    `insert into span (tenant_id, trace_id, span_id, service, name, kind, start_time, start_rest_nanos, duration_nanos,
       status, attributes, origin_id)
     select 'other', gen_random_uuid(), decode(lpad(to_hex(n), 16, '0'), 'hex'), 'orders', E'GET\\n/orders', 2,
       $1::timestamptz + n * interval '7 seconds', 0, n, 1,
       jsonb_build_object('text', repeat(md5(n::text), 20)), gen_random_uuid()
     from generate_series(1, 10000) n`,
    [spanTime],
  );
  for (const text of ["first snapshot", "second snapshot", ""]) {
    await into.put(new TextEncoder().encode(text));
  }
}

async function backUp(
  file: string,
  onProgress?: (progress: BackupProgress) => void,
): Promise<void> {
  await createBackup({
    postgres: database.postgres,
    blobs,
    file,
    clock: systemClock,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/** A database as it is before the platform's first start. */
async function openEmpty(): Promise<TestDatabase> {
  const empty = await openTestDatabase();
  await empty.sql("drop schema faultline cascade");
  return empty;
}

async function contents(target: TestDatabase): Promise<Record<string, unknown>> {
  const tables = await target.sql<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'faultline' and c.relkind in ('r', 'p') order by 1`,
  );
  const all: Record<string, unknown> = {};
  for (const { name } of tables) {
    // Checksums stand for the rows, whatever their order.
    const rest = name === "migration" ? " - 'applied_at'" : "";
    const [row] = await target.sql(
      `select count(*) as rows, sum(hashtextextended((to_jsonb(t)${rest})::text, 0)) as sum from faultline.${name} t`,
    );
    all[name] = row;
  }
  return all;
}

test("restores every row and blob into a fresh platform, as they were", async () => {
  await using empty = await openEmpty();
  const target = await openBlobs(join(folder, "restored"));
  const stages = new Set<string>();
  await restoreBackup({
    file: good,
    postgres: empty.postgres,
    blobs: target,
    logger,
    signal,
    onProgress: (progress) => {
      stages.add(progress.stage);
      expect(progress.bytesDone).toBeLessThanOrEqual(progress.bytesTotal ?? 0);
    },
  });
  expect(await contents(empty)).toEqual(await contents(database));
  expect(await Array.fromAsync(target.list())).toEqual(await Array.fromAsync(blobs.list()));
  expect(stages).toEqual(new Set(["verifying", "restoring"]));

  // What protects the rows stands again.
  const open = await empty.sql(
    `select relname from pg_class where relnamespace = 'faultline'::regnamespace and relkind in ('r', 'p')
     and relname <> 'migration' and not (relrowsecurity and relforcerowsecurity)`,
  );
  expect(open).toEqual([]);
  expect(await empty.sql("select 1 from pg_trigger where tgenabled = 'D'")).toEqual([]);
  await empty.store.ping(signal);
});

test("writes a private file, and tables in several bounded parts", async () => {
  expect((await stat(good)).mode & 0o777).toBe(0o600);
  const manifest = await verifyBackup({ file: good, signal });
  const span = manifest.tables.find((table) => table.name === "span");
  expect(span?.rowCount).toBe(10_000);
  expect(span?.parts.length).toBeGreaterThan(1);
  expect(manifest.blobs.count).toBe(3);
  expect(manifest.partitions.map((partition) => partition.name)).toContain("span_20260302");
  expect((await readdir(folder)).filter((name) => name.includes("partial"))).toEqual([]);
});

test("shows one moment, while others write", async () => {
  const writing = new AbortController();
  const writer = (async () => {
    for (let n = 0; !writing.signal.aborted; n += 1) {
      await database.sql("insert into tenant (id) values ($1)", [`busy-${n}`]);
      await database.sql(
        `insert into api_key (id, tenant_id, name, role, hash, prefix)
         values (gen_random_uuid(), $1, 'k', 'viewer', md5($2) || md5($2), 'fl_')`,
        [`busy-${n}`, `busy-${n}`],
      );
    }
  })();
  const busy = join(folder, "busy.tar");
  await backUp(busy);
  writing.abort();
  await writer;
  await using empty = await openEmpty();
  await restoreBackup({ file: busy, postgres: empty.postgres, blobs, logger, signal });
  const counted = await empty.sql<{ tenants: string; keys: string }>(
    `select (select count(*) from tenant where id like 'busy-%') as tenants,
       (select count(*) from api_key where tenant_id like 'busy-%') as keys`,
  );
  const { tenants, keys } = counted[0]!;
  expect(Number(tenants) - Number(keys)).toBeGreaterThanOrEqual(0);
  expect(Number(tenants) - Number(keys)).toBeLessThanOrEqual(1);
});

test("replaces no file, and leaves none when it is aborted", async () => {
  await expect(backUp(good)).rejects.toMatchObject({ code: "conflict", where: good });
  const file = join(folder, "aborted.tar");
  const controller = new AbortController();
  const running = createBackup({
    postgres: database.postgres,
    blobs,
    file,
    clock: systemClock,
    signal: controller.signal,
    onProgress: () => controller.abort(new Error("enough")),
  });
  await expect(running).rejects.toThrow("enough");
  expect((await readdir(folder)).filter((name) => name.startsWith("aborted"))).toEqual([]);
});

test("refuses to restore over data", async () => {
  await expect(
    restoreBackup({ file: good, postgres: database.postgres, blobs, logger, signal }),
  ).rejects.toMatchObject({ code: "conflict" });
});

test("a restore that fails leaves no row, and can be repeated", async () => {
  await using empty = await openEmpty();
  const broken: Blobs = {
    ...blobs,
    put: async () => await Promise.reject(new Error("the disk broke")),
  };
  const restore = async (into: Blobs): Promise<unknown> =>
    await restoreBackup({ file: good, postgres: empty.postgres, blobs: into, logger, signal });
  await expect(restore(broken)).rejects.toThrow("the disk broke");
  expect(await empty.sql("select 1 from tenant")).toEqual([]);
  await restore(await openBlobs(join(folder, "second-try")));
  expect(await empty.sql("select 1 from span limit 1")).toHaveLength(1);
});

test("brings a backup of an older version up to date", async () => {
  const migrations = await readMigrations();
  await using old = await openEmpty();
  await prepareDatabase({ postgres: old.postgres, logger, signal }, migrations.slice(0, 1));
  await old.createTenant("veteran");
  const file = join(folder, "older.tar");
  const few = await openBlobs(join(folder, "older-blobs"));
  const { postgres } = old;
  const made = await createBackup({ postgres, blobs: few, file, clock: systemClock, signal });
  expect(made.tables.map((table) => table.name)).toEqual(["tenant", "api_key"]);

  await using empty = await openEmpty();
  await restoreBackup({ file, postgres: empty.postgres, blobs: few, logger, signal });
  expect(await empty.sql("select id from tenant")).toEqual([{ id: "veteran" }]);
  expect(await empty.sql("select name from migration order by name")).toEqual(
    migrations.map(({ name }) => ({ name })),
  );
});

test("counts on where sequences stood", async () => {
  const sequence = "create sequence faultline.probe_number";
  const own = "alter sequence faultline.probe_number owner to faultline_owner";
  await using source = await openTestDatabase();
  await using target = await openTestDatabase();
  for (const each of [source, target]) {
    await each.sql(sequence);
    await each.sql(own);
    // A store that opens lets the backup role read what is new.
    await prepareDatabase({ postgres: each.postgres, logger, signal }, await readMigrations());
  }
  await source.sql("select setval('faultline.probe_number', 41)");
  await target.sql("delete from tenant");
  const file = join(folder, "sequence.tar");
  const { postgres } = source;
  await createBackup({ postgres, blobs, file, clock: systemClock, signal });
  await restoreBackup({ file, postgres: target.postgres, blobs, logger, signal });
  expect(await target.sql("select nextval('faultline.probe_number') as n")).toEqual([{ n: "42" }]);
});

test("refuses a backup of a newer version", async () => {
  const file = join(folder, "newer.tar");
  await database.sql("insert into migration (name, checksum) values ('9999-future.sql', $1)", [
    "0".repeat(64),
  ]);
  await backUp(file);
  await database.sql("delete from migration where name = '9999-future.sql'");
  await using empty = await openEmpty();
  await expect(
    restoreBackup({ file, postgres: empty.postgres, blobs, logger, signal }),
  ).rejects.toMatchObject({ code: "data_folder_incompatible", where: "9999-future.sql" });
});

/** A small archive of one tenant, so that it can be read hundreds of times. */
async function makeSmall(file: string): Promise<Buffer> {
  await using small = await openTestDatabase();
  const few = await openBlobs(join(folder, "few"));
  await few.put(new TextEncoder().encode("a snapshot"));
  const { postgres } = small;
  await createBackup({ postgres, blobs: few, file, clock: systemClock, signal });
  return await readFile(file);
}

test("refuses a flipped bit at any place, naming the entry", async () => {
  const file = join(folder, "flipped.tar");
  const bytes = await makeSmall(file);
  const archive = await open(file, "r+");
  try {
    for (let position = 0; position < bytes.length; position += 13) {
      await archive.write(Buffer.from([bytes[position]! ^ 0x10]), 0, 1, position);
      await expect(verifyBackup({ file, signal }), `byte ${position}`).rejects.toMatchObject({
        code: expect.stringMatching(/^(backup_corrupt|data_folder_incompatible)$/),
        where: expect.stringMatching(/./),
      });
      await archive.write(bytes, position, 1, position);
    }
    await verifyBackup({ file, signal });
  } finally {
    await archive.close();
  }
});

test("refuses an archive that ends early, at any place", async () => {
  const file = join(folder, "short.tar");
  const bytes = await makeSmall(join(folder, "short-original.tar"));
  for (let length = 0; length < bytes.length; length += 256) {
    await writeFile(file, bytes.subarray(0, length));
    await expect(verifyBackup({ file, signal }), `${length} bytes`).rejects.toMatchObject({
      code: "backup_corrupt",
    });
  }
  await writeFile(file, Buffer.concat([bytes, Buffer.from("more")]));
  await expect(verifyBackup({ file, signal })).rejects.toMatchObject({ code: "backup_corrupt" });
  await truncate(file, bytes.length);
  await verifyBackup({ file, signal });
});

/** Writes the entries of an archive anew, after a change, with correct headers. */
async function rewrite(
  from: string,
  to: string,
  change: (name: string, bytes: Buffer) => [string, Buffer][],
): Promise<void> {
  const source = await open(from, "r");
  const target = await open(to, "w");
  try {
    const writer = new TarWriter(target, 0);
    for await (const entry of readTar(source)) {
      for (const [name, bytes] of change(entry.name, entry.bytes)) await writer.write(name, bytes);
    }
    await writer.finish();
  } finally {
    await source.close();
    await target.close();
  }
}

test("refuses entries that are missing, doubled, moved, changed or foreign", async () => {
  const original = join(folder, "entries.tar");
  await makeSmall(original);
  const changes: Record<string, [Parameters<typeof rewrite>[2], string]> = {
    "a missing table": [
      (name, bytes) => (name.startsWith("tables/tenant/") ? [] : [[name, bytes]]),
      "tables/tenant/000001.copy.gz",
    ],
    "a missing blob": [
      (name, bytes) => (name.startsWith("blobs/") ? [] : [[name, bytes]]),
      "blobs/",
    ],
    "a changed blob": [
      (name, bytes) => [[name, name.startsWith("blobs/") ? Buffer.from("other") : bytes]],
      "blobs/sha256/",
    ],
    "a doubled table": [
      (name, bytes) =>
        name.startsWith("tables/tenant/")
          ? [
              [name, bytes],
              [name, bytes],
            ]
          : [[name, bytes]],
      "tables/tenant/000001.copy.gz",
    ],
    "rows that are no gzip": [
      (name, bytes) => [[name, name.startsWith("tables/tenant/") ? Buffer.from("rows") : bytes]],
      "tables/tenant/000001.copy.gz",
    ],
    "a foreign entry": [
      (name, bytes) =>
        name === "manifest.json"
          ? [
              ["readme.txt", bytes],
              [name, bytes],
            ]
          : [[name, bytes]],
      "readme.txt",
    ],
    "a manifest that was edited": [
      (name, bytes) => [
        [
          name,
          name === "manifest.json" ? Buffer.from(String(bytes).replace("tenant", "tenanT")) : bytes,
        ],
      ],
      "manifest.json",
    ],
    "no manifest": [
      (name, bytes) => (name.startsWith("manifest") ? [] : [[name, bytes]]),
      "manifest.json",
    ],
    "another kind of archive": [(_, bytes) => [["readme.txt", bytes]], "faultline-backup.json"],
  };
  const file = join(folder, "changed.tar");
  for (const [title, [change, where]] of Object.entries(changes)) {
    await rewrite(original, file, change);
    await expect(verifyBackup({ file, signal }), title).rejects.toMatchObject({
      code: "backup_corrupt",
      where: expect.stringContaining(where),
    });
  }
  await rewrite(original, file, (name, bytes) => [
    [name, name === "faultline-backup.json" ? Buffer.from(String(bytes).replace("1", "2")) : bytes],
  ]);
  await expect(verifyBackup({ file, signal })).rejects.toMatchObject({
    code: "data_folder_incompatible",
  });
});

test("refuses what is no archive, and a file that is not there", async () => {
  const file = join(folder, "text.tar");
  await writeFile(file, "not an archive".repeat(1_000));
  await expect(verifyBackup({ file, signal })).rejects.toMatchObject({ code: "backup_corrupt" });
  await expect(verifyBackup({ file: join(folder, "absent"), signal })).rejects.toMatchObject({
    code: "not_found",
  });
});

test("restores nothing of a corrupt archive", async () => {
  await using empty = await openEmpty();
  const file = join(folder, "corrupt.tar");
  await rewrite(good, file, (name, bytes) => [
    [name, name === "tables/span/000002.copy.gz" ? bytes.subarray(1) : bytes],
  ]);
  await expect(
    restoreBackup({ file, postgres: empty.postgres, blobs, logger, signal }),
  ).rejects.toMatchObject({ code: "backup_corrupt", where: "tables/span/000002.copy.gz" });
  expect(await empty.sql("select 1 from pg_namespace where nspname = 'faultline'")).toEqual([]);
});
