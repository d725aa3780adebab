/** A folder for one test, removed afterwards. */

import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * Makes a folder through which every user may pass, so that PostgreSQL can run in it when the tests run as root.
 * Disposal also removes what an embedded PostgreSQL placed elsewhere for a data folder in it named `data`.
 */
export async function openTemporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), "faultline-test-"));
  await chmod(path, 0o711);
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (const dataFolder of [path, join(path, "data")]) {
        const record = join(dataFolder, "postgres-location.json");
        const text = await readFile(record, "utf8").catch(() => undefined);
        const outside = text === undefined ? undefined : /"(\/[^"]+)"/.exec(text)?.[1];
        if (outside !== undefined) await rm(outside, { recursive: true, force: true });
      }
      await rm(path, { recursive: true, force: true });
    },
  };
}
