/**
 * Reconciles on a schedule: every ledger that is in use is compared with its entries, and what differs is logged, counted and kept.
 * Where the policy says so, the entries that would settle it are made.
 */

import type { TenantId } from "@faultline/protocol";
import type { Logger } from "pino";

import type { Clock } from "#kernel/index.ts";

import type { Reconciliations } from "./reconciliations.ts";

const intervalMs = 3_600_000;
/** Differences of one tenant that are written to the log; all are counted. */
const loggedCountMax = 20;

export interface ScheduledReconciliationParts {
  readonly reconciliations: Pick<Reconciliations, "run">;
  /** By the newest configuration: whether proposed entries are made without anybody asking. */
  readonly mayApply: (tenantId: TenantId) => boolean;
  /** Tenants whose ledgers are in use. */
  readonly tenants: () => readonly TenantId[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export class ScheduledReconciliation {
  readonly #parts: ScheduledReconciliationParts;
  #isRunning = false;
  /** What the last run did not settle. */
  #differenceCount = 0;

  constructor(parts: ScheduledReconciliationParts) {
    this.#parts = parts;
    parts.clock.every(intervalMs, parts.signal, () => void this.run());
  }

  /** What the last run found and did not settle, over all tenants. */
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
    const { reconciliations, mayApply, signal, logger } = this.#parts;
    const { differences, applied } = await reconciliations.run(
      { tenantId, signal },
      { cause: "schedule", applies: mayApply(tenantId), books: false },
    );
    const settled = new Set(applied);
    const open = differences.filter(({ proposal }) => !settled.has(proposal?.commandId ?? ""));
    for (const { kind, subject, message } of open.slice(0, loggedCountMax))
      logger.error({ tenantId, kind, subject }, message);
    if (applied.length > 0) logger.warn({ tenantId, applied }, "proposed entries were made");
    return open.length;
  }
}
