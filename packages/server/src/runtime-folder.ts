/** The short private folder for the sockets between the platform's own processes. */

import { createHash } from "node:crypto";
import { lstat, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** Socket paths are limited to 107 bytes, so a long temporary folder is passed over. */
const baseLengthMax = 70;

/**
 * Makes the folder and removes it when `stack` is disposed. Its name follows from the data folder, whose lock the caller
 * holds, so that what a killed predecessor left behind is taken over rather than left to pile up.
 */
export async function makeRuntimeFolder(
  dataFolder: string,
  stack: AsyncDisposableStack,
): Promise<string> {
  const base = path.join(tmpdir().length <= baseLengthMax ? tmpdir() : "/tmp", "faultline-");
  const mark = createHash("sha256").update(dataFolder).digest("hex").slice(0, 12);
  const own = `${base}${mark}`;
  const folder = (await claim(own)) ? own : await mkdtemp(base);
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  // A process of the predecessor that still ends removes its sockets by name, and must not meet ours.
  return mkdtemp(path.join(folder, "run-"));
}

/** Makes `folder` for us alone. Says no when somebody else made it: anybody may, in a temporary folder. */
async function claim(folder: string): Promise<boolean> {
  const left = await lstat(folder).catch(() => undefined);
  if (left !== undefined) {
    const isOurs = left.isDirectory() && left.uid === process.getuid?.();
    if (!isOurs) return false;
    await rm(folder, { recursive: true, force: true });
  }
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch {
    // Somebody made it in between.
    return false;
  }
}
