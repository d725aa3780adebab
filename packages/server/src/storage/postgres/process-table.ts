/** What the operating system says about a process: whether it lives, since when, and what it runs. */

import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";

import { bootIdPath, readProcessStat } from "#kernel/index.ts";

export interface ProcessFacts {
  /** Differs between two processes that had the same pid, also across a restart of the machine. */
  readonly identity: string;
  readonly commandLine: string;
  /** The working folder, where the system tells it. */
  readonly workingFolder: string | undefined;
}

/** Facts about a running process; `undefined` when none has this pid. A zombie counts as gone. */
export async function readProcess(pid: number): Promise<ProcessFacts | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return process.platform === "linux" ? await readLinuxProcess(pid) : await readPortably(pid);
}

async function readLinuxProcess(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const [stat, commandLine, bootId] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile(`/proc/${pid}/cmdline`, "utf8"),
      readFile(bootIdPath, "utf8").catch(() => "unknown"),
    ]);
    const { isZombie, startTicks } = readProcessStat(stat);
    if (isZombie) return undefined;
    return {
      identity: `${bootId.trim()}:${startTicks}`,
      commandLine: commandLine.split("\0").join(" ").trim(),
      workingFolder: await readlink(`/proc/${pid}/cwd`).catch(() => undefined),
    };
  } catch {
    // The process ended while we read, or there was none.
    return undefined;
  }
}

async function readPortably(pid: number): Promise<ProcessFacts | undefined> {
  const run = promisify(execFile);
  try {
    const { stdout } = await run("ps", ["-o", "stat=,lstart=,command=", "-p", String(pid)]);
    const parts = stdout.trim().split(/\s+/);
    if (parts.length < 7 || parts[0]?.startsWith("Z") === true) return undefined;
    return {
      identity: parts.slice(1, 6).join(" "),
      commandLine: parts.slice(6).join(" "),
      workingFolder: undefined,
    };
  } catch {
    // `ps` fails when there is no such process.
    return undefined;
  }
}

/** All running processes that we may look at; empty where the system has no process file system. */
export async function listProcesses(): Promise<{ pid: number; facts: ProcessFacts }[]> {
  const names = await readdir("/proc").catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => ({ pid: Number(name), facts: await readLinuxProcess(Number(name)) })),
  );
  return found.flatMap(({ pid, facts }) => (facts === undefined ? [] : [{ pid, facts }]));
}

/** Sends a signal; a process that is gone already is no failure. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
