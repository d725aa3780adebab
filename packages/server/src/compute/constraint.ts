/** What may keep a job waiting, save capacity and turn: limits of its own tenant, and nodes that do not exist. */

import type { JobRecord } from "./job-record.ts";
import type { Lane } from "./lane.ts";
import { deviceCountOf } from "./job.ts";
import { usedOf } from "./tenant-state.ts";

export type TenantConstraint =
  | {
      /** Even if nothing ran, no region would hold it. */
      readonly kind: "nodes";
    }
  | {
      readonly kind: "quota";
      readonly deviceKind: string;
      readonly deviceCountMax: number;
      readonly usedDeviceCount: number;
      readonly askedDeviceCount: number;
    }
  | {
      readonly kind: "running-jobs";
      readonly runningJobCountMax: number;
    }
  | {
      readonly kind: "credit";
      readonly askedMicros: bigint;
      /** What is left beside what is kept for heads of the tenant. */
      readonly spendableMicros: bigint;
    };

/** How a job would start. */
export interface IntendedStart {
  /** Whether it would still run when the head of its lane is due. */
  readonly outlivesHead: boolean;
}

/** The first constraint of its own tenant that a job meets; `undefined` when it meets none. */
export function tenantConstraintOf(
  job: JobRecord,
  lane: Lane,
  { outlivesHead }: IntendedStart,
): TenantConstraint | undefined {
  const { request, shape, tenant } = job;
  if (!lane.everFits(shape)) return { kind: "nodes" };

  const head = lane.head?.job;
  const isHead = head === job;
  const { runningJobCountMax } = tenant.policy;
  const keptJobCount = tenant.headCount - (isHead ? 1 : 0);
  if (
    runningJobCountMax !== undefined &&
    tenant.runningJobCount + keptJobCount + 1 > runningJobCountMax
  )
    return { kind: "running-jobs", runningJobCountMax };

  const deviceCountMax = tenant.policy.deviceCountMax[request.deviceKind];
  if (deviceCountMax !== undefined) {
    const isKept = outlivesHead && !isHead && head?.tenant === tenant;
    const usedDeviceCount =
      usedOf(tenant, request.deviceKind).deviceCount + (isKept ? deviceCountOf(head.request) : 0);
    const askedDeviceCount = deviceCountOf(request);
    if (usedDeviceCount + askedDeviceCount > deviceCountMax)
      return {
        kind: "quota",
        deviceKind: request.deviceKind,
        deviceCountMax,
        usedDeviceCount,
        askedDeviceCount,
      };
  }

  const keptMicros = tenant.headCostMicros - (isHead ? request.costMicros : 0n);
  const spendableMicros = tenant.creditMicros - keptMicros;
  if (request.costMicros > spendableMicros)
    return { kind: "credit", askedMicros: request.costMicros, spendableMicros };
  return undefined;
}
