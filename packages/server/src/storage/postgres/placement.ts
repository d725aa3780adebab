/** Where the parts of an embedded PostgreSQL lie, so that its user can reach them and the socket's path fits. */

import { createHash } from "node:crypto";
import {
  access,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";

import { PlatformError } from "@faultline/protocol";

import { readServerRecord } from "./orphan.ts";
import { chooseRunAs, isReachableBy, type RunAs } from "./run-as.ts";

export interface Placement {
  readonly runAs: RunAs | undefined;
  /** PostgreSQL's own data folder (`PGDATA`). */
  readonly clusterFolder: string;
  /** Where copies of programs may lie. */
  readonly cacheFolder: string;
  readonly logPath: string;
}

/** Bytes of a Unix socket's path that Linux accepts, without the final NUL. */
const socketPathBytesMax = 107;
/** The longest name that PostgreSQL adds to its socket folder. */
const socketName = ".s.PGSQL.5432";
/** In a place outside of the data folder: which data folder it belongs to. */
const ownerName = "belongs-to";
const recordName = "postgres-location.json";
/** Where PostgreSQL's data goes when its user cannot reach the data folder. */
export const reachableBaseFolder = "/var/lib/faultline";

/**
 * Decides where the cluster lies. That is the data folder itself, unless we are root and the folder lies where
 * only root may enter: then a folder below `baseFolder`, remembered in the data folder for every later start.
 */
export async function placePostgres(
  folder: string,
  baseFolder: string = reachableBaseFolder,
): Promise<Placement> {
  const dataFolder = resolve(folder);
  const recorded = await readRecord(dataFolder);
  if (recorded !== undefined) {
    await mkdir(join(dataFolder, "postgres"), { recursive: true, mode: 0o711 });
    return await describe(dataFolder, recorded);
  }

  const inside = join(dataFolder, "postgres");
  const runAs = await chooseRunAs(join(inside, "data"));
  await mkdir(inside, { recursive: true, mode: 0o700 });
  if (runAs === undefined) return await describe(dataFolder, inside);
  await chmod(inside, 0o711);
  if (await isReachableBy(runAs, inside)) return await describe(dataFolder, inside);

  const outside = await makeOutside(dataFolder, baseFolder);
  return await describe(dataFolder, outside);
}

/** Where an existing cluster lies, or would lie at the next start without a record. Makes nothing. */
export async function locateCluster(folder: string): Promise<string> {
  const dataFolder = resolve(folder);
  return join((await readRecord(dataFolder)) ?? join(dataFolder, "postgres"), "data");
}

async function describe(dataFolder: string, home: string): Promise<Placement> {
  const clusterFolder = join(home, "data");
  return {
    runAs: await chooseRunAs(clusterFolder),
    clusterFolder,
    cacheFolder: home === join(dataFolder, "postgres") ? home : join(home, ".."),
    logPath: join(dataFolder, "postgres", "server.log"),
  };
}

/** The name is made of the folder's identity on disk, so that a folder made anew never meets old data. */
async function makeOutside(dataFolder: string, baseFolder: string): Promise<string> {
  const facts = await stat(dataFolder);
  const identity = `${dataFolder}\0${facts.dev}\0${facts.ino}\0${facts.birthtimeMs}`;
  const mark = createHash("sha256").update(identity).digest("hex").slice(0, 16);
  const outside = join(baseFolder, mark);
  try {
    await mkdir(outside, { recursive: true, mode: 0o711 });
    await chmod(baseFolder, 0o755);
    await chmod(outside, 0o711);
    await sweepTemporary(baseFolder);
    await writeFile(join(outside, ownerName), `${dataFolder}\n`, { mode: 0o600 });
    const record = JSON.stringify({ postgres: outside });
    await writeFile(join(dataFolder, recordName), `${record}\n`, { mode: 0o600, flush: true });
  } catch (error) {
    throw new PlatformError(
      "configuration_invalid",
      `PostgreSQL runs as another user than root, who cannot reach ${dataFolder}; and ${outside} cannot be made: ${String(error)}.`,
      {
        where: outside,
        hint: "Name a data folder through which other users may pass with --data, or start as an ordinary user.",
        cause: error,
      },
    );
  }
  return outside;
}

/**
 * Removes what belonged to data folders that lay in the folder for temporary files and are gone: nobody can mean to
 * come back to them. Any other missing data folder may lie on a disk that is not mounted now.
 */
async function sweepTemporary(baseFolder: string): Promise<void> {
  for (const name of await readdir(baseFolder)) {
    const home = join(baseFolder, name);
    const owner = await readFile(join(home, ownerName), "utf8").catch(() => undefined);
    if (owner === undefined || !owner.startsWith(`${tmpdir()}${sep}`)) continue;
    const isGone = await access(owner.trimEnd()).then(
      () => false,
      (error: unknown) => error instanceof Error && "code" in error && error.code === "ENOENT",
    );
    const server = await readServerRecord(join(home, "data"));
    if (isGone && server?.running !== true) await rm(home, { recursive: true, force: true });
  }
}

async function readRecord(dataFolder: string): Promise<string | undefined> {
  const path = join(dataFolder, recordName);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const record: unknown = JSON.parse(text);
    if (typeof record === "object" && record !== null && "postgres" in record) {
      if (typeof record.postgres === "string") return await requireFolder(record.postgres, path);
    }
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    // What cannot be parsed is refused below.
  }
  throw new PlatformError(
    "data_folder_incompatible",
    `${path} should name the folder of PostgreSQL's data as {"postgres": "/…"}, and does not.`,
    { where: path, hint: "Restore the file, or restore a backup into a fresh data folder." },
  );
}

/** A missing folder must not look like a first start: that would show an empty database. */
async function requireFolder(folder: string, recordPath: string): Promise<string> {
  const facts = await stat(folder).catch(() => undefined);
  if (facts?.isDirectory() === true) return folder;
  throw new PlatformError(
    "data_folder_incompatible",
    `${recordPath} names ${folder} as the folder of PostgreSQL's data, and there is none.`,
    {
      where: recordPath,
      hint: "Bring that folder back, or restore a backup into a fresh data folder.",
    },
  );
}

/**
 * Makes a private folder for the socket: in the data folder when the path is short enough and reachable, else
 * a fresh one in the folder for temporary files. Disposal of the server removes it.
 */
export async function makeSocketFolder(
  dataFolder: string,
  runAs: RunAs | undefined,
): Promise<string> {
  const preferred = join(resolve(dataFolder), "postgres", "socket");
  const fits = Buffer.byteLength(join(preferred, socketName)) <= socketPathBytesMax;
  const reachable = runAs === undefined || (await isReachableBy(runAs, join(preferred, "..")));
  let folder = preferred;
  if (fits && reachable) {
    await rm(preferred, { recursive: true, force: true });
    await mkdir(preferred, { recursive: true, mode: 0o700 });
  } else {
    folder = await mkdtemp(join(tmpdir(), "faultline-"));
  }
  await chmod(folder, 0o700);
  if (runAs !== undefined) await chown(folder, runAs.uid, runAs.gid);
  if (Buffer.byteLength(join(folder, socketName)) > socketPathBytesMax) {
    throw new PlatformError(
      "configuration_invalid",
      `The path of PostgreSQL's socket, ${join(folder, socketName)}, is longer than ${socketPathBytesMax} bytes.`,
      {
        where: folder,
        hint: "Set TMPDIR to a shorter path, or name a shorter data folder with --data.",
      },
    );
  }
  return folder;
}
