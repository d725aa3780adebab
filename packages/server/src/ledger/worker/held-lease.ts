/** A lease in the hands of its worker. */

import type { LeaseCharge } from "../rules/commands.ts";
import { type BudgetSlice, type ScopedSlices, scopeSlices } from "./budget-rules.ts";
import { workerLimits } from "./limits.ts";

/** Charges under way to the ledger. Sent again with the same id and content until they are acknowledged. */
export interface LeaseReport {
  readonly reportId: string;
  readonly charges: readonly LeaseCharge[];
}

export class HeldLease {
  readonly leaseId: string;
  /** May be admitted. Below zero after a use that cost more than was held for it. */
  idleMicros = 0;
  readonly slices = new Map<string, BudgetSlice>();
  scoped: ScopedSlices = scopeSlices([], new Map());
  deadlineMonotonicMs = Number.NEGATIVE_INFINITY;
  /** Operations that are not settled. */
  openCount = 0;
  /** Operations that were settled: so many the ledger must know before the lease is returned. */
  chargeCount = 0;
  #unsent: LeaseCharge[] = [];
  readonly #reports: LeaseReport[] = [];

  constructor(leaseId: string) {
    this.leaseId = leaseId;
  }

  /** Keeps a charge until the ledger has it. */
  addCharge(charge: LeaseCharge): void {
    this.chargeCount += 1;
    this.#unsent.push(charge);
  }

  /** Charges that are in no report yet. */
  get unsentCount(): number {
    return this.#unsent.length;
  }

  /** Charges that the ledger has not acknowledged. */
  get unreportedCount(): number {
    return this.#reports.reduce((sum, { charges }) => sum + charges.length, this.#unsent.length);
  }

  /** Reports that wait for an acknowledgement, and new ones of what was settled since. */
  reports(): readonly LeaseReport[] {
    while (this.#unsent.length > 0) {
      const reportId = `${this.leaseId}/r${this.chargeCount - this.#unsent.length}`;
      const charges = this.#unsent.slice(0, workerLimits.chargesPerReportMax);
      this.#unsent = this.#unsent.slice(charges.length);
      this.#reports.push({ reportId, charges });
    }
    return this.#reports;
  }

  /** The ledger has a report. */
  acknowledge(reportId: string): void {
    const index = this.#reports.findIndex((report) => report.reportId === reportId);
    if (index >= 0) this.#reports.splice(index, 1);
  }

  /** Whether nothing of it is open or unknown to the ledger, so that it may be returned. */
  get isDone(): boolean {
    return this.openCount === 0 && this.#unsent.length === 0 && this.#reports.length === 0;
  }
}
