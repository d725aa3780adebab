/** Under which user PostgreSQL runs: it refuses root, so a root process lends it an unprivileged uid. */

import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { PlatformError } from "@faultline/protocol";

export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The uid for `postgres` and `initdb`; `undefined` means our own. An existing data folder keeps its owner.
 * `initdb` needs a uid with a passwd entry, which is why it is `nobody` and not a number of our choice.
 */
export async function chooseRunAs(clusterFolder: string): Promise<RunAs | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await stat(clusterFolder).catch(() => undefined);
  if (existing !== undefined && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid };

  const passwd = await readFile("/etc/passwd", "utf8").catch(() => "");
  for (const line of passwd.split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if (name === "nobody") return { uid: Number(uid), gid: Number(gid) };
  }
  throw new PlatformError(
    "configuration_invalid",
    "PostgreSQL refuses to run as root, and this machine has no user `nobody` to run it as.",
    {
      where: "/etc/passwd",
      hint: "Start as an ordinary user, add a user named nobody, or set DATABASE_URL.",
    },
  );
}

/**
 * Whether the uid may pass through every folder down to `path`, judged by the permission for others alone:
 * stricter than the kernel, which also knows groups and ACLs, so a yes holds.
 */
export async function isReachableBy(runAs: RunAs, path: string): Promise<boolean> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const facts = await stat(folder).catch(() => undefined);
    if (facts !== undefined) {
      const bit = facts.uid === runAs.uid ? 0o100 : 0o001;
      if (facts.isDirectory() && (facts.mode & bit) === 0) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}
