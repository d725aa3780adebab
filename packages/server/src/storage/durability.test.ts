import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { openTemporaryFolder, until } from "@faultline/testkit";
import { pino } from "pino";
import { expect, test } from "vitest";

import { systemClock } from "#kernel/index.ts";

import { openStore } from "./open-store.ts";
import { attachPostgres, openPostgres } from "./postgres/open.ts";
import { readServerRecord } from "./postgres/orphan.ts";
import { locateCluster } from "./postgres/placement.ts";
import { readProcess } from "./postgres/process-table.ts";

/** Commits one tenant after the other and says the name of each once it is committed. */
const writer = `
  import { pino } from ${JSON.stringify(import.meta.resolve("pino"))};
  import { systemClock } from ${JSON.stringify(import.meta.resolve("../kernel/index.ts"))};
  import { openPostgres } from ${JSON.stringify(import.meta.resolve("./postgres/open.ts"))};
  import { openStore } from ${JSON.stringify(import.meta.resolve("./open-store.ts"))};
  const [dataFolder, first] = process.argv.slice(1);
  const { signal } = new AbortController();
  const options = { dataFolder, clock: systemClock, logger: pino({ level: "silent" }), signal };
  const postgres = await openPostgres(options);
  const store = await openStore({ ...options, postgres });
  for (let n = Number(first); ; n += 1) {
    const id = "t" + n;
    await store.system(signal, (writer) => writer.insertInto("tenant").values({ id }).execute());
    console.log(id);
  }`;

test("what was acknowledged is there after the process and the server were killed, again and again", async () => {
  await using folder = await openTemporaryFolder();
  const acknowledged: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const enough = acknowledged.length + 40;
    const child = spawn(
      process.execPath,
      ["--input-type=module", "-e", writer, folder.path, String(round * 1_000_000)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const closed = once(child, "close");
    let isKilled = false;
    let serverPid = 0;
    for await (const line of createInterface(child.stdout)) {
      acknowledged.push(line);
      if (acknowledged.length < enough || isKilled) continue;
      isKilled = true;
      const record = await readServerRecord(await locateCluster(folder.path));
      expect(record?.running).toBe(true);
      serverPid = record!.pid;
      process.kill(serverPid, "SIGKILL");
      child.kill("SIGKILL");
    }
    await closed;
    // A killed process is gone when the system has taken it apart.
    await until(async () => (await readProcess(serverPid)) === undefined);
    expect(acknowledged.length).toBeGreaterThanOrEqual(enough);
  }

  expect(await attachPostgres(folder.path)).toBeUndefined();
  const { signal } = new AbortController();
  const options = { clock: systemClock, logger: pino({ level: "silent" }), signal };
  await using postgres = await openPostgres({ ...options, dataFolder: folder.path });
  await using store = await openStore({ ...options, postgres });
  const rows = await store.system(
    signal,
    async (reader) => await reader.selectFrom("tenant").select("id").execute(),
  );
  const stored = new Set<string>(rows.map((row) => row.id));
  expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
});
