/** The log file of the embedded PostgreSQL: bounded in size, with the last lines at hand for error messages. */

import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Readable } from "node:stream";

/** The file is renamed to `.1` beyond this size, so that both together stay below twice of it. */
export const serverLogBytesMax = 8 * 1024 * 1024;
const tailLineCountMax = 30;

/** How the log reaches its files; each call may fail, as on a full disk. */
export interface LogFiles {
  /** Opens a file for appending, and gives its descriptor. */
  open(path: string): number;
  sizeOf(file: number): number;
  /** Gives how many bytes were written, which may be fewer than were given. */
  write(file: number, bytes: Uint8Array): number;
  rename(from: string, to: string): void;
  close(file: number): void;
}

const diskFiles: LogFiles = {
  open: (path) => openSync(path, "a", 0o600),
  sizeOf: (file) => fstatSync(file).size,
  write: (file, bytes) => writeSync(file, bytes),
  rename: renameSync,
  close: closeSync,
};

export class ServerLog implements Disposable {
  readonly #path: string;
  readonly #files: LogFiles;
  readonly #tail: string[] = [];
  #file: number | undefined;
  #size = 0;
  #droppedCount = 0;
  #isClosed = false;

  private constructor(path: string, files: LogFiles) {
    this.#path = path;
    this.#files = files;
  }

  static open(path: string, files: LogFiles = diskFiles): ServerLog {
    mkdirSync(dirname(path), { recursive: true });
    const log = new ServerLog(path, files);
    // A file that cannot be opened at all is told at once.
    log.#openFile();
    return log;
  }

  /** Writes what a stream gives, until it ends. */
  follow(stream: Readable): void {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => this.#take(text));
    // The pipe ends with the server; the exit itself is reported by the supervisor.
    stream.on("error", () => {});
  }

  /** The last lines, oldest first. */
  tail(): string {
    return this.#tail.join("\n");
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    if (this.#file !== undefined) this.#files.close(this.#file);
  }

  #take(text: string): void {
    const lines = text.split("\n").filter((line) => line !== "");
    this.#tail.push(...lines.slice(-tailLineCountMax));
    this.#tail.splice(0, Math.max(0, this.#tail.length - tailLineCountMax));
    if (this.#isClosed) return;
    try {
      this.#write(text);
    } catch {
      // A line of a log is worth less than the process: while the disk is full, lines are dropped and counted, and
      // the count is what the log says of them later.
      this.#droppedCount += Math.max(1, lines.length);
    }
  }

  #write(text: string): void {
    if (this.#size > serverLogBytesMax) this.#turnOver();
    const file = this.#openFile();
    if (this.#droppedCount > 0) {
      // The last line that was written may have been cut.
      this.#append(
        file,
        `\nfaultline: ${this.#droppedCount} lines of this log were dropped, because the disk did not take them.\n`,
      );
      this.#droppedCount = 0;
    }
    this.#append(file, text);
  }

  #openFile(): number {
    if (this.#file !== undefined) return this.#file;
    const file = this.#files.open(this.#path);
    this.#file = file;
    this.#size = this.#files.sizeOf(file);
    return file;
  }

  #append(file: number, text: string): void {
    const bytes = Buffer.from(text);
    const written = this.#files.write(file, bytes);
    this.#size += written;
    if (written < bytes.length) throw new Error("The disk took a part of it only.");
  }

  /** Whatever step of it fails is done by the next write. */
  #turnOver(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) this.#files.close(file);
    this.#files.rename(this.#path, `${this.#path}.1`);
    this.#size = 0;
  }
}
