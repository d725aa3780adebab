import { createServer } from "node:net";
import { join } from "node:path";

import { openTemporaryFolder } from "@faultline/testkit";
import { Client } from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#kernel/index.ts";

import { assumeRole } from "../assume-role.ts";
import { createBackup } from "../backup/create.ts";
import { restoreBackup } from "../backup/restore.ts";
import { openBlobs } from "../blobs.ts";
import { openStore } from "../open-store.ts";
import { sessionOptions } from "./connection.ts";
import { EmbeddedPostgres } from "./embedded.ts";
import { openPostgres } from "./open.ts";

const stack = new AsyncDisposableStack();
const signal = new AbortController().signal;
const options = { clock: systemClock, logger: pino({ level: "silent" }), signal };
let folder: string;
let server: EmbeddedPostgres;

beforeAll(async () => {
  folder = stack.use(await openTemporaryFolder()).path;
  // A server on which the platform never ran stands for somebody else's.
  server = stack.use(await EmbeddedPostgres.open({ ...options, dataFolder: folder }));
  await administer([
    "create role manager login createrole nosuperuser",
    "create database managed owner manager",
    "create database second owner manager",
    "create role reader login",
  ]);
});
afterAll(async () => await stack.disposeAsync());

async function administer(statements: readonly string[]): Promise<void> {
  const client = new Client({ ...server.setUpConfig(), database: "postgres" });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

const url = (user: string, database: string): string =>
  `postgres://${user}@${encodeURIComponent(server.socketFolder)}/${database}`;
const open = async (databaseUrl: string): ReturnType<typeof openPostgres> =>
  await openPostgres({ ...options, dataFolder: folder, databaseUrl });

test("a user who may make roles is enough, and each session acts as its role", async () => {
  await using postgres = await open(url("manager", "managed"));
  expect(postgres).toMatchObject({ kind: "url", version: expect.stringMatching(/^18\./) });
  for (let start = 0; start < 2; start += 1) {
    await using store = await openStore({ ...options, postgres });
    const inserted = await store.system(
      signal,
      async (writer) =>
        await writer
          .insertInto("tenant")
          .values({ id: `tenant-${start}` as never })
          .returning("id")
          .execute(),
    );
    const tenantId = inserted[0]!.id;
    const seen = await store.read(
      { tenantId, signal },
      async (reader) => await reader.selectFrom("tenant").select("id").execute(),
    );
    expect(seen).toEqual([{ id: tenantId }]);
    expect(await store.ingest(signal, [])).toBe(0);
  }
  for (const role of ["faultline_app", "faultline_ingest", "faultline_system"] as const) {
    const client = new Client(postgres.clientConfig(role));
    await client.connect();
    expect((await client.query("select current_user as name")).rows).toEqual([{ name: role }]);
    await client.end();
  }
});

test("a server that ignores the role of the start-up packet is told by a statement", async () => {
  await using postgres = await open(url("manager", "managed"));
  const client = new Client({
    ...postgres.clientConfig("faultline_app"),
    options: sessionOptions(undefined, []),
  });
  await client.connect();
  await assumeRole(client, "faultline_app");
  expect((await client.query("select current_user as name")).rows).toEqual([
    { name: "faultline_app" },
  ]);
  await client.end();
});

test("a database without a platform has nothing to back up", async () => {
  await using postgres = await open(url("manager", "second"));
  const blobs = await openBlobs(join(folder, "no-blobs"));
  const file = join(folder, "nothing.tar");
  await expect(createBackup({ ...options, postgres, blobs, file })).rejects.toMatchObject({
    code: "not_found",
  });
});

test("backs up and restores without any role that bypasses row-level security", async () => {
  await using source = await open(url("manager", "managed"));
  await using target = await open(url("manager", "second"));
  const blobs = await openBlobs(join(folder, "blobs"));
  const file = join(folder, "managed.tar");
  const made = await createBackup({ ...options, postgres: source, blobs, file });
  expect(made.tables.find((table) => table.name === "tenant")?.rowCount).toBe(2);
  await restoreBackup({ ...options, postgres: target, blobs, file });

  await using store = await openStore({ ...options, postgres: target });
  const tenants = await store.system(
    signal,
    async (writer) => await writer.selectFrom("tenant").select("id").orderBy("id").execute(),
  );
  expect(tenants.map((tenant) => tenant.id)).toEqual(["tenant-0", "tenant-1"]);
});

test("a user without the rights for set-up learns which are missing", async () => {
  await using postgres = await open(url("reader", "managed"));
  await expect(openStore({ ...options, postgres })).rejects.toMatchObject({
    code: "configuration_invalid",
    message: expect.stringContaining("lacks a right that set-up needs"),
    hint: expect.stringContaining("CREATEROLE"),
  });
});

test("a role that may bypass row-level security is refused", async () => {
  await administer(["alter role faultline_app bypassrls"]);
  await using postgres = await open(url("manager", "managed"));
  await expect(openStore({ ...options, postgres })).rejects.toMatchObject({
    code: "configuration_invalid",
    message: expect.stringContaining("faultline_app may bypass"),
  });
  await administer(["alter role faultline_app nobypassrls"]);
});

test("a schema of that name which belongs to somebody else is refused", async () => {
  await administer(["create database taken owner manager"]);
  const client = new Client({ ...server.setUpConfig(), database: "taken" });
  await client.connect();
  await client.query("create schema faultline");
  await client.end();
  await using postgres = await open(url("manager", "taken"));
  await expect(openStore({ ...options, postgres })).rejects.toMatchObject({
    code: "configuration_invalid",
    message: expect.stringContaining("belongs to faultline_superuser"),
  });
});

test("what is no URL, and a server that is away, are told apart", async () => {
  for (const text of ["", "localhost", "mysql://localhost/x"]) {
    await expect(open(text)).rejects.toMatchObject({
      code: "configuration_invalid",
      where: "DATABASE_URL",
    });
  }
  await expect(open("postgres://user:secret@127.0.0.1:1/x")).rejects.toMatchObject({
    code: "database_unavailable",
    message: expect.not.stringContaining("secret"),
  });
});

test("a server of an old version is refused", async () => {
  await using old = await openOldServer();
  await expect(open(old.url)).rejects.toMatchObject({
    code: "configuration_invalid",
    message: "DATABASE_URL names a PostgreSQL 14.9; version 15 or newer is needed.",
  });
});

/** Speaks just enough of PostgreSQL's protocol to say its version. */
async function openOldServer(): Promise<AsyncDisposable & { url: string }> {
  const message = (type: string, body: Buffer): Buffer => {
    const head = Buffer.alloc(5);
    head.write(type);
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  const text = (value: string): Buffer => Buffer.from(`${value}\0`);
  const ready = message("Z", Buffer.from("I"));
  const column = Buffer.concat([Buffer.from([0, 1]), text("server_version"), Buffer.alloc(18)]);
  const value = Buffer.from("14.9");
  const row = Buffer.concat([Buffer.from([0, 1, 0, 0, 0, value.length]), value]);
  const answer = Buffer.concat([
    message("T", column),
    message("D", row),
    message("C", text("SHOW")),
    ready,
  ]);
  const listener = createServer((socket) => {
    let started = false;
    socket.on("data", () => {
      socket.write(started ? answer : Buffer.concat([message("R", Buffer.alloc(4)), ready]));
      started = true;
    });
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `postgres://user:x@127.0.0.1:${port}/x`,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
