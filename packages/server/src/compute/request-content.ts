/** What makes two requests for devices the same one. */

import type { JobRequest } from "./job.ts";

/** What was asked for, save when, and at what price. */
export function contentOf(request: JobRequest): string {
  const { member, memberCount, regions, priority, durationMs } = request;
  const { id, deviceKind, distinctNodes, antiAffinityGroup } = request;
  return JSON.stringify([
    id,
    deviceKind,
    memberCount,
    [member.deviceCount, member.cpuCores, member.memoryGigabytes],
    regions,
    distinctNodes,
    antiAffinityGroup ?? null,
    priority,
    durationMs,
  ]);
}
