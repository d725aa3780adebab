import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { lstatSync } from "node:fs";
import {
  chmod,
  chown,
  cp,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

import { firstOutput, openTemporaryFolder } from "@faultline/testkit";
import { Client } from "pg";
import { pino } from "pino";
import { expect, test } from "vitest";

import { systemClock } from "#kernel/index.ts";

import { openBinaries } from "./binaries.ts";
import { openCluster } from "./cluster.ts";
import { EmbeddedPostgres } from "./embedded.ts";
import { attachPostgres, openPostgres, reachPostgres } from "./open.ts";
import { placePostgres } from "./placement.ts";
import { listProcesses, readProcess } from "./process-table.ts";
import { isReachableBy } from "./run-as.ts";

const isRoot = process.getuid?.() === 0;
const options = (dataFolder: string): Parameters<typeof EmbeddedPostgres.open>[0] => ({
  dataFolder,
  clock: systemClock,
  logger: pino({ level: "silent" }),
  signal: new AbortController().signal,
});

async function ask(
  postgres: { setUpConfig: EmbeddedPostgres["setUpConfig"] },
  sql: string,
): Promise<unknown> {
  const client = new Client(postgres.setUpConfig());
  await client.connect();
  try {
    const result = await client.query<{ answer: unknown }>(sql);
    return result.rows[0]?.answer;
  } finally {
    await client.end();
  }
}

/** Runs a program of this module in a process of its own, as another user when asked. */
function startProgram(
  program: string,
  parameters: readonly string[],
  as: { uid?: number; gid?: number } = {},
): ChildProcessByStdio<null, Readable, null> {
  const imports = { pino: "pino", systemClock: "../../kernel/index.ts" };
  const own = { EmbeddedPostgres: "./embedded.ts", openBinaries: "./binaries.ts" };
  const lines = Object.entries({ ...imports, ...own }).map(
    ([name, from]) => `import { ${name} } from ${JSON.stringify(import.meta.resolve(from))};`,
  );
  const settings = `const settings = {
    clock: systemClock, logger: pino({ level: "silent" }), signal: new AbortController().signal };`;
  return spawn(
    process.execPath,
    ["--input-type=module", "-e", [...lines, settings, program].join("\n"), ...parameters],
    { stdio: ["ignore", "pipe", "inherit"], cwd: "/", ...as },
  );
}

/** A process that opens a server, says its pid, and never stops it. */
function startOwner(dataFolder: string): ReturnType<typeof startProgram> {
  return startProgram(
    `const postgres = await EmbeddedPostgres.open({ ...settings, dataFolder: process.argv[1] });
     console.log(postgres.pid);
     setInterval(() => {}, 1_000_000);`,
    [dataFolder],
  );
}

async function kill(owner: ReturnType<typeof startProgram>): Promise<void> {
  const exited = once(owner, "exit");
  owner.kill("SIGKILL");
  await exited;
}

async function spawnOwner(
  dataFolder: string,
): Promise<{ kill(): Promise<void>; serverPid: number }> {
  const owner = startOwner(dataFolder);
  return { serverPid: Number(await firstOutput(owner)), kill: async () => await kill(owner) };
}

test("starts, keeps what was committed over a restart, and leaves no process and no socket", async () => {
  await using folder = await openTemporaryFolder();
  let pid: number | undefined;
  let socketFolder: string;
  {
    await using postgres = await EmbeddedPostgres.open(options(folder.path));
    pid = postgres.pid;
    socketFolder = postgres.socketFolder;
    expect((await stat(socketFolder)).mode & 0o777).toBe(0o700);
    expect(await ask(postgres, "select current_setting('listen_addresses') as answer")).toBe("");
    expect(await ask(postgres, "select current_setting('synchronous_commit') as answer")).toBe(
      "on",
    );
    await ask(postgres, "create table public.kept as select 42 as answer");
  }
  expect(await readProcess(pid ?? 0)).toBeUndefined();
  await expect(stat(socketFolder)).rejects.toThrow("ENOENT");

  await using again = await EmbeddedPostgres.open(options(folder.path));
  expect(await ask(again, "select answer from public.kept")).toBe(42);
});

test("stops the server that a killed process left behind, and loses nothing that was committed", async () => {
  await using folder = await openTemporaryFolder();
  const owner = await spawnOwner(folder.path);
  const attached = await attachPostgres(folder.path);
  expect(attached).toBeDefined();
  await ask(attached!, "create table public.kept as select 42 as answer");
  await owner.kill();
  expect(await readProcess(owner.serverPid)).toBeDefined();

  await using postgres = await EmbeddedPostgres.open(options(folder.path));
  expect(await readProcess(owner.serverPid)).toBeUndefined();
  expect(await ask(postgres, "select answer from public.kept")).toBe(42);
});

test("recovers when its owner and the server are both killed", async () => {
  await using folder = await openTemporaryFolder();
  const owner = await spawnOwner(folder.path);
  await ask(
    (await attachPostgres(folder.path))!,
    "create table public.kept as select 42 as answer",
  );
  await owner.kill();
  process.kill(owner.serverPid, "SIGKILL");

  await using postgres = await EmbeddedPostgres.open(options(folder.path));
  expect(await ask(postgres, "select answer from public.kept")).toBe(42);
});

test("recovers although a computing session did not notice that its server was killed", async () => {
  await using folder = await openTemporaryFolder();
  const owner = await spawnOwner(folder.path);
  const attached = (await attachPostgres(folder.path))!;
  const client = new Client(attached.setUpConfig());
  client.on("error", () => {});
  await client.connect();
  const computing = client.query(
    "select count(*) from (select generate_series(1, 1000000000000)) as computed",
  );
  const ended = expect(computing).rejects.toThrow();
  while ((await ask(attached, runningSeries)) !== 1);
  await owner.kill();
  process.kill(owner.serverPid, "SIGKILL");

  await using postgres = await EmbeddedPostgres.open(options(folder.path));
  await ended;
  expect(await ask(postgres, "select 1 as answer")).toBe(1);
});

const runningSeries = `select count(*)::int as answer from pg_stat_activity
  where query like '%generate_series(%' and state = 'active' and pid <> pg_backend_pid()`;

test("recovers when its owner is killed at any stage of the start", async () => {
  await using folder = await openTemporaryFolder();
  const { clusterFolder } = await placePostgres(folder.path);
  const home = dirname(clusterFolder);
  const stages: ((names: string[], inCluster: string[]) => boolean)[] = [
    (names) => names.some((name) => name.startsWith("data.initialising")),
    (names) => names.includes("data"),
    (names) => names.includes("server.log"),
    (_, inCluster) => inCluster.includes("postmaster.pid"),
    (names) => names.includes("socket"),
  ];
  for (const reached of stages) {
    await rm(join(folder.path, "postgres", "server.log"), { force: true });
    await rm(join(folder.path, "postgres", "socket"), { recursive: true, force: true });
    const owner = startOwner(folder.path);
    for (;;) {
      const inCluster = await readdir(clusterFolder).catch(() => []);
      if (reached(await readdir(home), inCluster)) break;
    }
    await kill(owner);
  }
  await using postgres = await EmbeddedPostgres.open(options(folder.path));
  expect(await ask(postgres, "select 1 as answer")).toBe(1);
  // What a server has just forked is called like the server itself for a moment.
  const servers = async (): Promise<number[]> =>
    (await listProcesses())
      .filter(
        ({ facts }) =>
          facts.workingFolder === clusterFolder && !facts.commandLine.startsWith("postgres:"),
      )
      .map(({ pid }) => pid);
  await expect.poll(servers, { timeout: 10_000 }).toEqual([postgres.pid]);
});

test("leaves alone a process that merely has the pid of an old pid file", async () => {
  await using folder = await openTemporaryFolder();
  await (await EmbeddedPostgres.open(options(folder.path)))[Symbol.asyncDispose]();
  const bystander = spawn("sleep", ["1000"]);
  const cluster = (await placePostgres(folder.path)).clusterFolder;
  await writeFile(
    join(cluster, "postmaster.pid"),
    `${bystander.pid}\n${cluster}\n1\n5432\n/tmp/x\n\n0\nready\n`,
  );
  {
    await using postgres = await EmbeddedPostgres.open(options(folder.path));
    expect(await ask(postgres, "select 1 as answer")).toBe(1);
    expect(await readProcess(bystander.pid ?? 0)).toBeDefined();
  }
  const exited = once(bystander, "exit");
  bystander.kill();
  await exited;
});

test("starts a server again that dies, on the same socket", async () => {
  await using folder = await openTemporaryFolder();
  await using postgres = await EmbeddedPostgres.open(options(folder.path));
  const first = postgres.pid;
  process.kill(first ?? 0, "SIGKILL");
  for (;;) {
    const answer = await ask(postgres, "select 1 as answer").catch(() => undefined);
    if (answer === 1 && postgres.pid !== first) break;
    await systemClock.sleep(20, new AbortController().signal);
  }
  expect(await readProcess(first ?? 0)).toBeUndefined();
});

test("gives a server up that cannot be started again, and says so", async () => {
  await using folder = await openTemporaryFolder();
  const clock = { ...systemClock, sleep: async () => await Promise.resolve() };
  await using postgres = await EmbeddedPostgres.open({ ...options(folder.path), clock });
  const { clusterFolder } = await placePostgres(folder.path);
  await rm(join(clusterFolder, "global"), { recursive: true });
  process.kill(postgres.pid ?? 0, "SIGKILL");
  const reason = await postgres.lost;
  expect(reason.code).toBe("database_unavailable");
  expect(reason.message).toContain("times in a row");
});

test("refuses a data folder of another major version and names the steps", async () => {
  await using folder = await openTemporaryFolder();
  const { clusterFolder, runAs } = await placePostgres(folder.path);
  await mkdir(clusterFolder, { recursive: true });
  await writeFile(join(clusterFolder, "PG_VERSION"), "15\n");
  expect(runAs === undefined).toBe(!isRoot);
  await expect(openPostgres(options(folder.path))).rejects.toMatchObject({
    code: "data_folder_incompatible",
    message: expect.stringContaining("written by PostgreSQL 15"),
    hint: expect.stringContaining("faultline backup create"),
  });
});

test("refuses a folder that holds something else, and a recorded place that is gone", async () => {
  await using folder = await openTemporaryFolder();
  const { clusterFolder } = await placePostgres(folder.path);
  await mkdir(clusterFolder, { recursive: true });
  await writeFile(join(clusterFolder, "notes.txt"), "mine");
  await expect(openPostgres(options(folder.path))).rejects.toMatchObject({
    code: "data_folder_incompatible",
    where: clusterFolder,
  });

  await writeFile(join(folder.path, "postgres-location.json"), '{"postgres": "/nowhere/at/all"}');
  await expect(openPostgres(options(folder.path))).rejects.toMatchObject({
    code: "data_folder_incompatible",
    message: expect.stringContaining("/nowhere/at/all"),
  });
});

test("an interrupted first start leaves nothing that looks whole", async () => {
  await using folder = await openTemporaryFolder();
  const { clusterFolder } = await placePostgres(folder.path);
  const controller = new AbortController();
  const opening = EmbeddedPostgres.open({ ...options(folder.path), signal: controller.signal });
  const refused = expect(opening).rejects.toThrow();
  for (;;) {
    const names = await readdir(dirname(clusterFolder));
    if (names.some((name) => name.startsWith("data.initialising"))) break;
    await systemClock.sleep(1, new AbortController().signal);
  }
  controller.abort();
  await refused;
  expect(await readdir(dirname(clusterFolder))).not.toContain("data");

  await using postgres = await EmbeddedPostgres.open(options(folder.path));
  expect(await ask(postgres, "select 1 as answer")).toBe(1);
  const left = await readdir(dirname(clusterFolder));
  expect(left.filter((name) => name.startsWith("data.initialising"))).toEqual([]);
});

test("puts the socket elsewhere when the data folder's path is too long for it", async () => {
  await using folder = await openTemporaryFolder();
  const long = join(folder.path, "a".repeat(60), "b".repeat(60));
  await mkdir(long, { recursive: true });
  await using postgres = await EmbeddedPostgres.open(options(long));
  expect(postgres.socketFolder.startsWith(long)).toBe(false);
  expect((await stat(postgres.socketFolder)).mode & 0o777).toBe(0o700);
  expect(await ask(postgres, "select 1 as answer")).toBe(1);
});

test.runIf(isRoot)("runs where only root may enter, and finds its data again", async () => {
  await using folder = await openTemporaryFolder();
  const closed = join(folder.path, "closed");
  const dataFolder = join(closed, "data");
  await mkdir(dataFolder, { recursive: true });
  await chmod(closed, 0o700);
  const base = join(folder.path, "elsewhere");
  const first = await placePostgres(dataFolder, base);
  expect(dirname(dirname(first.clusterFolder))).toBe(base);
  {
    await using postgres = await EmbeddedPostgres.open(options(dataFolder));
    await ask(postgres, "create table public.kept as select 42 as answer");
  }
  expect((await stat(first.clusterFolder)).uid).not.toBe(0);
  await using again = await EmbeddedPostgres.open(options(dataFolder));
  expect(await ask(again, "select answer from public.kept")).toBe(42);
});

test.runIf(isRoot)("sweeps what belonged to temporary data folders that are gone", async () => {
  await using folder = await openTemporaryFolder();
  const base = join(folder.path, "elsewhere");
  const place = async (name: string): Promise<string> => {
    const dataFolder = join(folder.path, name, "data");
    await mkdir(dataFolder, { recursive: true });
    await chmod(join(folder.path, name), 0o700);
    return dirname((await placePostgres(dataFolder, base)).clusterFolder);
  };
  const gone = await place("gone");
  const kept = await place("kept");
  const unmounted = await place("unmounted");
  await writeFile(join(unmounted, "belongs-to"), "/disk/that/is/away\n");
  await rm(join(folder.path, "gone"), { recursive: true });

  const added = await place("added");
  expect(await readdir(base)).toEqual(
    [kept, unmounted, added].map((path) => basename(path)).sort(),
  );
  expect(await readdir(base)).not.toContain(basename(gone));
});

test("names programs that the system cannot run", async () => {
  await using folder = await openTemporaryFolder();
  const native = join(folder.path, "native");
  await mkdir(join(native, "bin"), { recursive: true });
  const cluster = {
    folder: join(folder.path, "data"),
    binaries: { folder: native, packageVersion: "18.4.0", major: 18 },
    runAs: undefined,
  };
  await expect(openCluster(cluster, options(folder.path).signal)).rejects.toMatchObject({
    code: "configuration_invalid",
    hint: expect.stringContaining("glibc"),
  });
});

test.runIf(isRoot)("copies programs that lie where only root may enter", async () => {
  await using folder = await openTemporaryFolder();
  const original = await openBinaries({ runAs: undefined, cacheFolder: folder.path });
  const closed = join(folder.path, "closed");
  await mkdir(closed);
  await cp(dirname(original.folder), join(closed, "package"), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !source.endsWith(".a"),
  });
  await chmod(closed, 0o700);
  const { runAs } = await placePostgres(join(folder.path, "data"));
  const copied = await openBinaries({
    runAs,
    cacheFolder: join(folder.path, "cache"),
    packageFolder: join(closed, "package", "native"),
  });
  expect(dirname(copied.folder)).toBe(join(folder.path, "cache"));
  expect((await stat(join(copied.folder, "bin", "postgres"))).mode & 0o005).toBe(0o005);
  // A second start takes the same copy.
  const before = (await stat(copied.folder)).ino;
  await openBinaries({
    runAs,
    cacheFolder: join(folder.path, "cache"),
    packageFolder: join(closed, "package", "native"),
  });
  expect((await stat(copied.folder)).ino).toBe(before);
});

