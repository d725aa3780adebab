/** Tells when files or folders change. */

import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Clock } from "@faultline/server/kernel/index.ts";

/** How long nothing must change before a change counts as complete. */
const quietMs = 150;

/** Watches files and folders from when it is opened until it is disposed of. */
export class FileWatch implements Disposable {
  readonly #watchers: readonly FSWatcher[];
  readonly #change: Change;
  readonly #clock: Clock;

  private constructor(watchers: readonly FSWatcher[], change: Change, clock: Clock) {
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
    const watchers = await Promise.all(paths.map(async (path) => await watchPath(path, change)));
    return new FileWatch(watchers, change, clock);
  }

  /** Yields once for each change, after it has become quiet. Ends when the signal aborts. */
  async *changes(signal: AbortSignal): AsyncGenerator<void> {
    const change = this.#change;
    try {
      while (await change.next()) {
        let seen: number;
        do {
          seen = change.count;
          await this.#clock.sleep(quietMs, signal);
        } while (change.count !== seen);
        change.settle();
        yield;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers) watcher.close();
  }
}

async function watchPath(path: string, change: Change): Promise<FSWatcher> {
  if ((await stat(path)).isDirectory()) {
    return watch(path, { recursive: true }, () => change.note());
  }
  const name = basename(path);
  return watch(dirname(path), (_event, changed) => {
    if (changed === null || changed === name) change.note();
  });
}

/** Changes that were noted and not yet settled. */
class Change {
  count = 0;
  #settledCount = 0;
  #wake: (() => void) | undefined;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake?.(), { once: true });
  }

  note(): void {
    this.count += 1;
    this.#wake?.();
  }

  settle(): void {
    this.#settledCount = this.count;
  }

  /** Whether there is a change; waits for one, and gives `false` when the signal aborts. */
  async next(): Promise<boolean> {
    while (this.count === this.#settledCount && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return !this.#signal.aborted;
  }
}
