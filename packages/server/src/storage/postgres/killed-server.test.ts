import { mkdir } from "node:fs/promises";
import path from "node:path";

import { systemClock } from "#kernel/index.ts";
import type { PlatformError } from "@faultline/protocol";
import { openTemporaryFolder, until } from "@faultline/testkit";
import { Client } from "pg";
import { pino } from "pino";
import { expect, test } from "vitest";

import { openPostgres } from "./open.ts";
import { readServerRecord } from "./orphan.ts";
import { locateCluster } from "./placement.ts";

test("a killed server is started again where its socket lies outside of a long data folder", async () => {
  await using folder = await openTemporaryFolder();
  // The path of a socket has at most some hundred bytes.
  const dataFolder = path.join(folder.path, "x".repeat(120));
  await mkdir(dataFolder, { mode: 0o711 });
  const { signal } = new AbortController();
  const options = { dataFolder, clock: systemClock, logger: pino({ level: "silent" }), signal };
  await using postgres = await openPostgres(options);
  let lost: PlatformError | undefined;
  void postgres.lost.then((error) => (lost = error));
  for (let round = 0; round < 2; round += 1) {
    const record = await readServerRecord(await locateCluster(dataFolder));
    process.kill(record?.pid ?? 0, "SIGKILL");
    await until(async () => {
      const client = new Client(postgres.setUpConfig());
      client.on("error", () => {});
      try {
        await client.connect();
        return (await readServerRecord(await locateCluster(dataFolder)))?.pid !== record?.pid;
      } catch (error) {
        if (lost !== undefined) throw error;
        return false;
      } finally {
        await client.end().catch(() => {});
      }
    });
  }
  expect(lost).toBeUndefined();
});
