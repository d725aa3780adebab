/** The process of a running drill: started apart from the terminal, found again by a state file, stopped cleanly. */

import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { parseForeignJson } from "@faultline/contracts/json";
import { PlatformError } from "@faultline/protocol";
import type { Clock } from "@faultline/server/kernel/index.ts";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";

import type { Drill } from "./catalog.ts";

export const drillLimits = {
  /** The first start makes a database of its own. */
  readyMs: 120_000,
  stopMs: 20_000,
  /** From the forced end until the system must have removed the process. */
  killMs: 5_000,
  pollMs: 100,
  logTailBytes: 4_096,
} as const;

const DrillState = Type.Object({
  pid: Type.Integer(),
  variant: Type.Union([Type.Literal("broken"), Type.Literal("repaired")]),
  startedAt: Type.String(),
  keyId: Type.String(),
  url: Type.String(),
});
export type DrillState = Static<typeof DrillState>;

export interface DrillPlace {
  readonly drill: Drill;
  /** The platform's data folder; state, log and the drill's own data lie below it. */
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface StartRequest {
  readonly variant: DrillState["variant"];
  readonly endpoint: string;
  readonly key: string;
  readonly keyId: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Further flags of the drill. */
  readonly flags: readonly string[];
}

/** The state of a drill that runs; `undefined` when none does. A state file whose process is gone is removed. */
export function readState(place: DrillPlace): DrillState | undefined {
  let state: DrillState;
  try {
    state = Value.Parse(DrillState, parseForeignJson(readFileSync(stateFile(place), "utf8")));
  } catch {
    // No file, or one that was cut short: nothing is known to run.
    return undefined;
  }
  if (isOurs(state.pid, place.drill)) return state;
  rmSync(stateFile(place), { force: true });
  return undefined;
}

/** Starts the drill and resolves when it is ready. Throws with the end of its log when it cannot start. */
export async function startProcess(place: DrillPlace, request: StartRequest): Promise<DrillState> {
  mkdirSync(drillFolder(place), { recursive: true });
  const log = openSync(logFile(place), "w", 0o600);
  const child = spawn(
    process.execPath,
    [
      join(place.drill.folder, place.drill.entry),
      `--variant=${request.variant}`,
      `--endpoint=${request.endpoint}`,
      `--data=${join(drillFolder(place), "data")}`,
      ...request.flags,
    ],
    {
      detached: true,
      stdio: ["ignore", log, log],
      // By the environment, so that the key is not in the list of processes.
      env: { ...request.environment, FAULTLINE_KEY: request.key },
    },
  );
  closeSync(log);
  child.unref();
  const pid = child.pid;
  if (pid === undefined)
    throw new PlatformError("internal", "The drill's process could not be started.");
  const ready = await waitUntilReady(place, () => child.exitCode ?? child.signalCode);
  const state: DrillState = {
    pid,
    variant: request.variant,
    startedAt: new Date(place.clock.nowMs()).toISOString(),
    keyId: request.keyId,
    url: ready.url,
  };
  writeFileSync(stateFile(place), JSON.stringify(state), { mode: 0o600 });
  return state;
}

/** Asks the process to stop and waits until it is gone; ends it by force past the deadline. */
export async function stopProcess(place: DrillPlace, state: DrillState): Promise<void> {
  kill(state.pid, "SIGTERM");
  if (!(await waitUntilGone(place, state.pid, drillLimits.stopMs))) {
    kill(state.pid, "SIGKILL");
    if (!(await waitUntilGone(place, state.pid, drillLimits.killMs))) {
      throw new PlatformError("internal", `Process ${state.pid} of the drill does not end.`, {
        hint: "The system holds it, perhaps in a file operation; look at it with ps.",
      });
    }
  }
  rmSync(stateFile(place), { force: true });
}

async function waitUntilGone(place: DrillPlace, pid: number, limitMs: number): Promise<boolean> {
  const deadline = place.clock.monotonicMs() + limitMs;
  while (isOurs(pid, place.drill)) {
    if (place.clock.monotonicMs() > deadline) return false;
    await place.clock.sleep(drillLimits.pollMs, place.signal);
  }
  return true;
}

/** Where the drill's process writes. */
export function logFile(place: DrillPlace): string {
  return join(drillFolder(place), "drill.log");
}

const ReadyLine = Type.Object({ ready: Type.Literal(true), url: Type.String() });

async function waitUntilReady(
  place: DrillPlace,
  readExit: () => number | string | null,
): Promise<Static<typeof ReadyLine>> {
  const deadline = place.clock.monotonicMs() + drillLimits.readyMs;
  for (;;) {
    // The exit is read before the log, so that the log of a process that has ended is complete.
    const exit = readExit();
    const log = readFileSync(logFile(place), "utf8");
    const ready = log
      .split("\n")
      .map(parseReady)
      .find((line) => line !== undefined);
    if (ready !== undefined) return ready;
    if (exit !== null || place.clock.monotonicMs() > deadline) {
      const what =
        exit === null ? `was not ready within ${drillLimits.readyMs} ms` : `ended with ${exit}`;
      throw new PlatformError("internal", `The drill ${place.drill.name} ${what}.`, {
        where: logFile(place),
        hint: `The end of its log:\n${log.slice(-drillLimits.logTailBytes).trimEnd()}`,
      });
    }
    await place.clock.sleep(drillLimits.pollMs, place.signal);
  }
}

function parseReady(line: string): Static<typeof ReadyLine> | undefined {
  try {
    const value: unknown = parseForeignJson(line);
    return Value.Check(ReadyLine, value) ? value : undefined;
  } catch {
    // Other words in the log are not for us.
    return undefined;
  }
}

/** Whether the process lives and is this drill, and not another that got its number. */
function isOurs(pid: number, drill: Drill): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    // There is no such process, or it belongs to somebody else.
    return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(join(drill.folder, drill.entry));
  } catch {
    // No /proc on this system: the number is all there is to go by.
    return process.platform !== "linux";
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself in the meantime, which is what was wanted.
  }
}

function drillFolder(place: DrillPlace): string {
  return join(place.dataFolder, "drills", place.drill.name);
}

function stateFile(place: DrillPlace): string {
  return join(drillFolder(place), "state.json");
}
