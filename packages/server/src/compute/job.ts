/** What a tenant asks for: a gang of equal members on devices of one kind, for a time. */

import type { TenantId } from "@faultline/protocol";

import {
  jobDurationMsMax,
  jobRegionCountMax,
  memberCountMax,
  nodeDeviceCountMax,
  priorityMax,
} from "./limits.ts";

/** What one member of a gang takes from the node that it stands on. */
export interface MemberDemand {
  readonly deviceCount: number;
  readonly cpuCores: number;
  readonly memoryGigabytes: number;
}

export interface JobRequest {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly deviceKind: string;
  /** All members start together, in one region, or none does. */
  readonly memberCount: number;
  readonly member: MemberDemand;
  /** Where it may run; empty is everywhere. */
  readonly regions: readonly string[];
  /** Whether no two members may stand on one node. */
  readonly distinctNodes: boolean;
  /** Jobs of one tenant with the same group never share a node. */
  readonly antiAffinityGroup: string | undefined;
  /** From 0 to `priorityMax`; decides among the jobs of one tenant, and which jobs may be preempted. */
  readonly priority: number;
  /** What is reserved; a job never runs longer. */
  readonly durationMs: number;
  /** The price of the whole reservation. */
  readonly costMicros: bigint;
  /** By which version of a price that is. */
  readonly priceVersion?: string;
  readonly submittedAtMs: number;
}

/** What is wrong with a request, as a sentence; `undefined` when nothing is. */
export function faultOfRequest(request: JobRequest): string | undefined {
  const { member, memberCount, regions, priority, durationMs, costMicros } = request;
  if (!isWhole(memberCount, 1, memberCountMax))
    return `memberCount must be a whole number from 1 to ${memberCountMax}.`;
  if (!isWhole(member.deviceCount, 1, nodeDeviceCountMax))
    return `deviceCount must be a whole number from 1 to ${nodeDeviceCountMax}.`;
  if (!isWhole(member.cpuCores, 0, Number.MAX_SAFE_INTEGER))
    return "cpuCores must be a whole number that is not negative.";
  if (!isWhole(member.memoryGigabytes, 0, Number.MAX_SAFE_INTEGER))
    return "memoryGigabytes must be a whole number that is not negative.";
  if (regions.length > jobRegionCountMax)
    return `A job names at most ${jobRegionCountMax} regions.`;
  if (!isWhole(priority, 0, priorityMax))
    return `priority must be a whole number from 0 to ${priorityMax}.`;
  if (!isWhole(durationMs, 1, jobDurationMsMax))
    return `durationMs must be a whole number from 1 to ${jobDurationMsMax}.`;
  if (costMicros < 0n) return "costMicros must not be negative.";
  return undefined;
}

/** Devices of all members. */
export function deviceCountOf({
  memberCount,
  member,
}: Pick<JobRequest, "memberCount" | "member">): number {
  return memberCount * member.deviceCount;
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}
