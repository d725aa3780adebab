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

import { benchKey } from "./gateway-key.ts";
import type { Serving } from "./gateway-process.ts";

export interface Target extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly model: string;
  readonly headers: Readonly<Record<string, string>>;
  /** CPU time so far, in milliseconds: of the process that carries requests, and of all processes together. */
  cpuMs(): { carrier: number; all: number };
  /** Resident memory of all processes. */
  memoryMb(): number;
}

/** The core of what is measured, and the core of load and upstream. */
const targetCore = "0";
const loadCore = "1";
export const peersFolder = fileURLToPath(new URL("./peers", import.meta.url));
const peerEntry = path.join(peersFolder, "node_modules/@portkey-ai/gateway/build/start-server.js");
const peerPort = 47_871;
const waitMs = 50;
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

/** Starts a role of `gateway-process.ts`. */
export async function startRole(
  role: "upstream" | "proxy" | "relay" | "faultline",
  upstreamPort = 0,
): Promise<Target> {
  const entry = fileURLToPath(new URL("./gateway-process.ts", import.meta.url));
  const child = start(
    [entry, role, String(upstreamPort)],
    role === "upstream" ? loadCore : targetCore,
  );
  const [line] = (await once(child.stdout ?? child, "data")) as [Buffer];
  const serving = JSON.parse(line.toString()) as Serving;
  const carrierId = serving.carrierId ?? child.pid ?? 0;
  const ids = carrierId === child.pid ? [carrierId] : [carrierId, child.pid ?? 0];
  return toTarget(child, {
    name: role,
    port: serving.port,
    model: "bench-model",
    headers: { authorization: `Bearer ${benchKey}` },
    ids,
  });
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
  const preload = fileURLToPath(new URL("./gateway-loopback.ts", import.meta.url));
  const args = ["--import", preload, peerEntry, `--port=${peerPort}`, "--headless"];
  // It writes a line for each request.
  const child = start(args, targetCore, "ignore");
  child.stdout?.resume();
  await whenListening(peerPort, child);
  return toTarget(child, {
    name: "portkey",
    port: peerPort,
    model: "bench-model",
    headers: {
      authorization: "Bearer x",
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `http://127.0.0.1:${upstreamPort}/v1`,
    },
    ids: [child.pid ?? 0],
  });
}

function start(
  args: readonly string[],
  core: string,
  errors: "inherit" | "ignore" = "inherit",
): ChildProcess {
  const options: SpawnOptions = { stdio: ["ignore", "pipe", errors] };
  return pinned
    ? spawn("taskset", ["-c", core, process.execPath, ...args], options)
    : spawn(process.execPath, args, options);
}

function toTarget(
  child: ChildProcess,
  {
    ids,
    ...facts
  }: Pick<Target, "name" | "port" | "model" | "headers"> & { ids: readonly number[] },
): Target {
  return {
    ...facts,
    cpuMs: () => ({
      carrier: cpuMsOf(ids[0] ?? 0),
      all: ids.reduce((sum, id) => sum + cpuMsOf(id), 0),
    }),
    memoryMb: () => ids.reduce((sum, id) => sum + memoryMbOf(id), 0),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
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
