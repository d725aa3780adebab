/** Finds and reads the files that a command is pointed at: files, folders, pipes and standard input. */

import type { Dirent } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type EvidenceFile, evidenceLimits, type UnreadableFile } from "@faultline/contracts";

import type { Terminal } from "./terminal.ts";

/** Folders below a given folder that are walked. */
const folderDepthMax = 32;
/** Bytes read per step. */
const chunkBytes = 1024 * 1024;

export interface FoundFiles {
  readonly files: EvidenceFile[];
  /** Paths that are not there, may not be read, or are too large. */
  readonly unreadable: UnreadableFile[];
}

/**
 * Reads everything below the paths; `-` is standard input. In folders, hidden names and `node_modules` are
 * passed over, and links to folders are not followed.
 */
export async function readEvidenceFiles(
  paths: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<FoundFiles> {
  const reading = new Reading(terminal, signal);
  for (const path of paths) await reading.take(path);
  return reading;
}

class Reading implements FoundFiles {
  readonly files: EvidenceFile[] = [];
  readonly unreadable: UnreadableFile[] = [];
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal;
  readonly #seen = new Set<string>();
  #bytesLeft: number = evidenceLimits.totalBytesMax;

  constructor(terminal: Terminal, signal: AbortSignal) {
    this.#terminal = terminal;
    this.#signal = signal;
  }

  async take(path: string): Promise<void> {
    if (path === "-") return await this.#takeInput();
    await this.#guard(path, async () => {
      const status = await stat(path);
      if (status.isDirectory()) await this.#takeFolder(path, 0);
      else await this.#takeFile(path);
    });
  }

  async #takeFolder(folder: string, depth: number): Promise<void> {
    this.#signal.throwIfAborted();
    if (depth > folderDepthMax) {
      this.#refuse(folder, `It lies more than ${folderDepthMax} folders deep.`, "a flatter folder");
      return;
    }
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort(byName)) {
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      const path = join(folder, entry.name);
      await this.#guard(path, async () => {
        if (entry.isDirectory()) await this.#takeFolder(path, depth + 1);
        else if (entry.isFile() || (entry.isSymbolicLink() && (await stat(path)).isFile())) {
          await this.#takeFile(path);
        }
      });
    }
  }

  async #takeFile(path: string): Promise<void> {
    this.#signal.throwIfAborted();
    if (this.#seen.has(path)) return;
    this.#seen.add(path);
    if (this.#seen.size > evidenceLimits.fileCountMax) {
      this.#refuse(
        path,
        "There are too many files.",
        `at most ${evidenceLimits.fileCountMax} files`,
      );
      return;
    }
    const bytesMax = Math.min(evidenceLimits.fileBytesMax, this.#bytesLeft);
    const bytes = await readBounded(path, bytesMax);
    if (bytes === undefined)
      this.#refuse(path, "The file is too large.", `at most ${bytesMax} bytes`);
    else this.#keep(path, bytes);
  }

  async #takeInput(): Promise<void> {
    const name = "standard input";
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    await this.#guard(name, async () => {
      this.#keep(name, await this.#terminal.readInput(evidenceLimits.fileBytesMax, this.#signal));
    });
  }

  #keep(name: string, bytes: Uint8Array): void {
    this.#bytesLeft -= bytes.length;
    this.files.push({ name, bytes });
  }

  async #guard(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      this.#refuse(name, reasonOf(error), "a file or folder that may be read");
    }
  }

  #refuse(name: string, message: string, expected: string): void {
    this.unreadable.push({ name, message, expected, code: "evidence_unreadable" });
  }
}

/** The bytes of a file or pipe, or `undefined` when there are more than `bytesMax`. */
async function readBounded(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  if (size > bytesMax) return undefined;
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    // One byte more than the size, so that the end of an ordinary file shows in the second read.
    const step = Math.min(chunkBytes, Math.max(1, size - total + 1));
    const { bytesRead, buffer } = await file.read(new Uint8Array(size > 0 ? step : chunkBytes));
    if (bytesRead === 0) return Buffer.concat(chunks, total);
    total += bytesRead;
    if (total > bytesMax) return undefined;
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

function byName(left: Dirent, right: Dirent): number {
  if (left.name === right.name) return 0;
  return left.name < right.name ? -1 : 1;
}

function reasonOf(error: Error): string {
  switch ("code" in error ? error.code : undefined) {
    case "ENOENT":
      return "There is no such file or folder.";
    case "EACCES":
    case "EPERM":
      return "It may not be read by this user.";
    default:
      return error.message;
  }
}
