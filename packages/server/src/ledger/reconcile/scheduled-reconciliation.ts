/** Reconciles on a schedule: every ledger that is in use is compared with its entries, and what differs is logged and counted. */

import type { TenantId } from "@faultline/protocol";
import type { Logger } from "pino";

import type { Clock } from "#kernel/index.ts";

import type { LedgerBooks } from "../books/ledger-books.ts";

const intervalMs = 3_600_000;
/** Differences of one tenant that are written to the log; all are counted. */
const loggedCountMax = 20;

export interface ScheduledReconciliationParts {
  readonly books: Pick<LedgerBooks, "differences">;
  /** Tenants whose ledgers are in use. */
  readonly tenants: () => readonly TenantId[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export class ScheduledReconciliation {
  readonly #parts: ScheduledReconciliationParts;
  #isRunning = false;
  /** Of the last run. */
  #differenceCount = 0;

  constructor(parts: ScheduledReconciliationParts) {
    this.#parts = parts;
    parts.clock.every(intervalMs, parts.signal, () => void this.run());
  }

  /** What the last run found, over all tenants. */
  get differenceCount(): number {
    return this.#differenceCount;
  }

  /** Runs by itself; a run that is still going is not joined by another. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const { tenants, signal, logger } = this.#parts;
    let count = 0;
    try {
      for (const tenantId of tenants()) {
        signal.throwIfAborted();
        count += await this.#reconcile(tenantId);
      }
      this.#differenceCount = count;
    } catch (error) {
      // The next run tries again; what the last one found still stands.
      if (!signal.aborted) logger.warn({ err: error }, "the ledger was not reconciled");
    } finally {
      this.#isRunning = false;
    }
  }

  async #reconcile(tenantId: TenantId): Promise<number> {
    const { books, signal, logger } = this.#parts;
    const differences = await books.differences({ tenantId, signal });
    for (const { kind, subject, message } of differences.slice(0, loggedCountMax))
      logger.error({ tenantId, kind, subject }, message);
    return differences.length;
  }
}
