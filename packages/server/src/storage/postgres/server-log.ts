/** The log file of the embedded PostgreSQL: bounded in size, with the last lines at hand for error messages. */

import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Readable } from "node:stream";

/** The file is renamed to `.1` beyond this size, so that both together stay below twice of it. */
export const serverLogBytesMax = 8 * 1024 * 1024;
const tailLineCountMax = 30;

export class ServerLog implements Disposable {
  readonly #path: string;
  readonly #tail: string[] = [];
  #file: number;
  #size: number;

  private constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
    this.#size = fstatSync(file).size;
  }

  static open(path: string): ServerLog {
    mkdirSync(dirname(path), { recursive: true });
    return new ServerLog(path, openSync(path, "a", 0o600));
  }

  /** Writes what a stream gives, until it ends. */
  follow(stream: Readable): void {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => this.#write(text));
    // The pipe ends with the server; the exit itself is reported by the supervisor.
    stream.on("error", () => {});
  }

  /** The last lines, oldest first. */
  tail(): string {
    return this.#tail.join("\n");
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #write(text: string): void {
    this.#tail.push(...text.split("\n").filter((line) => line !== ""));
    this.#tail.splice(0, Math.max(0, this.#tail.length - tailLineCountMax));
    if (this.#size > serverLogBytesMax) {
      closeSync(this.#file);
      renameSync(this.#path, `${this.#path}.1`);
      this.#file = openSync(this.#path, "a", 0o600);
      this.#size = 0;
    }
    this.#size += writeSync(this.#file, text);
  }
}
