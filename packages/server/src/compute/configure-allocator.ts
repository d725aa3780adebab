/** An allocator as the configuration has it. */

import type { ComputeConfig } from "#config/index.ts";
import type { TenantId } from "@faultline/protocol";

import { Allocator } from "./allocator.ts";
import { defaultTenantPolicy, type TenantPolicy } from "./tenant-state.ts";

/** Knows the quotas and weights of the tenants; the nodes are told by a capacity provider. */
export function configureAllocator(
  config: ComputeConfig,
  weights: Readonly<Record<string, number>>,
): Allocator {
  const allocator = new Allocator(config);
  for (const [tenantId, policy] of policiesOf(config, weights))
    allocator.setTenant(tenantId, policy);
  return allocator;
}

function policiesOf(
  { quotas }: ComputeConfig,
  weights: Readonly<Record<string, number>>,
): Map<TenantId, TenantPolicy> {
  const policies = new Map<TenantId, TenantPolicy>();
  for (const [id, weight] of Object.entries(weights))
    // The names of the configuration's weights are ids of tenants.
    policies.set(id as TenantId, { ...defaultTenantPolicy, weight });
  for (const { tenantId, deviceKind, deviceCountMax } of quotas) {
    const policy = policies.get(tenantId) ?? defaultTenantPolicy;
    policies.set(tenantId, {
      ...policy,
      deviceCountMax: { ...policy.deviceCountMax, [deviceKind]: deviceCountMax },
    });
  }
  return policies;
}
