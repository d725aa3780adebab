/**
 * The lock of a folder's one writer: a Unix socket on which the writer listens. The kernel stops listening with the
 * process, however it ends, so a dead holder is told from a live one also across containers that share a volume,
 * where a pid says nothing.
 */

import { once } from "node:events";
import { type FileHandle, open, readdir, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";

import { JournalError, systemCode } from "../journal-error.ts";

const lockPattern = /^writer-([0-9]{1,15})\.sock$/;
/** What fits into `sun_path` of every system that we run on, with its closing zero byte. */
const socketPathBytesMax = 100;
/** Contenders that meet all step back; each tries again this often. */
const attemptCountMax = 20;

/**
 * Takes the lock or throws `journal_locked`.
 *
 * Every attempt binds a name with a number that is greater than all it sees; binding is exclusive. Whoever has bound
 * and listens then looks again, and steps back when there is a greater number or when anyone below listens. Of two
 * contenders the later to bind finds the earlier listening, or the earlier finds the greater number, or both.
 */
export async function takeWriterLock(folder: string): Promise<AsyncDisposable> {
  const handle = await open(folder, "r");
  try {
    for (let attempt = 0; attempt < attemptCountMax; attempt += 1) {
      const server = await tryLock(folder, handle);
      if (server !== undefined) return holdLock(server, handle);
    }
    throw lockedError(folder, undefined);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function holdLock(server: Server, handle: FileHandle): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await closeServer(server);
      await handle.close();
    },
  };
}

async function tryLock(folder: string, handle: FileHandle): Promise<Server | undefined> {
  const seen = await listLocks(folder);
  for (const number of seen) {
    if (await isListening(folder, handle, number)) throw lockedError(folder, number);
  }
  const own = (seen.at(-1) ?? 0) + 1;
  const server = await listenOn(socketPath(folder, handle, own));
  if (server === undefined) return undefined;
  const others = (await listLocks(folder)).filter((number) => number !== own);
  for (const number of others) {
    if (number > own || (await isListening(folder, handle, number))) {
      await closeServer(server);
      return undefined;
    }
  }
  // What is left below belongs to the dead.
  for (const number of others) await rm(join(folder, lockName(number)), { force: true });
  return server;
}

/** The numbers of the lock files, ascending. */
async function listLocks(folder: string): Promise<number[]> {
  const numbers = (await readdir(folder)).flatMap((name) => {
    const match = lockPattern.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
  return numbers.sort((a, b) => a - b);
}

function lockName(number: number): string {
  return `writer-${number}.sock`;
}

/** A path that is short enough for a socket address; Linux also reaches the folder by its open descriptor. */
function socketPath(folder: string, handle: FileHandle, number: number): string {
  const path = join(folder, lockName(number));
  if (Buffer.byteLength(path) <= socketPathBytesMax || process.platform !== "linux") return path;
  return `/proc/self/fd/${handle.fd}/${lockName(number)}`;
}

async function isListening(folder: string, handle: FileHandle, number: number): Promise<boolean> {
  const socket = connect(socketPath(folder, handle, number));
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ECONNREFUSED" || code === "ENOENT") return false;
    // A full backlog (EAGAIN) and whatever else is said about a socket: somebody may be there.
    return true;
  } finally {
    socket.destroy();
  }
}

/** Binds and listens; gives nothing when the name was taken in between. */
async function listenOn(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.listen(path);
  try {
    await once(server, "listening");
  } catch (error) {
    if (systemCode(error) === "EADDRINUSE") return undefined;
    throw error;
  }
  server.unref();
  return server;
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  await closed;
}

function lockedError(folder: string, number: number | undefined): JournalError {
  const holder = number === undefined ? "others contend for it" : `${lockName(number)} answers`;
  return new JournalError(
    "journal_locked",
    `The journal in ${folder} already has a writer: ${holder}.`,
  );
}
