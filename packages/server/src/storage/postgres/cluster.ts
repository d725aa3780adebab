/** PostgreSQL's data folder: made once by `initdb`, and refused when another major version made it. */

import { spawn } from "node:child_process";
import {
  chmod,
  chown,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { text } from "node:stream/consumers";

import { PlatformError } from "@faultline/protocol";

import type { Binaries } from "./binaries.ts";
import { embeddedSuperuser } from "./connection.ts";
import type { RunAs } from "./run-as.ts";

export interface Cluster {
  readonly folder: string;
  readonly binaries: Binaries;
  readonly runAs: RunAs | undefined;
}

const removalOfBusyFolder = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 };

/** Trust is bounded by the socket's folder, which only the server's user and root may enter. */
const hostBasedAuthentication = `# Written by Faultline at every start.
# The socket lies in a folder of mode 0700; there is no TCP listener.
local all all trust
`;

/**
 * Makes the cluster when there is none, checks its version and owner, and writes its access file. That file lies
 * beside the cluster: inside, the server's user could lead a write of root elsewhere by a link.
 */
export async function openCluster(
  cluster: Cluster,
  signal: AbortSignal,
): Promise<"made" | "found"> {
  const found = await readClusterMajor(cluster.folder);
  if (found === undefined) await makeCluster(cluster, signal);
  else requireMajor(found, cluster);
  await requireOwner(cluster);

  await writeFile(accessFile(cluster.folder), hostBasedAuthentication);
  // Whatever the umask is, the server's user must read it.
  await chmod(accessFile(cluster.folder), 0o644);
  return found === undefined ? "made" : "found";
}

/** Where the rules of access to a cluster stand. */
export function accessFile(clusterFolder: string): string {
  return join(dirname(clusterFolder), "pg_hba.conf");
}

async function readClusterMajor(folder: string): Promise<string | undefined> {
  const version = await readFile(join(folder, "PG_VERSION"), "utf8").catch(() => undefined);
  if (version !== undefined) return version.trim();
  const entries = await readdir(folder).catch(() => undefined);
  if (entries === undefined || entries.length === 0) return undefined;
  throw new PlatformError(
    "data_folder_incompatible",
    `${folder} should be a PostgreSQL data folder and has no PG_VERSION.`,
    { where: folder, hint: "Move it away, or start with another data folder by --data." },
  );
}

function requireMajor(found: string, cluster: Cluster): void {
  const wanted = cluster.binaries.major;
  if (found === String(wanted)) return;
  throw new PlatformError(
    "data_folder_incompatible",
    `The data folder was written by PostgreSQL ${found}, and this version of Faultline brings PostgreSQL ${wanted}.`,
    {
      where: join(cluster.folder, "PG_VERSION"),
      hint:
        "1. Install the version of Faultline that wrote it. 2. Run `faultline backup create FILE` there. " +
        "3. Install this version. 4. Run `faultline backup restore FILE --data NEW_FOLDER`. " +
        "5. Start with `faultline up --data NEW_FOLDER`.",
      context: { found, wanted },
    },
  );
}

async function requireOwner(cluster: Cluster): Promise<void> {
  const uid = cluster.runAs?.uid ?? process.getuid?.();
  const facts = await stat(cluster.folder);
  if (uid === undefined || facts.uid === uid) return;
  throw new PlatformError(
    "data_folder_incompatible",
    `PostgreSQL's data belongs to uid ${facts.uid}, and this process would run it as uid ${uid}.`,
    {
      where: cluster.folder,
      hint: "Start as the user who made the data folder (root, when root did), or name another with --data.",
    },
  );
}

/** Initialises beside the target and renames, so that an interrupted first start leaves nothing that looks whole. */
async function makeCluster(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const home = dirname(cluster.folder);
  const prefix = `${basename(cluster.folder)}.initialising`;
  for (const name of await readdir(home)) {
    // An initdb whose starter was killed may still be writing there.
    if (name.startsWith(prefix)) await rm(join(home, name), removalOfBusyFolder).catch(() => {});
  }
  const draft = join(home, `${prefix}.${process.pid}`);
  await mkdir(draft, { mode: 0o700 });
  await own(draft, cluster.runAs);
  await runInitdb({ ...cluster, folder: draft }, signal);
  await rm(cluster.folder, { recursive: true, force: true });
  await rename(draft, cluster.folder);
}

async function runInitdb(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const child = spawn(
    join(cluster.binaries.folder, "bin", "initdb"),
    [
      `--pgdata=${cluster.folder}`,
      `--username=${embeddedSuperuser}`,
      "--auth=trust",
      "--encoding=UTF8",
      // Sorting that does not depend on the machine's C library, so that indexes survive an upgrade of it.
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--no-instructions",
    ],
    {
      ...serverProcessOptions(cluster.runAs),
      cwd: cluster.folder,
      stdio: ["ignore", "ignore", "pipe"],
      signal,
    },
  );
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", (error) => reject(signal.aborted ? error : unrunnable(cluster, error)));
    child.once("close", resolve);
  });
  const [exitCode, complaints] = await Promise.all([ended, text(child.stderr)]);
  if (exitCode === 0) return;
  throw new PlatformError(
    "configuration_invalid",
    `PostgreSQL's initdb failed with exit code ${exitCode}: ${complaints.trim().slice(-2_000)}`,
    {
      where: cluster.folder,
      hint: "See the message of initdb; a full disk or a user without a passwd entry are the usual reasons.",
    },
  );
}

/** The system could not execute the program at all. */
function unrunnable(cluster: Cluster, cause: Error): PlatformError {
  return new PlatformError(
    "configuration_invalid",
    `The programs of PostgreSQL cannot be run: ${cause.message}.`,
    {
      where: cluster.binaries.folder,
      hint:
        "They need Linux with glibc (Alpine has musl) or macOS, and a file system that allows programs. " +
        "Or set DATABASE_URL to a PostgreSQL of version 15 or newer.",
      cause,
    },
  );
}

/** Options for a process of PostgreSQL: its user, and an environment without the variables that libpq reads. */
export function serverProcessOptions(runAs: RunAs | undefined): {
  env: Record<string, string>;
  uid?: number;
  gid?: number;
} {
  return {
    env: { LC_ALL: "C", PATH: "/usr/local/bin:/usr/bin:/bin", TZ: "UTC" },
    ...(runAs === undefined ? {} : { uid: runAs.uid, gid: runAs.gid }),
  };
}

async function own(path: string, runAs: RunAs | undefined): Promise<void> {
  if (runAs !== undefined) await chown(path, runAs.uid, runAs.gid);
}