const nobody = { uid: 65_534, gid: 65_534 };
const outputOf = async (child: ReturnType<typeof startProgram>): Promise<string> => {
  const exited = once(child, "exit");
  const output = await text(child.stdout);
  expect(await exited).toEqual([0, null]);
  return output;
};
const installed = dirname(
  (await openBinaries({ runAs: undefined, cacheFolder: "/nowhere" })).folder,
);
// The tests may themselves be installed where only root may enter.
const canActAsNobody =
  isRoot &&
  (await isReachableBy(nobody, import.meta.filename)) &&
  (await isReachableBy(nobody, process.execPath));

test.runIf(canActAsNobody)("runs for an ordinary user, in the user's own folder", async () => {
  await using folder = await openTemporaryFolder();
  const dataFolder = join(folder.path, "data");
  await mkdir(dataFolder, { mode: 0o700 });
  await chown(dataFolder, nobody.uid, nobody.gid);
  const said = await outputOf(
    startProgram(
      `const postgres = await EmbeddedPostgres.open({ ...settings, dataFolder: process.argv[1] });
       await postgres[Symbol.asyncDispose]();
       console.log(postgres.version);`,
      [dataFolder],
      nobody,
    ),
  );
  expect(said).toMatch(/^18\./);

  // Root then finds the folder and runs the server as its owner.
  await using postgres = await EmbeddedPostgres.open(options(dataFolder));
  expect(await ask(postgres, "select 1 as answer")).toBe(1);
  expect((await stat(join(dataFolder, "postgres", "data"))).uid).toBe(nobody.uid);
});

