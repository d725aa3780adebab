/** The file system of the machine, by Node. */

import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import type { FileMode, JournalFile, JournalFileSystem } from "./file-system.ts";
import { takeWriterLock } from "./writer-lock.ts";

const flags = { read: "r", create: "wx+", update: "r+" } as const satisfies Record<
  FileMode,
  string
>;

/** The real disk. */
export const nodeFileSystem: JournalFileSystem = {
  async makeFolder(folder) {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (made === undefined) return;
    // Every folder from the first that was missing has a new name in the one above it.
    let path = resolve(folder);
    const top = dirname(resolve(made));
    while (path !== top && path !== dirname(path)) {
      path = dirname(path);
      await syncFolder(path);
    }
  },
  list: async (folder) => await readdir(folder),
  open: async (path, mode) => new NodeFile(await open(path, flags[mode], 0o600)),
  rename: async (from, to) => await rename(from, to),
  remove: async (path) => await rm(path),
  syncFolder,
  lock: takeWriterLock,
};

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

class NodeFile implements JournalFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(into: Uint8Array, offset: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await this.#handle.read(into, done, into.length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async write(bytes: Uint8Array, offset: number): Promise<number> {
    return (await this.#handle.write(bytes, 0, bytes.length, offset)).bytesWritten;
  }

  async truncate(length: number): Promise<void> {
    await this.#handle.truncate(length);
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
