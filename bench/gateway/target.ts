/** The processes of the gateway benchmark: started on a core of their own where `taskset` exists, and their CPU time. */

import {
  type ChildProcess,
  execFileSync,
  spawn,
  type SpawnOptions,
  spawnSync,
} from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { benchKey } from "./key.ts";
import type { Serving } from "./process.ts";
import type { UpstreamObservations } from "./upstream.ts";

export interface Target extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The processes that carry requests. */
  readonly carrierIds: readonly number[];
  /** CPU time so far, in milliseconds: of the processes that carry requests, and of all processes together. */
  cpuMs(): { carrier: number; all: number };
  /** Resident memory of the processes that carry requests. */
  memoryMb(): number;
}

/** The targets that figures are set against. */
export const floorName = "proxy";
export const ourName = "faultline";
export const peerName = "portkey";

/** The core of what is measured, and the core of load and upstream. */
const targetCore = "0";
const loadCore = "1";
export const peersFolder = fileURLToPath(new URL("../peers", import.meta.url));
const peerEntry = path.join(peersFolder, "node_modules/@portkey-ai/gateway/build/start-server.js");
const peerPort = 47_871;
const waitMs = 50;
/** A process may end its database first. */
const stopMs = 10_000;
const nanosPerMs = 1e6;

/** Whether processes can be given a core each. */
export const pinned =
  availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

/** Moves this process to the core of the load; gives the way back. */
export function pinLoad(): () => void {
  if (!pinned) return () => {};
  const pid = String(process.pid);
  const before = execFileSync("taskset", ["-cp", pid], { encoding: "utf8" })
    .split(": ")
    .at(-1)
    ?.trim();
  const move = (cores: string): void => {
    execFileSync("taskset", ["-acp", cores, pid], { stdio: "ignore" });
  };
  move(loadCore);
  return () => move(before ?? "0");
}

interface RoleOptions {
  readonly upstreamPort?: number;
  readonly workerCount?: number;
  /** Whether the gateway adapts how many calls a target carries. */
  readonly adapts?: boolean;
  /** Whether the caller's tenant pays out of an account of the ledger. */
  readonly pays?: boolean;
  /** Where the processes tell of their memory when they are asked. */
  readonly probeFolder?: string | undefined;
}

/** Starts a role of `process.ts`. */
export async function startRole(
  role: "upstream" | "proxy" | "relay" | "faultline",
  { upstreamPort = 0, workerCount = 1, adapts = true, pays = false, probeFolder }: RoleOptions = {},
): Promise<Target> {
  const entry = fileURLToPath(new URL("./process.ts", import.meta.url));
  const child = start(
    [
      entry,
      role,
      String(upstreamPort),
      String(workerCount),
      adapts ? "latency" : "none",
      pays ? "pays" : "free",
    ],
    {
      core: role === "upstream" ? loadCore : targetCore,
      environment: environmentOf(probeFolder),
    },
  );
  const [line] = (await once(child.stdout ?? child, "data")) as [Buffer];
  const serving = JSON.parse(line.toString()) as Serving;
  const own = child.pid ?? 0;
  return toTarget(child, {
    name: role,
    port: serving.port,
    headers: { authorization: `Bearer ${benchKey}` },
    carrierIds: serving.carrierIds ?? [own],
    otherIds: serving.carrierIds === undefined ? [] : [own],
  });
}

/** What the provider saw so far. */
export async function readUpstream({ port }: Target): Promise<UpstreamObservations> {
  const reply = await fetch(`http://127.0.0.1:${port}/observed`);
  // It says so itself, and both ends are of this benchmark.
  return (await reply.json()) as UpstreamObservations;
}

/** Whether the peer gateway is installed. */
export function hasPeer(): boolean {
  return existsSync(peerEntry);
}

/** Installs the peer gateway below `bench/peers`. */
export function installPeer(): void {
  const args = ["install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync("npm", args, { cwd: peersFolder, stdio: ["ignore", "ignore", "inherit"] });
}

/** Starts the peer gateway, kept to the loopback interface. */
export async function startPeer(upstreamPort: number): Promise<Target> {
  const preload = fileURLToPath(new URL("./loopback.ts", import.meta.url));
  const args = ["--import", preload, peerEntry, `--port=${peerPort}`, "--headless"];
  // It writes a line for each request.
  const child = start(args, { core: targetCore, errors: "ignore" });
  child.stdout?.resume();
  await whenListening(peerPort, child);
  return toTarget(child, {
    name: peerName,
    port: peerPort,
    headers: {
      authorization: "Bearer x",
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `http://127.0.0.1:${upstreamPort}/v1`,
    },
    carrierIds: [child.pid ?? 0],
    otherIds: [],
  });
}

function environmentOf(probeFolder: string | undefined): NodeJS.ProcessEnv {
  if (probeFolder === undefined) return process.env;
  const probe = new URL("./probe.ts", import.meta.url).href;
  return { ...process.env, FAULTLINE_BENCH_PROBE: probeFolder, NODE_OPTIONS: `--import ${probe}` };
}

function start(
  args: readonly string[],
  {
    core,
    errors = "inherit",
    environment = process.env,
  }: { core: string; errors?: "inherit" | "ignore"; environment?: NodeJS.ProcessEnv },
): ChildProcess {
  const options: SpawnOptions = { stdio: ["ignore", "pipe", errors], env: environment };
  return pinned
    ? spawn("taskset", ["-c", core, process.execPath, ...args], options)
    : spawn(process.execPath, args, options);
}

function toTarget(
  child: ChildProcess,
  {
    carrierIds,
    otherIds,
    ...facts
  }: Pick<Target, "name" | "port" | "headers" | "carrierIds"> & { otherIds: readonly number[] },
): Target {
  return {
    ...facts,
    carrierIds,
    cpuMs: () => {
      const carrier = sumOf(carrierIds, cpuMsOf);
      return { carrier, all: carrier + sumOf(otherIds, cpuMsOf) };
    },
    memoryMb: () => sumOf(carrierIds, memoryMbOf),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), stopMs);
      await ended;
      clearTimeout(late);
    },
  };
}

function sumOf(ids: readonly number[], valueOf: (id: number) => number): number {
  return ids.reduce((sum, id) => sum + valueOf(id), 0);
}

/** Time on a processor of all threads of a process, as the scheduler counts it. */
function cpuMsOf(id: number): number {
  return readdirSync(`/proc/${id}/task`)
    .map((task) => readFileSync(`/proc/${id}/task/${task}/schedstat`, "utf8").split(" ", 1)[0])
    .reduce((sum, nanos) => sum + Number(nanos) / nanosPerMs, 0);
}

function memoryMbOf(id: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, "utf8"));
  return Number(match?.[1] ?? "0") / 1_024;
}

async function whenListening(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const socket = connect(port, "127.0.0.1");
    const opened = await new Promise<boolean>((resolve) => {
      socket.on("connect", () => resolve(true));
      socket.on("error", () => resolve(false));
    });
    socket.destroy();
    if (opened) return;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  throw new Error("The peer gateway ended before it listened.");
}
