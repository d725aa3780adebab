/** Lines of providers' invoices that were entered as cost: what each was for. */

import type { BookedInvoice } from "@faultline/protocol";

import type { Store, TenantScope } from "#storage/index.ts";

import { reconcileLimits } from "./limits.ts";
import type { InvoiceCost } from "./invoice.ts";

/** A line that was entered. */
export interface EnteredCost extends InvoiceCost {
  readonly bookedAtMs: number;
  /** What was charged for the same by then. */
  readonly chargedMicros: bigint;
  readonly fromMs: number;
  readonly untilMs: number;
}

export class InvoiceBook {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Newest first. */
  async list(scope: TenantScope): Promise<BookedInvoice[]> {
    return this.#store.read(scope, async (reader) => {
      const rows = await reader
        .selectFrom("ledger_invoice")
        .selectAll()
        .orderBy("booked_at", "desc")
        .orderBy("command_id", "desc")
        .limit(reconcileLimits.invoiceLineCountMax)
        .execute();
      return rows.map((row) => ({
        commandId: row.command_id,
        bookedAt: row.booked_at.toISOString(),
        name: row.name,
        // The ledger took it down in this one.
        currency: row.currency as BookedInvoice["currency"],
        amountMicros: row.amount_micros,
        chargedMicros: row.charged_micros,
        from: row.from_at.toISOString(),
        until: row.until_at.toISOString(),
      }));
    });
  }

  /** Writes lines down; one that stands already stays as it is. */
  async keep(scope: TenantScope, costs: readonly EnteredCost[]): Promise<void> {
    if (costs.length === 0) return;
    await this.#store.transact(scope, async (writer) => {
      for (const cost of costs)
        await writer
          .insertInto("ledger_invoice")
          .values({
            tenant_id: scope.tenantId,
            command_id: cost.request.id,
            booked_at: new Date(cost.bookedAtMs),
            name: cost.name,
            currency: cost.currency,
            amount_micros: String(cost.micros),
            charged_micros: String(cost.chargedMicros),
            from_at: new Date(cost.fromMs),
            until_at: new Date(cost.untilMs),
          })
          .onConflict((conflict) => conflict.columns(["tenant_id", "command_id"]).doNothing())
          .execute();
    });
  }
}
