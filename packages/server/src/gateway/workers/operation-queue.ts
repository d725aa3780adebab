/** The bounded queue between finished operations and the control process: batches, acknowledged, else sent again. */

import type { Clock } from "#kernel/index.ts";

import { gatewayLimits } from "../limits.ts";
import type { OperationRecord } from "../calls/operation-record.ts";
import { toOperationText } from "./operation-text.ts";

interface Batch {
  readonly id: number;
  readonly records: readonly string[];
  /** Monotonic time before which a refused batch is not sent again. */
  notBeforeMs: number;
  inFlight: boolean;
}

/** Gives a batch of records as texts to the transport; `false` when it cannot take it. */
export type SendBatch = (batchId: number, records: readonly string[]) => boolean;

export class OperationQueue {
  readonly #send: SendBatch;
  readonly #clock: Clock;
  #waiting: string[] = [];
  /** Characters of those. */
  #waitingLength = 0;
  /** Sent or refused batches, at most `operationBatchesInFlightMax`. */
  readonly #batches = new Map<number, Batch>();
  #nextId = 1;
  #droppedCount = 0;
  #onEmpty: (() => void) | undefined;

  constructor(send: SendBatch, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
  }

  get length(): number {
    let length = this.#waiting.length;
    for (const batch of this.#batches.values()) length += batch.records.length;
    return length;
  }

  /** Records that were thrown away because the queue was full. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Takes a record that nothing changes any more. */
  push(record: OperationRecord): void {
    if (!this.#add(toOperationText(record))) return;
    if (this.#waiting.length >= gatewayLimits.operationBatchMax) this.flush();
  }

  /** Sends what may be sent now. Called on every flush interval. */
  flush(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const batch of this.#batches.values()) {
      if (!batch.inFlight && batch.notBeforeMs <= nowMs) {
        batch.inFlight = this.#send(batch.id, batch.records);
      }
    }
    while (
      this.#waiting.length > 0 &&
      this.#batches.size < gatewayLimits.operationBatchesInFlightMax
    ) {
      const records = this.#waiting.slice(0, gatewayLimits.operationBatchMax);
      this.#waiting = this.#waiting.slice(records.length);
      this.#waitingLength -= lengthOf(records);
      const batch: Batch = { id: this.#nextId, records, notBeforeMs: 0, inFlight: false };
      this.#nextId += 1;
      this.#batches.set(batch.id, batch);
      batch.inFlight = this.#send(batch.id, batch.records);
    }
  }

  onStored(batchId: number): void {
    this.#batches.delete(batchId);
    if (this.length === 0) this.#onEmpty?.();
    else this.flush();
  }

  onRefused(batchId: number): void {
    const batch = this.#batches.get(batchId);
    if (batch === undefined) return;
    batch.inFlight = false;
    batch.notBeforeMs = this.#clock.monotonicMs() + gatewayLimits.operationRetryMs;
  }

  /** Records that were not sent yet. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Their characters. */
  get waitingLength(): number {
    return this.#waitingLength;
  }

  /** Takes those out. */
  takeWaiting(): readonly string[] {
    const records = this.#waiting;
    this.#waiting = [];
    this.#waitingLength = 0;
    return records;
  }

  /** Takes back what `takeWaiting` gave, before those that have come since, as far as there is room. */
  putBack(records: readonly string[]): void {
    for (const record of [...records, ...this.takeWaiting()]) this.#add(record);
  }

  /** Takes out what was not acknowledged: who takes it sees that it is stored. */
  takeAll(): readonly string[] {
    const records = [
      ...[...this.#batches.values()].flatMap((batch) => batch.records),
      ...this.#waiting,
    ];
    this.#batches.clear();
    this.takeWaiting();
    return records;
  }

  /** Says whether there was room. */
  #add(record: string): boolean {
    const { operationQueueMax, operationQueueLengthMax } = gatewayLimits;
    const isFull =
      this.#waiting.length >= operationQueueMax ||
      this.#waitingLength + record.length > operationQueueLengthMax;
    if (isFull) {
      this.#droppedCount += 1;
      return false;
    }
    this.#waiting.push(record);
    this.#waitingLength += record.length;
    return true;
  }

  /** Resolves when nothing waits any more, or the signal aborts. */
  async whenEmpty(signal: AbortSignal): Promise<void> {
    this.flush();
    if (this.length === 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

function lengthOf(records: readonly string[]): number {
  return records.reduce((sum, record) => sum + record.length, 0);
}
