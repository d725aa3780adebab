/** Small clusters and jobs for tests; what a test does not name is plain. */

import type { TenantId } from "@faultline/protocol";

import { Allocator } from "../allocator.ts";
import type { AllocatorOptions } from "../allocator-state.ts";
import type { ComputeNode } from "../capacity.ts";
import type { Decision } from "../decision.ts";
import type { JobRequest } from "../job.ts";

export const plainOptions: AllocatorOptions = {
  ageingMs: 60_000,
  backFill: true,
  headDelayMsMax: 0,
};

/** A tenant's id from its name; tests use names that are ids. */
export function tenantId(name: string): TenantId {
  return name as TenantId;
}

export function nodeOf(id: string, fields: Partial<ComputeNode> = {}): ComputeNode {
  return {
    id,
    region: "eu",
    deviceKind: "gpu",
    deviceCount: 8,
    cpuCores: 64,
    memoryGigabytes: 512,
    ...fields,
  };
}

export type JobFields = Partial<Omit<JobRequest, "member" | "tenantId">> & {
  readonly tenant?: string;
  readonly deviceCount?: number;
  readonly cpuCores?: number;
  readonly memoryGigabytes?: number;
};

export function jobOf(id: string, fields: JobFields = {}): JobRequest {
  const { tenant = "a", deviceCount = 1, cpuCores = 0, memoryGigabytes = 0, ...rest } = fields;
  return {
    id,
    tenantId: tenantId(tenant),
    deviceKind: "gpu",
    memberCount: 1,
    member: { deviceCount, cpuCores, memoryGigabytes },
    regions: [],
    distinctNodes: false,
    antiAffinityGroup: undefined,
    priority: 0,
    durationMs: 1_000,
    costMicros: 1n,
    submittedAtMs: 0,
    ...rest,
  };
}

/** An allocator with these nodes, in which every named tenant has more credit than it can use. */
export function allocatorWith(
  nodes: readonly ComputeNode[],
  tenants: readonly string[] = ["a", "b", "c"],
  options: Partial<AllocatorOptions> = {},
): Allocator {
  const allocator = new Allocator({ ...plainOptions, ...options });
  allocator.setNodes(nodes, 0);
  for (const tenant of tenants) allocator.setCredit(tenantId(tenant), 10n ** 12n);
  return allocator;
}

/** The ids of the jobs that were admitted, in order. */
export function admittedIds(decisions: readonly Decision[]): string[] {
  return decisions.flatMap((decision) => (decision.kind === "admitted" ? [decision.jobId] : []));
}
