/** Finds and reads the files that a command is pointed at: files, folders, pipes and standard input. */

import type { Dirent } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import {
  type EvidenceFile,
  evidenceLimits,
  EvidenceReader,
  type EvidenceSink,
  type ReadEvidence,
  type UnreadableFile,
} from "@faultline/contracts";

import { readingProgress } from "./reading-progress.ts";
import type { Terminal } from "./terminal.ts";

/** Folders below a given folder that are walked. */
const folderDepthMax = 32;
/** Bytes read per step. */
const chunkBytes = 256 * 1024;
/** Bytes of the first step: who follows the reading learns soon what is read. */
const firstChunkBytes = 64 * 1024;

const standardInput = "-";

export interface ReadingOptions {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** A file that is no evidence, wherever it lies. */
  readonly passOver?: string;
}

export interface EvidenceAtPaths extends ReadEvidence {
  /** Files that were found in folders, not named themselves, and are in no known form. */
  readonly passedOver: readonly string[];
}

/**
 * Reads everything below the paths; `-` is standard input. In folders, hidden names and `node_modules` are
 * passed over, and links to folders are not followed. Shows on a terminal how far it has come.
 */
export async function readEvidenceAt(
  paths: readonly string[],
  { terminal, signal, passOver }: ReadingOptions,
): Promise<EvidenceAtPaths> {
  const found = await FileSearch.find(paths, signal);
  const files = found.files.filter(
    ({ path }) => passOver === undefined || resolve(path) !== resolve(passOver),
  );
  const progress = readingProgress(files, terminal);
  const reader = new EvidenceReader({
    onProgress: (state) => progress.show(state),
    expandZstd: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
  });
  for (const { path, sizeBytes } of files) {
    await found.guard(nameOf(path), async () => {
      const sink = reader.open(nameOf(path), sizeBytes);
      if (path === standardInput) await pour(terminal.input(signal), sink);
      else await pourFile(path, sink, signal);
    });
  }
  progress.end();
  const { evidence, unreadable } = reader.finish();
  // Who names a file means it; a folder holds other things than evidence, too.
  const isPassedOver = ({ name, isUnknownForm }: UnreadableFile): boolean =>
    isUnknownForm === true && !paths.includes(name) && name !== nameOf(standardInput);
  return {
    evidence,
    unreadable: [...found.unreadable, ...unreadable.filter((file) => !isPassedOver(file))],
    passedOver: unreadable.filter(isPassedOver).map(({ name }) => name),
  };
}

export interface FoundFiles {
  readonly files: EvidenceFile[];
  /** Paths that are not there, may not be read, or are too large. */
  readonly unreadable: readonly UnreadableFile[];
}

/** Reads the bytes of the files below the paths without looking at what they are. */
export async function readEvidenceFiles(
  paths: readonly string[],
  { terminal, signal }: ReadingOptions,
): Promise<FoundFiles> {
  const found = await FileSearch.find(paths, signal);
  const files: EvidenceFile[] = [];
  for (const { path, sizeBytes } of found.files) {
    const name = nameOf(path);
    await found.guard(name, async () => {
      const keeper = new ByteKeeper(sizeBytes);
      if (path === standardInput) await pour(terminal.input(signal), keeper);
      else await pourFile(path, keeper, signal);
      if (keeper.isRefused) found.refuse(name, "The file is too large.", tooLargeWords);
      else files.push({ name, bytes: keeper.bytes });
    });
  }
  return { files, unreadable: found.unreadable };
}

const tooLargeWords = `at most ${evidenceLimits.fileBytesMax} bytes`;

/** Keeps the bytes of one file. */
class ByteKeeper implements EvidenceSink {
  readonly #chunks: Uint8Array[] = [];
  #sizeBytes = 0;
  isRefused: boolean;

  constructor(sizeBytes: number) {
    this.isRefused = sizeBytes > evidenceLimits.fileBytesMax;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks, this.#sizeBytes);
  }

  push(chunk: Uint8Array): void {
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes > evidenceLimits.fileBytesMax) this.isRefused = true;
    else this.#chunks.push(chunk.slice());
  }

  end(): void {
    // Nothing waits for the end.
  }
}

async function pour(chunks: AsyncIterable<Uint8Array>, sink: EvidenceSink): Promise<void> {
  for await (const chunk of chunks) {
    if (sink.isRefused) return;
    sink.push(chunk);
  }
  sink.end();
}

/** Reads a file or a pipe into one buffer again and again, so that its size does not matter. */
async function pourFile(path: string, sink: EvidenceSink, signal: AbortSignal): Promise<void> {
  await using file = await open(path, "r");
  const buffer = new Uint8Array(chunkBytes);
  let length = firstChunkBytes;
  while (!sink.isRefused) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, length);
    length = chunkBytes;
    if (bytesRead === 0 || sink.isSatisfied === true) {
      sink.end();
      return;
    }
    sink.push(buffer.subarray(0, bytesRead));
  }
}

function nameOf(path: string): string {
  return path === standardInput ? "standard input" : path;
}

interface FoundFile {
  readonly path: string;
  /** 0 where nobody knows, as of a pipe. */
  readonly sizeBytes: number;
}

/** The files below some paths, in order and each once, and what could not be looked at. */
class FileSearch {
  readonly files: FoundFile[] = [];
  readonly unreadable: UnreadableFile[] = [];
  readonly #signal: AbortSignal;
  readonly #seen = new Set<string>();

  private constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  static async find(paths: readonly string[], signal: AbortSignal): Promise<FileSearch> {
    const search = new FileSearch(signal);
    for (const path of paths) await search.#take(path);
    return search;
  }

  /** Does something with a file; an error of the system is said of that file alone. */
  async guard(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!isSystemError(error)) throw error;
      this.refuse(name, reasonOf(error), "a file or folder that may be read");
    }
  }

  refuse(name: string, message: string, expected: string): void {
    this.unreadable.push({ name, message, expected, code: "evidence_unreadable" });
  }

  async #take(path: string): Promise<void> {
    if (path === standardInput) {
      this.#keep({ path, sizeBytes: 0 });
      return;
    }
    await this.guard(path, async () => {
      const status = await stat(path);
      if (status.isDirectory()) await this.#takeFolder(path, 0);
      else this.#keep({ path, sizeBytes: status.size });
    });
  }

  async #takeFolder(folder: string, depth: number): Promise<void> {
    this.#signal.throwIfAborted();
    if (depth > folderDepthMax) {
      this.refuse(folder, `It lies more than ${folderDepthMax} folders deep.`, "a flatter folder");
      return;
    }
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort(byName)) {
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      const path = join(folder, entry.name);
      await this.guard(path, async () => {
        if (entry.isDirectory()) await this.#takeFolder(path, depth + 1);
        else if (entry.isFile() || entry.isSymbolicLink()) {
          const status = await stat(path);
          if (status.isFile()) this.#keep({ path, sizeBytes: status.size });
        }
      });
    }
  }

  #keep(file: FoundFile): void {
    if (this.#seen.has(file.path)) return;
    this.#seen.add(file.path);
    // One beyond the limit is kept, so that the reader says what it is.
    if (this.files.length <= evidenceLimits.fileCountMax) this.files.push(file);
  }
}

function byName(left: Dirent, right: Dirent): number {
  if (left.name === right.name) return 0;
  return left.name < right.name ? -1 : 1;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error;
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return "There is no such file or folder.";
    case "EACCES":
    case "EPERM":
      return "It may not be read by this user.";
    default:
      return error.message;
  }
}
