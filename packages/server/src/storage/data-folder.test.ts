import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { firstOutput, openTemporaryFolder } from "@faultline/testkit";
import { expect, test } from "vitest";

import { acquireDataFolder } from "./data-folder.ts";
import { readProcess } from "./postgres/process-table.ts";

const lock = "faultline.lock";

test("makes the folder, private, and leaves no lock behind", async () => {
  await using folder = await openTemporaryFolder();
  const path = join(folder.path, "data");
  {
    await using _held = await acquireDataFolder(path);
    expect((await stat(path)).mode & 0o077).toBe(process.getuid?.() === 0 ? 0o011 : 0);
    expect(await readdir(path)).toEqual([lock]);
  }
  expect(await readdir(path)).toEqual([]);
});

test("names a place where no folder can be made", async () => {
  await using folder = await openTemporaryFolder();
  const file = join(folder.path, "file");
  await writeFile(file, "");
  for (const path of [file, join(file, "data")]) {
    await expect(acquireDataFolder(path)).rejects.toMatchObject({
      code: "configuration_invalid",
      where: path,
    });
  }
});

test("refuses a second holder, naming the first one's pid and since when", async () => {
  await using folder = await openTemporaryFolder();
  await using _held = await acquireDataFolder(folder.path);
  const since = (await stat(join(folder.path, lock))).mtime.toISOString();
  await expect(acquireDataFolder(folder.path)).rejects.toMatchObject({
    code: "data_folder_in_use",
    message: `The data folder ${folder.path} is held by process ${process.pid} since ${since}.`,
  });
});

test("takes over the lock of a process that was killed", async () => {
  await using folder = await openTemporaryFolder();
  const holder = spawn(process.execPath, [
    "--input-type=module",
    "-e",
    `import { acquireDataFolder } from ${JSON.stringify(import.meta.resolve("./data-folder.ts"))};
     await acquireDataFolder(process.argv[1]);
     console.log("held");
     setInterval(() => {}, 1_000_000);`,
    folder.path,
  ]);
  await firstOutput(holder);
  await expect(acquireDataFolder(folder.path)).rejects.toMatchObject({
    code: "data_folder_in_use",
    context: { pid: holder.pid },
  });

  const exited = once(holder, "exit");
  holder.kill("SIGKILL");
  await exited;
  await using _held = await acquireDataFolder(folder.path);
  expect(JSON.parse(await readFile(join(folder.path, lock), "utf8"))).toMatchObject({
    pid: process.pid,
  });
});

test("takes over a lock whose pid now belongs to another process", async () => {
  await using folder = await openTemporaryFolder();
  const alive = process.ppid;
  const identity = (await readProcess(alive))?.identity;
  const write = async (value: unknown): Promise<void> =>
    await writeFile(join(folder.path, lock), JSON.stringify(value));

  await write({ pid: alive, identity });
  await expect(acquireDataFolder(folder.path)).rejects.toMatchObject({
    code: "data_folder_in_use",
  });
  await write({ pid: alive, identity: `${identity} of an earlier process` });
  await using _held = await acquireDataFolder(folder.path);
});

test("takes over a lock that cannot be read", async () => {
  await using folder = await openTemporaryFolder();
  await writeFile(join(folder.path, lock), '{"pid": 1');
  await using _held = await acquireDataFolder(folder.path);
});

test("takes over from a process that was killed while it took over", async () => {
  await using folder = await openTemporaryFolder();
  const stale = JSON.stringify({ pid: 2 ** 22 + 1, identity: "gone" });
  const claim = createHash("sha256").update(stale).digest("hex").slice(0, 16);
  await writeFile(join(folder.path, lock), stale);
  await writeFile(join(folder.path, `${lock}.${claim}`), stale);
  await using _held = await acquireDataFolder(folder.path);
  expect(await readdir(folder.path)).toEqual([lock]);
});

test("of many starters over one stale lock exactly one wins", async () => {
  await using folder = await openTemporaryFolder();
  await writeFile(join(folder.path, lock), JSON.stringify({ pid: 2 ** 22 + 1, identity: "gone" }));
  const starter = `import { acquireDataFolder } from ${JSON.stringify(import.meta.resolve("./data-folder.ts"))};
    process.stdin.once("data", async () => {
      try { await acquireDataFolder(process.argv[1]); console.log("won"); }
      catch (error) { console.log(error.code); }
      process.stdin.resume().on("end", () => process.exit());
    });
    console.log("ready");`;
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ["--input-type=module", "-e", starter, folder.path]),
  );
  await Promise.all(children.map(firstOutput));
  const outcomes = await Promise.all(
    children.map(async (child) => {
      const said = firstOutput(child);
      child.stdin.write("go\n");
      return await said;
    }),
  );
  const exits = children.map(async (child) => await once(child, "exit"));
  for (const child of children) child.stdin.end();
  await Promise.all(exits);
  expect(outcomes.sort()).toEqual([...Array<string>(5).fill("data_folder_in_use"), "won"].sort());
});
