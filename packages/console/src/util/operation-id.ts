/** Uses bear the id of their operation, a colon and the number of the attempt; those of compute a slash and the interval. */

/** The operation as which the ledger knows a reservation. */
export function computeOperation(tenantId: string, reservationId: string): string {
  return `${tenantId}/${reservationId}`;
}

/** Whether it names a lease of a gateway worker, which is no operation. */
export function isLease(id: string): boolean {
  return /\/lease\d+$/.test(id);
}

/** The operation that a use belongs to. */
export function operationOfUse(usageId: string): string {
  return usageId.replace(/[:/]\d+$/, "");
}
