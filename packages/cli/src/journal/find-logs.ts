/** Finds the logs below a folder. */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isSegmentName } from "@faultline/journal";

/** How far below the named folder logs are looked for. */
const depthMax = 4;

/** The folders that hold segments: the named one, or those below it. Throws what the system says about the folder. */
export async function findLogs(folder: string, signal: AbortSignal): Promise<string[]> {
  return await findBelow(folder, depthMax, signal);
}

async function findBelow(folder: string, depth: number, signal: AbortSignal): Promise<string[]> {
  signal.throwIfAborted();
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries.some((entry) => entry.isFile() && isSegmentName(entry.name))
    ? [folder]
    : [];
  if (depth === 0) return found;
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  for (const name of folders.sort()) {
    found.push(...(await findBelow(join(folder, name), depth - 1, signal)));
  }
  return found;
}
