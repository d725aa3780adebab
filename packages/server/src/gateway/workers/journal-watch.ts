/** Looks whether the journals of this worker can be used, and tells the operator and the control process when that changes. */

import type { CreditDesk } from "../credit/credit-desk.ts";
import type { KeyedCalls } from "../idempotency/keyed-calls.ts";
import type { DurableStreams } from "../streams/durable-streams.ts";
import type { FromWorker } from "./messages.ts";

export interface JournalWatchParts {
  readonly streams: Pick<DurableStreams, "failedJournals">;
  readonly keyed: Pick<KeyedCalls, "failedJournals">;
  readonly credit: Pick<CreditDesk, "failedJournals">;
  readonly send: (message: FromWorker) => void;
}

export class JournalWatch {
  readonly #parts: JournalWatchParts;
  #toldCount = 0;

  constructor(parts: JournalWatchParts) {
    this.#parts = parts;
  }

  /** Journals that take nothing, or could not be opened. */
  get failedCount(): number {
    return this.#failures().length;
  }

  check(): void {
    const failures = this.#failures();
    if (failures.length === this.#toldCount) return;
    this.#toldCount = failures.length;
    const { send } = this.#parts;
    send({ kind: "journals-failed", count: failures.length });
    const message =
      failures.length === 0
        ? "the journals can be used again"
        : "journals take no records; those of kept replies until the process is started anew";
    const level = failures.length === 0 ? "info" : "error";
    send({ kind: "log", level, message, fields: { failures } });
  }

  #failures(): string[] {
    const { streams, keyed, credit } = this.#parts;
    return [
      ...streams.failedJournals().map((cause) => `streams: ${cause}`),
      ...keyed.failedJournals().map((cause) => `idempotency: ${cause}`),
      ...credit.failedJournals().map((cause) => `usage: ${cause}`),
    ];
  }
}
