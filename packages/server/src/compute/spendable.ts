/** What a tenant may spend, where the ledger can be asked. */

import type { TenantId } from "@faultline/protocol";

import type { ReservationLedger } from "./reservation-ledger.ts";

/** What is spendable; `undefined` when the ledger cannot be reached: then what it said last stands. */
export async function spendableOr(
  ledger: ReservationLedger,
  tenantId: TenantId,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  try {
    return await ledger.spendableOf(tenantId, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}
