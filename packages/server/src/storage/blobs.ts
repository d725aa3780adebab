/** Content-addressed files: the name of a blob is the hash of its bytes. */

import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { PlatformError } from "@faultline/protocol";

import { mapDiskError } from "./disk-error.ts";
import { syncFolder } from "./sync-folder.ts";

/** Largest blob, in bytes. */
export const blobBytesMax = 64 * 1024 * 1024;
const blobIdPattern = /^sha256:([0-9a-f]{64})$/;

export interface BlobFacts {
  readonly id: string;
  readonly bytes: number;
}

export interface Blobs {
  /** Stores the bytes durably and gives their id, `sha256:` and 64 hexadecimal digits. Equal bytes are stored once. */
  put(bytes: Uint8Array): Promise<string>;
  /** Reads and verifies; `undefined` when there is none. Throws `snapshot_corrupt` when the bytes are not those stored. */
  get(id: string): Promise<Uint8Array | undefined>;
  has(id: string): Promise<boolean>;
  /** All blobs in the order of their ids. */
  list(): AsyncIterable<BlobFacts>;
}

/** Opens the blobs of a folder, which is made when it is missing. */
export async function openBlobs(folder: string): Promise<Blobs> {
  const root = resolve(folder);
  await mkdir(root, { recursive: true, mode: 0o700 });
  let draftCount = 0;
  return {
    async put(bytes) {
      if (bytes.byteLength > blobBytesMax) {
        throw new PlatformError(
          "request_too_large",
          `A blob may have ${blobBytesMax} bytes; this one has ${bytes.byteLength}.`,
        );
      }
      const id = blobId(bytes);
      const path = blobPath(root, id);
      const present = await readFile(path).catch(absent);
      if (present === undefined || blobId(present) !== id)
        await writeDraft(path, bytes, (draftCount += 1)).catch(fail);
      // Also when the file is there: another writer may not have come this far yet.
      await syncFolders(path);
      return id;
    },
    async get(id) {
      const path = blobPath(root, id);
      const bytes = await readFile(path).catch(absent);
      if (bytes === undefined || blobId(bytes) === id) return bytes;
      throw new PlatformError(
        "snapshot_corrupt",
        `The stored content of ${id} does not match its hash.`,
        {
          where: path,
          hint: "Restore it from a backup; the disk or another program changed the file.",
        },
      );
    },
    async has(id) {
      return (await fileSize(blobPath(root, id))) !== undefined;
    },
    list: () => listBlobs(root),
  };
}

/** The id of these bytes. */
export function blobId(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function blobPath(root: string, id: string): string {
  const hex = blobIdPattern.exec(id)?.[1];
  if (hex === undefined) {
    throw new PlatformError(
      "request_invalid",
      "A blob id should read sha256: and 64 hexadecimal digits.",
      { where: id.slice(0, 100) },
    );
  }
  return join(root, hex.slice(0, 2), hex.slice(2, 4), hex);
}

/** A crash leaves either no file of this name or the whole of it. */
async function writeDraft(path: string, bytes: Uint8Array, number: number): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Equal names mean equal bytes, so writers of the same blob may overtake one another, each with its own draft.
  // A draft of this name can only be what an earlier process of the same number left behind, and is written over.
  const draft = `${path}.${process.pid}.${number}.partial`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

/** A name is durable once its folder is, and a new folder once its parent is. */
async function syncFolders(path: string): Promise<void> {
  const folder = dirname(path);
  for (const each of [folder, dirname(folder), dirname(dirname(folder))]) await syncFolder(each);
}

async function* listBlobs(root: string): AsyncIterable<BlobFacts> {
  for (const first of (await readdir(root)).sort()) {
    for (const second of (await readdir(join(root, first))).sort()) {
      for (const name of (await readdir(join(root, first, second))).sort()) {
        if (!/^[0-9a-f]{64}$/.test(name)) continue;
        const bytes = await fileSize(join(root, first, second, name));
        if (bytes !== undefined) yield { id: `sha256:${name}`, bytes };
      }
    }
  }
}

async function fileSize(path: string): Promise<number | undefined> {
  const facts = await stat(path).catch(absent);
  return facts?.size;
}

function fail(error: unknown): never {
  throw mapDiskError(error);
}

function absent(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