test.runIf(canActAsNobody)(
  "copies the programs when the package cannot be written and lacks its links",
  async () => {
    await using folder = await openTemporaryFolder();
    const native = join(folder.path, "package", "native");
    await cp(installed, dirname(native), {
      recursive: true,
      filter: (source) => !source.endsWith(".a") && !lstatSync(source).isSymbolicLink(),
    });
    const cacheFolder = join(folder.path, "cache");
    await mkdir(cacheFolder);
    await chown(cacheFolder, nobody.uid, nobody.gid);
    const said = await outputOf(
      startProgram(
        `const [packageFolder, cacheFolder] = process.argv.slice(1);
       console.log((await openBinaries({ runAs: undefined, packageFolder, cacheFolder })).folder);`,
        [native, cacheFolder],
        nobody,
      ),
    );
    expect(dirname(said.trim())).toBe(cacheFolder);
    const { stdout } = await promisify(execFile)(join(said.trim(), "bin", "postgres"), [
      "--version",
    ]);
    expect(stdout).toContain("PostgreSQL) 18");
  },
);

test("runs under a strict umask", async () => {
  await using folder = await openTemporaryFolder();
  const said = await outputOf(
    startProgram(
      `process.umask(0o077);
       const postgres = await EmbeddedPostgres.open({ ...settings, dataFolder: process.argv[1] });
       await postgres[Symbol.asyncDispose]();
       console.log("ran");`,
      [folder.path],
    ),
  );
  expect(said.trim()).toBe("ran");
});

