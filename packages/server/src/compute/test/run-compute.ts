/**
 * For tests: compute in a process of its own, which takes steps from standard input, a line each, and says when each was taken.
 * At the point that it is told it stands still, says so, and waits to be killed.
 */

import { createInterface } from "node:readline";

import { systemClock } from "@faultline/server/kernel/index.ts";
import { embeddedConfigs, openStore } from "@faultline/server/storage/index.ts";
import { pino } from "pino";

import { openComputeProcess, type WorkStep } from "./compute-process.ts";

const [socketFolder = "", superuser = "", database = "", tenant = "", startMs = "", stop = ""] =
  process.argv.slice(2);
const { signal } = new AbortController();
/** Longer than any test: it is killed. */
const stillMs = 86_400_000;
const store = await openStore({
  postgres: {
    kind: "embedded",
    version: "18",
    description: database,
    lost: new Promise(() => {}),
    async [Symbol.asyncDispose]() {},
    ...embeddedConfigs({ socketFolder, superuser, database }),
  },
  clock: systemClock,
  logger: pino({ level: "silent" }),
  signal,
});
let pointCount = 0;
const compute = await openComputeProcess({
  store,
  tenant,
  startMs: Number(startMs),
  async around(point) {
    pointCount += 1;
    if (pointCount !== Number(stop)) return;
    process.stdout.write(`at ${point}\n`);
    await systemClock.sleep(stillMs, signal);
  },
});
for await (const line of createInterface({ input: process.stdin })) {
  // The test writes steps and nothing else.
  await compute.take(JSON.parse(line) as WorkStep);
  process.stdout.write("taken\n");
}
process.exit(0);
