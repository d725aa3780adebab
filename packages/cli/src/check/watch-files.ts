/** Tells when files or folders change. */

import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, resolve, sep } from "node:path";
import type { Clock } from "@faultline/server/kernel/index.ts";

/** How long nothing must change before a change counts as complete. */
const quietMs = 150;
/** How long changes are waited out when they do not become quiet, as those of a log that grows. */
const unquietMsMax = 2_000;

/** Watches files and folders from when it is opened until it is disposed of. */
export class FileWatch implements Disposable {
  readonly #watchers: Disposable;
  readonly #change: Change;
  readonly #clock: Clock;

  private constructor(watchers: Disposable, change: Change, clock: Clock) {
    this.#watchers = watchers;
    this.#change = change;
    this.#clock = clock;
  }

  /**
   * Files are watched by their folder, because editors and exporters put a new file in the place of the old one.
   * Throws where a path does not exist.
   */
  static async open(
    paths: readonly string[],
    { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  ): Promise<FileWatch> {
    const change = new Change(signal);
    const watchers = new DisposableStack();
    try {
      for (const path of paths) watchers.use(await PathWatch.open(resolve(path), change));
    } catch (error) {
      watchers.dispose();
      throw error;
    }
    return new FileWatch(watchers, change, clock);
  }

  /** Yields once for each change, after it has become quiet. Ends when the signal aborts. */
  async *changes(signal: AbortSignal): AsyncGenerator<void> {
    const change = this.#change;
    try {
      while (await change.next()) {
        let seen: number;
        let waitedMs = 0;
        do {
          seen = change.count;
          await this.#clock.sleep(quietMs, signal);
          waitedMs += quietMs;
        } while (change.count !== seen && waitedMs < unquietMsMax);
        change.settle();
        yield;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#watchers[Symbol.dispose]();
  }
}

/** Watches one path, and goes on when what stands there is taken away and put back. */
class PathWatch implements Disposable {
  readonly #path: string;
  readonly #change: Change;
  readonly #folder: FSWatcher;
  #inside: FSWatcher | undefined;

  private constructor(path: string, change: Change) {
    this.#path = path;
    this.#change = change;
    this.#folder = this.#watch(dirname(path), false, (changed) => {
      if (changed !== null && changed !== basename(path)) return;
      change.note();
      void this.#watchInside();
    });
  }

  static async open(path: string, change: Change): Promise<PathWatch> {
    await stat(path);
    const watcher = new PathWatch(path, change);
    await watcher.#watchInside();
    return watcher;
  }

  [Symbol.dispose](): void {
    this.#folder.close();
    this.#inside?.close();
  }

  /** Watches what is inside, where the path is a folder now; it may be another one than before. */
  async #watchInside(): Promise<void> {
    // Gone for now; the folder around it tells when something stands here again.
    const found = await stat(this.#path).catch(() => undefined);
    if (found === undefined || !found.isDirectory()) return;
    this.#inside?.close();
    try {
      this.#inside = this.#watch(this.#path, true, (changed) => {
        if (changed === null || !isPassedOver(changed)) this.#change.note();
      });
    } catch (error) {
      this.#change.fail(error);
    }
  }

  #watch(path: string, recursive: boolean, listen: (changed: string | null) => void): FSWatcher {
    const watcher = watch(path, { recursive }, (_event, changed) => listen(changed));
    // A folder that vanishes while it is walked is a change; without a listener it would end the process.
    watcher.on("error", (error) => {
      if ("code" in error && error.code === "ENOENT") this.#change.note();
      else this.#change.fail(error);
    });
    return watcher;
  }
}

/** Names that a check passes over in folders. */
function isPassedOver(path: string): boolean {
  return path.split(sep).some((name) => name.startsWith(".") || name === "node_modules");
}

/** Changes that were noted and not yet settled. */
class Change {
  count = 0;
  #settledCount = 0;
  #wake: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake?.(), { once: true });
  }

  note(): void {
    this.count += 1;
    this.#wake?.();
  }

  /** Ends the watch with an error. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake?.();
  }

  settle(): void {
    this.#settledCount = this.count;
  }

  /** Whether there is a change; waits for one, and gives `false` when the signal aborts. */
  async next(): Promise<boolean> {
    while (this.count === this.#settledCount && !this.#signal.aborted) {
      if (this.#failure !== undefined) throw this.#failure.error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return !this.#signal.aborted;
  }
}