test("makes the library links that an install script would have made", async () => {
  await using folder = await openTemporaryFolder();
  const original = await openBinaries({ runAs: undefined, cacheFolder: folder.path });
  const native = join(folder.path, "package", "native");
  await mkdir(join(native, "lib"), { recursive: true });
  await cp(join(dirname(original.folder), "package.json"), join(native, "..", "package.json"));
  await cp(join(original.folder, "pg-symlinks.json"), join(native, "pg-symlinks.json"));
  const listed = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const { source } of listed) {
    await writeFile(join(native, "lib", basename(source)), "library");
  }
  // One link is there already.
  await symlink(basename(listed[0]!.source), join(native, "lib", basename(listed[0]!.target)));

  await openBinaries({ runAs: undefined, cacheFolder: folder.path, packageFolder: native });
  for (const { target } of listed) {
    expect(await readFile(join(native, "lib", basename(target)), "utf8")).toBe("library");
  }
});

test("reaches a running platform's database, and starts one when none runs", async () => {
  await using folder = await openTemporaryFolder();
  await expect(reachPostgres({ ...options(folder.path), mustExist: true })).rejects.toMatchObject({
    code: "not_found",
    where: folder.path,
  });
  expect(await readdir(folder.path)).toEqual([]);
  {
    await using started = await reachPostgres(options(folder.path));
    expect(await ask(started, "select 1 as answer")).toBe(1);
    expect(await readdir(folder.path)).toContain("faultline.lock");
  }
  await using running = await EmbeddedPostgres.open(options(folder.path));
  {
    await using reached = await reachPostgres(options(folder.path));
    expect(await ask(reached, "select 1 as answer")).toBe(1);
  }
  expect(await ask(running, "select 1 as answer")).toBe(1);
});

test("reads no variables of libpq from the environment", async () => {
  await using folder = await openTemporaryFolder();
  const before = { ...process.env };
  Object.assign(process.env, { PGHOST: "192.0.2.1", PGUSER: "nobody", PGSSLMODE: "require" });
  try {
    await using postgres = await EmbeddedPostgres.open(options(folder.path));
    expect(await ask(postgres, "select 1 as answer")).toBe(1);
  } finally {
    for (const name of ["PGHOST", "PGUSER", "PGSSLMODE"]) delete process.env[name];
    Object.assign(process.env, before);
  }
});
