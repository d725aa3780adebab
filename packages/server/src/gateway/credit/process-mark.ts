/** Tells this start of the machine, and a process of it, from all others. */

import { readFileSync } from "node:fs";

/** Of this start of the machine; empty where the system does not say. */
export function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

const startTimeField = 19;

/** A process, by its number and when it began: numbers are used again. `undefined` when it does not run, or nobody can say. */
export function readProcessMark(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name before it may hold anything, also brackets.
    const [state, ...fields] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : `${pid}:${fields[startTimeField - 1]}`;
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
