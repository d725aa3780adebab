/** What the allocator knows of one tenant: its share, its quota, its credit and what it uses. */

import type { TenantId } from "@faultline/protocol";

import type { Room } from "./node-state.ts";

/** What a tenant may have at once. */
export interface TenantPolicy {
  /** Its share beside the other tenants'. */
  readonly weight: number;
  /** Devices of each kind at once; a kind that is absent is not limited. */
  readonly deviceCountMax: Readonly<Record<string, number>>;
  /** Jobs that run at once; absent is not limited. */
  readonly runningJobCountMax: number | undefined;
}

/** What holds for tenants of whom nothing is said. */
export const defaultTenantPolicy: TenantPolicy = {
  weight: 1,
  deviceCountMax: {},
  runningJobCountMax: undefined,
};

export interface TenantState {
  readonly id: TenantId;
  policy: TenantPolicy;
  /** What the ledger said is spendable, less what was admitted since. */
  creditMicros: bigint;
  runningJobCount: number;
  /** What its running jobs hold, by device kind. */
  readonly used: Map<string, Room>;
  /** The dominant share of each kind: of its devices, cores or memory, whichever is largest. */
  readonly shareByKind: Map<string, number>;
  /** The largest of those, divided by the weight. */
  weightedShare: number;
  /** Heads of lanes among its jobs, and what they cost: kept for them. */
  headCount: number;
  headCostMicros: bigint;
}

/** A tenant without jobs and without credit. */
export function newTenant(id: TenantId): TenantState {
  return {
    id,
    policy: defaultTenantPolicy,
    creditMicros: 0n,
    runningJobCount: 0,
    used: new Map(),
    shareByKind: new Map(),
    weightedShare: 0,
    headCount: 0,
    headCostMicros: 0n,
  };
}

/** What a tenant uses of a kind. */
export function usedOf(tenant: TenantState, deviceKind: string): Room {
  let used = tenant.used.get(deviceKind);
  if (used === undefined) {
    used = { deviceCount: 0, cpuCores: 0, memoryGigabytes: 0 };
    tenant.used.set(deviceKind, used);
  }
  return used;
}

/** Works out the tenant's share anew after its use of a kind, or the kind's capacity, changed. */
export function updateShare(tenant: TenantState, deviceKind: string, total: Readonly<Room>): void {
  const share = dominantShare(usedOf(tenant, deviceKind), total);
  tenant.weightedShare = weightedShareOf(tenant, deviceKind, share);
  tenant.shareByKind.set(deviceKind, share);
}

/** The weighted share that a tenant has with another share of one kind. */
export function weightedShareOf(tenant: TenantState, deviceKind: string, share: number): number {
  let largest = share;
  for (const [kind, kindShare] of tenant.shareByKind)
    if (kind !== deviceKind) largest = Math.max(largest, kindShare);
  return largest / tenant.policy.weight;
}

/** The largest part that a use has of a total. */
export function dominantShare(used: Readonly<Room>, total: Readonly<Room>): number {
  return Math.max(
    partOf(used.deviceCount, total.deviceCount),
    partOf(used.cpuCores, total.cpuCores),
    partOf(used.memoryGigabytes, total.memoryGigabytes),
  );
}

function partOf(used: number, total: number): number {
  // What is used of nothing that is left (its nodes are gone) counts as the whole.
  return used === 0 ? 0 : total === 0 ? 1 : used / total;
}
