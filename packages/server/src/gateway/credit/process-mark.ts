/** Tells this start of the machine, and a process of it, from all others. */

import { readFileSync } from "node:fs";

import { bootIdPath, readProcessStat } from "#kernel/index.ts";

/** Of this start of the machine; empty where the system does not say. */
export function readBootId(): string {
  try {
    return readFileSync(bootIdPath, "utf8").trim();
  } catch {
    return "";
  }
}

/** A process, by its number and when it began: numbers are used again. `undefined` when it does not run, or nobody can say. */
export function readProcessMark(pid: number): string | undefined {
  try {
    const { isZombie, startTicks } = readProcessStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return isZombie ? undefined : `${pid}:${startTicks}`;
  } catch {
    return undefined;
  }
}

/** Whether a process, by its mark, still runs. Where the system does not say when it began, its number must do. */
export function isRunning(mark: string): boolean {
  const pid = Number(mark.split(":", 1)[0]);
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  if (mark.includes(":")) return readProcessMark(pid) === mark;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
