/**
 * Group commit: requests that arrive while a commit is under way are joined into the next one. No timer: a request that
 * meets an idle queue is committed at once, and the busier the database is, the larger the batches become.
 */

import { PlatformError } from "@faultline/protocol";

import { isAbort, raceAbort } from "#kernel/index.ts";

import { telemetryLimits } from "./limits.ts";
import type { RecordRows } from "./record-rows.ts";

/** Writes the rows of several requests in one transaction; resolves with the rows that were new. */
export type Commit = (requests: readonly RecordRows[]) => Promise<number>;

interface Waiting {
  readonly rows: RecordRows;
  readonly done: PromiseWithResolvers<void>;
  /** Its caller has gone; it is skipped while it still waits. */
  abandoned: boolean;
}

export interface CommitCounts {
  readonly commitCount: number;
  readonly rowCount: number;
  /** Rows that were there already. */
  readonly repeatedCount: number;
  /** Requests that were turned away because the queue was full. */
  readonly refusedCount: number;
  readonly waitingRowCount: number;
}

export class CommitQueue implements AsyncDisposable {
  readonly #commit: Commit;
  readonly #waiting: Waiting[] = [];
  #waitingRowCount = 0;
  #waitingCharacters = 0;
  #running: Promise<void> | undefined;
  #closed = false;
  #commitCount = 0;
  #rowCount = 0;
  #repeatedCount = 0;
  #refusedCount = 0;

  constructor(commit: Commit) {
    this.#commit = commit;
  }

  get counts(): CommitCounts {
    return {
      commitCount: this.#commitCount,
      rowCount: this.#rowCount,
      repeatedCount: this.#repeatedCount,
      refusedCount: this.#refusedCount,
      waitingRowCount: this.#waitingRowCount,
    };
  }

  /**
   * Resolves once the rows are durable. Throws `limit_exceeded` when too much waits already. When the signal aborts,
   * rows that still wait are dropped; rows of a commit under way may have been written, and may be sent again.
   */
  async add(rows: RecordRows, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#closed) {
      throw new PlatformError("shutting_down", "Telemetry takes no new records; it is closing.");
    }
    if (rows.rows.length === 0) return;
    this.#refuseWhenFull(rows);
    const entry: Waiting = { rows, done: Promise.withResolvers(), abandoned: false };
    // A commit may fail after its caller has gone; the failure was reported to the others.
    entry.done.promise.catch(() => {});
    this.#waiting.push(entry);
    this.#waitingRowCount += rows.rows.length;
    this.#waitingCharacters += rows.characterCount;
    this.#running ??= this.#run();
    try {
      await raceAbort(entry.done.promise, signal);
    } finally {
      entry.abandoned = true;
    }
  }

  /** Commits what waits, then takes no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  #refuseWhenFull(rows: RecordRows): void {
    const { queueRowCountMax, queueCharactersMax } = telemetryLimits;
    const isFull =
      this.#waitingRowCount + rows.rows.length > queueRowCountMax ||
      this.#waitingCharacters + rows.characterCount > queueCharactersMax;
    // An empty queue takes any request, or one larger than the queue could never be sent.
    if (!isFull || this.#waiting.length === 0) return;
    this.#refusedCount += 1;
    throw new PlatformError(
      "limit_exceeded",
      `${this.#waitingRowCount} records wait to be written, and no more than ${queueRowCountMax} may.`,
      { hint: "Send the same request again in a second.", context: { retryAfterSeconds: 1 } },
    );
  }

  async #run(): Promise<void> {
    // Requests that arrive in the same turn are there before the first commit begins.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      if (batch.length > 0) await this.#commitBatch(batch);
    }
    this.#running = undefined;
  }

  #takeBatch(): Waiting[] {
    const batch: Waiting[] = [];
    let rowCount = 0;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const nextCount = next.rows.rows.length;
      const fits = rowCount + nextCount <= telemetryLimits.commitRowCountMax;
      if (!next.abandoned && !fits && batch.length > 0) break;
      this.#waiting.shift();
      this.#waitingRowCount -= nextCount;
      this.#waitingCharacters -= next.rows.characterCount;
      if (next.abandoned) continue;
      batch.push(next);
      rowCount += nextCount;
    }
    return batch;
  }

  async #commitBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#write(batch);
      for (const entry of batch) entry.done.resolve();
    } catch (error) {
      if (batch.length > 1 && isFaultOfRows(error)) {
        // One request's rows were refused by the database; the others must not fail with them.
        for (const entry of batch) await this.#commitBatch([entry]);
        return;
      }
      for (const entry of batch) entry.done.reject(error);
    }
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const rowCount = batch.reduce((count, entry) => count + entry.rows.rows.length, 0);
    const insertedCount = await this.#commit(batch.map((entry) => entry.rows));
    this.#commitCount += 1;
    this.#rowCount += insertedCount;
    this.#repeatedCount += rowCount - insertedCount;
  }
}

/** Whether a failure came from what was written rather than from the database being away or full. */
function isFaultOfRows(error: unknown): boolean {
  return !(error instanceof PlatformError) && !isAbort(error);
}
