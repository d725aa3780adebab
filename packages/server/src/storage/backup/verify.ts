/** Verifies a backup without a database: every entry is there, is whole, and is what the manifest says. */

import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

import { PlatformError } from "@faultline/protocol";

import { blobId } from "../blobs.ts";
import {
  type BackupManifest,
  type BackupProgress,
  blobEntry,
  headerBytes,
  headerEntry,
  manifestEntry,
  manifestHashEntry,
  parseManifest,
  partBytesMax,
  sha256Of,
} from "./manifest.ts";
import { corrupt, readTar, type TarEntry } from "./tar.ts";

export interface VerifyBackupOptions {
  readonly file: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

/** Reads the whole archive once. Throws `backup_corrupt`, naming the entry at fault. */
export async function verifyBackup(options: VerifyBackupOptions): Promise<BackupManifest> {
  await using archive = await openArchive(options.file);
  const seen = await survey(archive.file, options);

  const manifest = parseManifest(seen.manifest);
  for (const part of manifest.tables.flatMap((table) => table.parts)) {
    const found = seen.parts.get(part.entry);
    if (found === undefined) throw corrupt(part.entry, "the entry is missing");
    if (found.sha256 !== part.sha256)
      throw corrupt(part.entry, "its SHA-256 is not the manifest's");
    if (found.rawBytes !== part.rawBytes)
      throw corrupt(part.entry, "its length is not the manifest's");
    seen.parts.delete(part.entry);
  }
  const [unlisted] = seen.parts.keys();
  if (unlisted !== undefined) throw corrupt(unlisted, "the manifest does not list it");
  const { count, bytes, namesSha256 } = manifest.blobs;
  if (seen.blobs.count !== count || seen.blobs.bytes !== bytes || seen.blobNames !== namesSha256) {
    throw corrupt(
      "blobs/",
      `the manifest lists ${count} blobs of ${bytes} bytes, and there are ${seen.blobs.count} of ${seen.blobs.bytes}`,
    );
  }
  return manifest;
}

/** Opens the archive for reading. Throws `not_found` when there is no such file. */
export async function openArchive(path: string): Promise<AsyncDisposable & { file: FileHandle }> {
  try {
    const file = await open(path, "r");
    return { file, [Symbol.asyncDispose]: async () => await file.close() };
  } catch (error) {
    throw new PlatformError("not_found", `The backup ${path} cannot be opened: ${String(error)}.`, {
      where: path,
      cause: error,
    });
  }
}

interface Survey {
  readonly manifest: Buffer;
  readonly parts: Map<string, { sha256: string; rawBytes: number }>;
  readonly blobs: { count: number; bytes: number };
  readonly blobNames: string;
}

async function survey(file: FileHandle, options: VerifyBackupOptions): Promise<Survey> {
  const parts: Survey["parts"] = new Map();
  const blobs = { count: 0, bytes: 0 };
  const names = createHash("sha256");
  const bytesTotal = (await file.stat()).size;
  let bytesDone = 0;
  let manifest: Buffer | undefined;
  let expected: "header" | "content" | "hash" | "end" = "header";

  for await (const entry of readTar(file)) {
    options.signal.throwIfAborted();
    bytesDone += entry.bytes.byteLength;
    if (expected === "header") {
      requireHeader(entry);
      expected = "content";
    } else if (expected === "content" && entry.name === manifestEntry) {
      manifest = entry.bytes;
      expected = "hash";
    } else if (expected === "content" && entry.name.startsWith("blobs/")) {
      requireBlob(entry);
      names.update(`${entry.name}\n`);
      blobs.count += 1;
      blobs.bytes += entry.bytes.byteLength;
    } else if (expected === "content" && entry.name.startsWith("tables/")) {
      if (parts.has(entry.name)) throw corrupt(entry.name, "it is there twice");
      const rawBytes = (await decompress(entry)).byteLength;
      parts.set(entry.name, { sha256: sha256Of(entry.bytes), rawBytes });
    } else if (expected === "hash" && entry.name === manifestHashEntry && manifest !== undefined) {
      if (entry.bytes.toString("latin1") !== `${sha256Of(manifest)}\n`) {
        throw corrupt(manifestEntry, `its SHA-256 is not the one of ${manifestHashEntry}`);
      }
      expected = "end";
    } else {
      throw corrupt(entry.name, "it should not stand here");
    }
    options.onProgress?.({ stage: "verifying", item: entry.name, bytesDone, bytesTotal });
  }
  if (manifest === undefined || expected !== "end") throw corrupt(manifestEntry, "it is missing");
  return { manifest, parts, blobs, blobNames: names.digest("hex") };
}

function requireHeader(entry: TarEntry): void {
  if (entry.name === headerEntry && entry.bytes.equals(headerBytes)) return;
  if (entry.name === headerEntry && entry.bytes.toString("latin1").includes('"faultline-backup"')) {
    throw new PlatformError(
      "data_folder_incompatible",
      `The backup says ${entry.bytes.toString("utf8").trim().slice(0, 200)}; this version reads ${headerBytes.toString("utf8").trim()}.`,
      { where: headerEntry, hint: "Restore it with the version of Faultline that wrote it." },
    );
  }
  throw corrupt(headerEntry, "the archive should begin with it: this is no backup of Faultline");
}

function requireBlob(entry: TarEntry): void {
  if (entry.name !== blobEntry(blobId(entry.bytes))) {
    throw corrupt(entry.name, "its content does not match the hash in its name");
  }
}

/** The rows of a part. The size is bounded, so that a crafted part cannot fill the memory. */
export async function decompress(entry: TarEntry): Promise<Buffer> {
  try {
    return await promisify(gunzip)(entry.bytes, { maxOutputLength: partBytesMax });
  } catch (error) {
    throw corrupt(entry.name, `it cannot be decompressed (${String(error)})`);
  }
}
