/** Moves records from a queue that fills up to disk: so that an outage of the database costs neither memory nor records. */

import { gatewayLimits } from "../limits.ts";
import type { OperationQueue } from "./operation-queue.ts";

export interface RecordSpillParts {
  readonly queue: Pick<
    OperationQueue,
    "waitingCount" | "waitingLength" | "takeWaiting" | "putBack" | "takeAll"
  >;
  /** Writes texts of records down; rejects when that fails. */
  readonly leave: (records: readonly string[]) => Promise<void>;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export class RecordSpill {
  readonly #parts: RecordSpillParts;
  /** What is being written now, if anything is. */
  #writing: Promise<void> | undefined;
  #isFailing = false;

  constructor(parts: RecordSpillParts) {
    this.#parts = parts;
  }

  /** Called on every flush interval. */
  async check(): Promise<void> {
    const { queue } = this.#parts;
    if (this.#writing !== undefined) return;
    const { operationSpillCount, operationSpillLength } = gatewayLimits;
    const isFillingUp =
      queue.waitingCount >= operationSpillCount || queue.waitingLength >= operationSpillLength;
    if (!isFillingUp) return;
    this.#writing = this.#spill();
    await this.#writing;
    this.#writing = undefined;
  }

  async #spill(): Promise<void> {
    const { queue, leave, log } = this.#parts;
    const records = queue.takeWaiting();
    try {
      await leave(records);
      this.#isFailing = false;
    } catch (error) {
      queue.putBack(records);
      if (!this.#isFailing) log("records cannot be left on disk", { cause: String(error) });
      this.#isFailing = true;
    }
  }

  /** The process ends: what was not acknowledged is for the next one. */
  async leaveAll(): Promise<void> {
    // What is on its way is written before the process ends, or comes back to be left with the rest.
    await this.#writing;
    const { queue, leave, log } = this.#parts;
    const records = queue.takeAll();
    try {
      await leave(records);
    } catch (error) {
      log("records are lost: the disk did not take them", {
        count: records.length,
        cause: String(error),
      });
    }
  }
}
