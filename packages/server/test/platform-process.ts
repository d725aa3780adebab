/** For tests: starts platforms as processes, and finds and kills all that belongs to one. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface PlatformPlace extends AsyncDisposable {
  readonly folder: string;
  readonly port: number;
}

export interface PlatformProcess {
  readonly url: string;
  readonly adminKey: string | undefined;
  readonly child: ChildProcess;
  /** What it logged. */
  log(): string;
}

/** An empty folder and a free port. */
export async function makePlace(): Promise<PlatformPlace> {
  const folder = await mkdtemp(path.join(tmpdir(), "faultline-platform-"));
  // PostgreSQL runs under another user when the test runs as root.
  await chmod(folder, 0o711);
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  // A server that listens on TCP has an address with a port.
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return {
    folder,
    port,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Starts a platform and resolves when it is ready; rejects with its log when it ends before. */
export async function startProcess(
  place: PlatformPlace,
  environment: Record<string, string> = {},
): Promise<PlatformProcess> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("run-platform.ts", import.meta.url))],
    {
      cwd: place.folder,
      env: {
        PATH: process.env["PATH"],
        FAULTLINE_PORT: String(place.port),
        FAULTLINE_LOG_FORMAT: "json",
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ready = Promise.withResolvers<{ url: string; adminKey?: string }>();
  // The first line is what run-platform.ts prints.
  createInterface(child.stdout).once("line", (line) =>
    ready.resolve(JSON.parse(line) as { url: string }),
  );
  child.once("exit", (code) => ready.reject(new Error(`The platform ended with ${code}:\n${log}`)));
  const { url, adminKey } = await ready.promise;
  return { url, adminKey, child, log: () => log };
}

/** Asks a platform to stop and waits until it has. Gives its exit code. */
export async function stopProcess({ child }: PlatformProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  return child.exitCode;
}

/** Kills the control process alone, or all that it started too, without a warning. Gives the killed ids. */
export async function killProcess(
  { child }: PlatformProcess,
  scope: "control" | "everything",
): Promise<number[]> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return [];
  const victims = scope === "control" ? [pid] : [pid, ...(await descendantsOf(pid))];
  const ended = once(child, "exit");
  for (const victim of victims) killOne(victim);
  await ended;
  return victims;
}

/** Ids of every process below `pid`, from the process table. */
export async function descendantsOf(pid: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, "utf8").catch(() => undefined);
    // The name in parentheses may hold anything; state and parent stand after it.
    const parent = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
    if (parent !== undefined) parents.set(Number(entry), Number(parent));
  }
  const found: number[] = [];
  for (const [candidate] of parents) {
    for (let at = parents.get(candidate); at !== undefined && at > 1; at = parents.get(at)) {
      if (at === pid) found.push(candidate);
    }
  }
  return found;
}

function killOne(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended with its parent.
  }
}
