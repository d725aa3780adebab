/** The data folder and its lock: one process at a time, taken over from a dead one. */

import { createHash } from "node:crypto";
import { chmod, link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { PlatformError } from "@faultline/protocol";

import { readProcess } from "./postgres/process-table.ts";

const lockName = "faultline.lock";
/** How often a lock that changes under our eyes is looked at again. */
const takeoverAttemptCountMax = 20;

interface LockContents {
  readonly pid: number;
  /** Tells our process apart from a later one with the same pid. */
  readonly identity: string;
}

/**
 * Makes the folder when it is missing and locks it until disposal. Throws `data_folder_in_use` with the
 * pid of the holder. The lock of a process that is gone, or whose pid now belongs to another, is taken over.
 */
export async function acquireDataFolder(folder: string): Promise<AsyncDisposable> {
  const dataFolder = resolve(folder);
  await makeDataFolder(dataFolder);

  const own = await readProcess(process.pid);
  const contents: LockContents = { pid: process.pid, identity: own?.identity ?? "unknown" };
  const lockPath = join(dataFolder, lockName);
  try {
    await takeLock(lockPath, JSON.stringify(contents), dataFolder);
  } catch (error) {
    throw error instanceof PlatformError ? error : unusable(dataFolder, error);
  }

  return {
    async [Symbol.asyncDispose]() {
      const held = await readLock(lockPath);
      if (held?.pid === contents.pid && held.identity === contents.identity) {
        await rm(lockPath, { force: true });
      }
    },
  };
}

async function makeDataFolder(dataFolder: string): Promise<void> {
  try {
    // Folders above are made as usual; only our own is private.
    await mkdir(dirname(dataFolder), { recursive: true });
    const made = await mkdir(dataFolder, { recursive: true, mode: 0o700 });
    // PostgreSQL runs under another uid when we are root: that uid may pass through, and list nothing.
    if (made !== undefined && process.getuid?.() === 0) await chmod(dataFolder, 0o711);
  } catch (error) {
    throw unusable(dataFolder, error);
  }
}

function unusable(dataFolder: string, cause: unknown): PlatformError {
  return new PlatformError(
    "configuration_invalid",
    `The data folder ${dataFolder} cannot be used: ${String(cause)}.`,
    {
      cause,
      where: dataFolder,
      hint: "Name a folder that this user may write, with --data.",
    },
  );
}

async function takeLock(lockPath: string, own: string, dataFolder: string): Promise<void> {
  for (let attempt = 0; attempt < takeoverAttemptCountMax; attempt += 1) {
    const outcome = await tryLock(lockPath, own);
    if (outcome.kind === "taken") return;
    if (outcome.kind === "held") throw await refusal(outcome.holder, lockPath, dataFolder);
  }
  throw new PlatformError(
    "data_folder_in_use",
    `The lock of the data folder ${dataFolder} changed hands ${takeoverAttemptCountMax} times while we waited for it.`,
    {
      where: lockPath,
      hint: "Other processes are starting on the same folder; start one of them.",
    },
  );
}

type LockOutcome =
  | { kind: "taken" }
  | { kind: "held"; holder: LockContents }
  /** Somebody else is moving; look again. */
  | { kind: "moving" };

/**
 * Takes the lock file at `path`, or says who holds it. A stale lock is replaced only under a claim that is itself such a
 * lock, named after the stale contents. So contents that a claimant has read under its claim cannot change
 * before it replaces them: their owner is dead, and everyone else would need the same claim.
 */
async function tryLock(path: string, own: string): Promise<LockOutcome> {
  if (await createExclusively(path, own)) return { kind: "taken" };
  const seen = await readFile(path, "utf8").catch(() => undefined);
  if (seen === undefined) return { kind: "moving" };
  const holder = parseLock(seen);
  if (holder !== undefined && (await isAlive(holder))) return { kind: "held", holder };

  const claimPath = `${path}.${createHash("sha256").update(seen).digest("hex").slice(0, 16)}`;
  if ((await tryLock(claimPath, own)).kind !== "taken") return { kind: "moving" };
  try {
    if ((await readFile(path, "utf8").catch(() => undefined)) !== seen) return { kind: "moving" };
    const draft = await writeDraft(path, own);
    await rename(draft, path);
    return { kind: "taken" };
  } finally {
    await rm(claimPath, { force: true });
  }
}

/** Linking a complete file is exclusive and never shows a half-written lock. */
async function createExclusively(path: string, contents: string): Promise<boolean> {
  const draft = await writeDraft(path, contents);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDraft(path: string, contents: string): Promise<string> {
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, contents, { mode: 0o600 });
  return draft;
}

async function readLock(lockPath: string): Promise<LockContents | undefined> {
  const text = await readFile(lockPath, "utf8").catch(() => undefined);
  return text === undefined ? undefined : parseLock(text);
}

function parseLock(text: string): LockContents | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    if (!("pid" in value) || !("identity" in value)) return undefined;
    if (typeof value.pid !== "number" || typeof value.identity !== "string") return undefined;
    return { pid: value.pid, identity: value.identity };
  } catch {
    // Not a lock that we wrote: nobody holds it.
    return undefined;
  }
}

async function isAlive(holder: LockContents): Promise<boolean> {
  const facts = await readProcess(holder.pid);
  return facts !== undefined && facts.identity === holder.identity;
}

async function refusal(
  holder: LockContents,
  lockPath: string,
  dataFolder: string,
): Promise<PlatformError> {
  const since =
    (await stat(lockPath).catch(() => undefined))?.mtime.toISOString() ?? "an unknown time";
  return new PlatformError(
    "data_folder_in_use",
    `The data folder ${dataFolder} is held by process ${holder.pid} since ${since}.`,
    {
      where: lockPath,
      hint: `Stop process ${holder.pid}, or start with another folder by --data.`,
      context: { pid: holder.pid, since },
    },
  );
}
