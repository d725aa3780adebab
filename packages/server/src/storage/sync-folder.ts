/** Makes names durable: a rename survives a power cut only once the folder itself is on disk. */

import { open } from "node:fs/promises";

/** Flushes the folder's entries to disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
