/** What placement sees of a job. Jobs of one shape share what was found out about it. */

import type { JobRequest, MemberDemand } from "./job.ts";

export interface JobShape {
  readonly memberCount: number;
  readonly member: MemberDemand;
  readonly regions: readonly string[];
  readonly distinctNodes: boolean;
  /** Names tenant and group; jobs with the same key never share a node. */
  readonly groupKey: string | undefined;
  /** The touch of the lane since which it is known not to fit; −1 when that is not known. */
  unfitSince: number;
  /** The touch of the lane since which it is known not to fit beside the head; −1 when that is not known. */
  unfitBesideSince: number;
  /** The capacity for which `everFits` was found out; −1 before that. */
  judgedCapacity: number;
  /** Whether it fits while nothing runs. */
  everFits: boolean;
}

/** The text that two jobs have in common exactly when their shapes are the same. */
export function shapeKeyOf(request: JobRequest): string {
  const { memberCount, member, regions, distinctNodes } = request;
  return JSON.stringify([
    memberCount,
    member.deviceCount,
    member.cpuCores,
    member.memoryGigabytes,
    regions,
    distinctNodes,
    groupKeyOf(request),
  ]);
}

/** The shape of a job, of which nothing is known yet. */
export function shapeOf(request: JobRequest): JobShape {
  return {
    memberCount: request.memberCount,
    member: request.member,
    regions: request.regions,
    distinctNodes: request.distinctNodes,
    groupKey: groupKeyOf(request),
    unfitSince: -1,
    unfitBesideSince: -1,
    judgedCapacity: -1,
    everFits: false,
  };
}

function groupKeyOf({ tenantId, antiAffinityGroup }: JobRequest): string | undefined {
  // No tenant id holds a slash, so two tenants never meet in one key.
  return antiAffinityGroup === undefined ? undefined : `${tenantId}/${antiAffinityGroup}`;
}
