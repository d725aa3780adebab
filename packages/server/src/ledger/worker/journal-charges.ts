/** What a journal says of the leases of a worker that died. */

import type { LeaseCharge } from "../rules/commands.ts";

/** What a worker writes down: that an operation is about to be made, before it is, and what it cost. */
export type UsageRecord =
  | { readonly kind: "admitted"; readonly leaseId: string; readonly bound: LeaseCharge }
  | { readonly kind: "settled"; readonly leaseId: string; readonly charge: LeaseCharge };

/**
 * The charges of each lease. What an operation cost that was never settled nobody knows: the provider may have answered it in
 * full, so all that was held for it is charged.
 */
export function chargesOfJournal(records: Iterable<UsageRecord>): Map<string, LeaseCharge[]> {
  const byLease = new Map<string, Map<string, LeaseCharge>>();
  for (const record of records) {
    const { leaseId } = record;
    const charges = byLease.get(leaseId) ?? new Map<string, LeaseCharge>();
    byLease.set(leaseId, charges);
    if (record.kind === "settled") charges.set(record.charge.usageId, record.charge);
    else if (!charges.has(record.bound.usageId)) charges.set(record.bound.usageId, record.bound);
  }
  return new Map([...byLease].map(([leaseId, charges]) => [leaseId, [...charges.values()]]));
}
