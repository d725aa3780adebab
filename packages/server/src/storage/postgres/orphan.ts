/** A PostgreSQL that outlived the process which started it: found by its pid file, verified, and stopped. */

import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

import { PlatformError } from "@faultline/protocol";
import type { Logger } from "pino";

import type { Clock } from "#kernel/index.ts";

import { listProcesses, readProcess, signalProcess } from "./process-table.ts";

/** Fast shutdown, then immediate, then the kernel's: each with the time it gets. */
const stopSteps: readonly { signal: NodeJS.Signals; waitMsMax: number }[] = [
  { signal: "SIGINT", waitMsMax: 20_000 },
  { signal: "SIGQUIT", waitMsMax: 5_000 },
  // On a busy machine the system takes its time to take a process apart.
  { signal: "SIGKILL", waitMsMax: 30_000 },
];
const killSteps = stopSteps.slice(-1);
const pollIntervalMs = 20;
/** A session may start another, such as a parallel worker, while we end it. */
const backendPassesMax = 5;

export interface OrphanOptions {
  readonly clusterFolder: string;
  /** The socket folder in which the caller starts the next server, which therefore stays. */
  readonly ownSocketFolder?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Stops the server that still runs on this data folder, if there is one. The caller holds the lock of the data
 * folder, so no living process of ours can own it. A pid file that names no server of this folder is removed.
 */
export async function stopOrphan(options: OrphanOptions): Promise<void> {
  const recorded = await readServerRecord(options.clusterFolder);
  if (recorded === undefined) return;
  const { pid, socketFolder } = recorded;
  if (recorded.running) {
    options.logger.warn({ pid }, "stopping the PostgreSQL that an earlier process left behind");
    await stopProcess(pid, options);
  }
  // Also after a server that seemed to run: it may have been killed while we looked.
  await stopBackends(options);
  await rm(join(options.clusterFolder, "postmaster.pid"), { force: true });
  // A socket folder in the folder for temporary files has no other owner who would remove it.
  if (socketFolder === options.ownSocketFolder) return;
  if (dirname(socketFolder) === tmpdir() && basename(socketFolder).startsWith("faultline-")) {
    await rm(socketFolder, { recursive: true, force: true });
  }
}

/**
 * Ends sessions whose server was killed. One that computes does not notice, and while it holds the shared memory no
 * server starts. It can change nothing any more that a recovery would not undo.
 */
async function stopBackends(options: OrphanOptions): Promise<void> {
  for (let pass = 0; pass < backendPassesMax; pass += 1) {
    const left = (await listProcesses()).filter(
      ({ facts }) => facts.workingFolder === options.clusterFolder && isPostgres(facts.commandLine),
    );
    if (left.length === 0) return;
    for (const { pid } of left) {
      options.logger.warn({ pid }, "ending a database session whose server was killed");
      await stopProcess(pid, options, killSteps);
    }
  }
}

/** The server, or a session: one that was only just started still bears the server's command line. */
function isPostgres(commandLine: string): boolean {
  return /(^|\/)postgres\b/.test(commandLine);
}

export interface ServerRecord {
  readonly pid: number;
  readonly socketFolder: string;
  /** Whether that process runs and is the server of this folder. */
  readonly running: boolean;
}

/** What the folder's pid file says, checked against the process table; `undefined` when there is no such file. */
export async function readServerRecord(clusterFolder: string): Promise<ServerRecord | undefined> {
  const text = await readFile(join(clusterFolder, "postmaster.pid"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const [pidLine = "", , , , socketFolder = ""] = text.split("\n");
  const pid = Number.parseInt(pidLine, 10);
  return { pid, socketFolder, running: await isServerOf(pid, clusterFolder) };
}

/** Whether the process is a `postgres` on this data folder: a reused pid belongs to something else. */
async function isServerOf(pid: number, clusterFolder: string): Promise<boolean> {
  const facts = await readProcess(pid);
  if (facts === undefined || !isPostgres(facts.commandLine)) return false;
  if (facts.workingFolder !== undefined) return facts.workingFolder === clusterFolder;
  return facts.commandLine.includes(clusterFolder);
}

async function stopProcess(
  pid: number,
  options: OrphanOptions,
  steps: typeof stopSteps = stopSteps,
): Promise<void> {
  const before = await readProcess(pid);
  for (const step of steps) {
    signalProcess(pid, step.signal);
    const giveUpAt = options.clock.monotonicMs() + step.waitMsMax;
    while (options.clock.monotonicMs() < giveUpAt) {
      if ((await readProcess(pid))?.identity !== before?.identity) return;
      await options.clock.sleep(pollIntervalMs, options.signal);
    }
  }
  throw new PlatformError(
    "data_folder_in_use",
    `PostgreSQL (process ${pid}) still runs on ${options.clusterFolder} and does not stop.`,
    { where: options.clusterFolder, hint: `End process ${pid}, then start again.` },
  );
}
