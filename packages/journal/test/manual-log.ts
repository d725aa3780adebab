/** A log in memory for tests: appends settle at once, or when the test says so, or are refused. */

import { type LogEntry, type LogPosition, logPosition, logStart } from "../src/log/position.ts";
import type { CommitLog } from "../src/store/commit-log.ts";

export interface WaitingAppend {
  readonly settle: () => void;
  readonly refuse: (reason: Error) => void;
}

export class ManualLog implements CommitLog {
  readonly start = logStart;
  readonly records: Uint8Array[] = [];
  /** Appends that wait, when `isHeld`. */
  readonly waiting: WaitingAppend[] = [];
  isHeld = false;

  append(record: Uint8Array): Promise<LogPosition> {
    if (!this.isHeld) return Promise.resolve(this.#keep(record));
    const { promise, resolve, reject } = Promise.withResolvers<LogPosition>();
    this.waiting.push({ settle: () => resolve(this.#keep(record)), refuse: reject });
    return promise;
  }

  async *read(from: LogPosition): AsyncGenerator<LogEntry> {
    for (const [index, record] of this.records.entries()) {
      if (index >= from) {
        yield { position: logPosition(index), next: logPosition(index + 1), record };
      }
    }
  }

  dropBefore(): Promise<void> {
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #keep(record: Uint8Array): LogPosition {
    this.records.push(record);
    return logPosition(this.records.length - 1);
  }
}
