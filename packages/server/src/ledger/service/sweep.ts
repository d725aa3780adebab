/** What has run out in a ledger, and the commands that end it. */

import type { TenantId } from "@faultline/protocol";

import type { Ids } from "#kernel/index.ts";
import type { Store } from "#storage/index.ts";

import type { LedgerState } from "../rules/ledger-state.ts";
import { ledgerLimits } from "../rules/limits.ts";
import type { LedgerRequest } from "./ledger-request.ts";
import { ledgerServiceLimits } from "./limits.ts";

/** The commands that are due now. A hold that its work renews is not among them, for its end has moved. */
export function dueSweeps(
  state: LedgerState,
  { nowMs, ids }: { readonly nowMs: number; readonly ids: Ids },
): LedgerRequest[] {
  const due: LedgerRequest[] = [];
  const id = (): string => `sweep-${ids.next()}`;
  for (const hold of state.holds.values()) {
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
    if (lease.state === "open" && lease.deadlineMs + ledgerLimits.leaseGraceMs <= nowMs)
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
      .selectFrom("ledger_hold")
      .select("tenant_id")
      .where("state", "=", "open")
      .where("ends_at_ms", "<=", now)
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
