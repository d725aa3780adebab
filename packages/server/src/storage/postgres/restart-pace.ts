/** When a server that ended on its own is started again, and when no more. */

import { statfs } from "node:fs/promises";

import type { Clock } from "#kernel/index.ts";

/** How many times in a row a server that dies is started again; a minute of health starts the count anew. */
export const restartCountMax = 6;
const restartHealthyMs = 60_000;
const restartDelayMsMin = 100;
const restartDelayMsMax = 5_000;
/** What recovery needs at least: two segments of the write-ahead log. */
const freeBytesMin = 32 * 1024 * 1024;

export class RestartPace {
  readonly #clock: Clock;
  readonly #isDiskFull: () => Promise<boolean>;
  #count = 0;
  #startedAtMs: number;

  constructor(clock: Clock, isDiskFull: () => Promise<boolean>) {
    this.#clock = clock;
    this.#isDiskFull = isDiskFull;
    this.#startedAtMs = clock.monotonicMs();
  }

  /** The server runs, as far as is known. */
  noteStart(): void {
    this.#startedAtMs = this.#clock.monotonicMs();
  }

  /** The server that ran has ended. */
  noteEnd(): void {
    if (this.#clock.monotonicMs() - this.#startedAtMs > restartHealthyMs) this.#count = 0;
  }

  /**
   * How long to wait before the next start; `undefined` when there were too many in a row. A full disk ends whatever
   * is started on it and is cured by freeing space, so starts go on for as long as it is full, and count for nothing.
   */
  async nextDelayMs(): Promise<number | undefined> {
    if (await this.#isDiskFull()) {
      this.#count = 0;
      return restartDelayMsMax;
    }
    if (this.#count >= restartCountMax) return undefined;
    const delayMs = Math.min(restartDelayMsMin * 2 ** this.#count, restartDelayMsMax);
    this.#count += 1;
    return delayMs;
  }
}

/** Whether the disk of a folder has too little space left for a server to recover. A folder that is gone has no disk. */
export async function isDiskFull(folder: string): Promise<boolean> {
  const facts = await statfs(folder).catch(() => undefined);
  return facts !== undefined && facts.bavail * facts.bsize < freeBytesMin;
}
