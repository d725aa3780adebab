/** What has run out in a ledger, and the commands that end it. */

import type { TenantId } from "@faultline/protocol";

import type { Ids } from "#kernel/index.ts";
import type { Store } from "#storage/index.ts";

import type { LedgerState } from "../rules/ledger-state.ts";
import { ledgerLimits } from "../rules/limits.ts";
import type { LedgerRequest } from "./ledger-request.ts";
import { ledgerServiceLimits } from "./limits.ts";

/** When the sweeper looks. */
export interface SweepMoment {
  readonly nowMs: number;
  /** How long ago the ledger was read: before that nobody's commands could come. */
  readonly loadedForMs: number;
  readonly ids: Ids;
}

/**
 * The commands that are due now. A hold that its work renews is not among them, for its end has moved. After a start, and after
 * the database was away, what kept renewals and recoveries from coming comes first.
 */
export function dueSweeps(
  state: LedgerState,
  { nowMs, loadedForMs, ids }: SweepMoment,
): LedgerRequest[] {
  const due: LedgerRequest[] = [];
  const id = (): string => `sweep-${ids.next()}`;
  for (const hold of state.holds.values()) {
    if (loadedForMs < ledgerServiceLimits.renewalsComeMs) break;
    if (hold.state !== "open" || hold.expiresAtMs > nowMs) continue;
    due.push({ kind: "expire-holds", id: id() });
    break;
  }
  for (const { remainingMicros, expiresAtMs = Number.POSITIVE_INFINITY } of state.lots.values()) {
    if (remainingMicros === 0n || expiresAtMs > nowMs) continue;
    due.push({ kind: "expire-lots", id: id() });
    break;
  }
  for (const lease of state.leases.values()) {
    if (loadedForMs < ledgerServiceLimits.recoveryComesMs) break;
    if (lease.state !== "open" || lease.isEscrow === true) continue;
    if (lease.deadlineMs + ledgerLimits.leaseGraceMs <= nowMs)
      due.push({ kind: "lose-lease", id: id(), leaseId: lease.id });
  }
  return due;
}

/** Tenants in which a hold, a lease or a lot is past its end. */
export async function findDueTenants(
  store: Store,
  { nowMs, signal }: { readonly nowMs: number; readonly signal: AbortSignal },
): Promise<TenantId[]> {
  const now = String(nowMs);
  const rows = await store.system(signal, (writer) =>
    writer
      .selectFrom("ledger_open_hold")
      .select("tenant_id")
      // Groups of which nothing ends by now are not opened.
      .where("ends_from_ms", "<=", now)
      .where("ends_at_ms", "<=", now)
      // An escrow of another region is ended by no time.
      .where((where) =>
        where.or([where("kind", "<>", "lease"), where("id", "not like", "escrow/%")]),
      )
      .union(
        writer
          .selectFrom("ledger_lot")
          .select("tenant_id")
          .where("remaining_micros", ">", "0")
          .where("expires_at_ms", "<=", now),
      )
      .limit(ledgerServiceLimits.foundTenantCountMax)
      .execute(),
  );
  return rows.map((row) => row.tenant_id);
}
