/** What keeps a job waiting: the constraint that binds now. */

import type { AllocatorState } from "./allocator-state.ts";
import { tenantConstraintOf, type TenantConstraint } from "./constraint.ts";
import type { JobRecord } from "./job-record.ts";

export type Wait =
  | TenantConstraint
  | {
      /** It is the head of its device kind, and starts once enough has ended. */
      readonly kind: "capacity";
      readonly startMs: number;
      readonly awaitedJobIds: readonly string[];
    }
  | {
      /** Another job is the head, and this one may not, or cannot, start past it. */
      readonly kind: "turn";
      readonly headJobId: string;
      readonly headStartMs: number;
      /** Whether it would fit now if the head did not wait. */
      readonly fitsNow: boolean;
      /** It may start past the head if it takes no longer; not above 0 when nothing may. */
      readonly durationMsMax: number;
    }
  | {
      /** An earlier job of the same tenant waits for the tenant's quota, and keeps it. */
      readonly kind: "earlier-job";
    };

/** What keeps a job waiting that the last pass did not start. */
export function waitOf(state: AllocatorState, job: JobRecord, nowMs: number): Wait {
  const { options } = state;
  const lane = state.laneOf(job.request.deviceKind);
  const { head } = lane;
  const durationMsMax =
    head === undefined
      ? Number.POSITIVE_INFINITY
      : head.promisedMs + options.headDelayMsMax - nowMs;
  const outlivesHead = job.request.durationMs > durationMsMax;
  const constraint = tenantConstraintOf(job, lane, { outlivesHead });
  if (constraint !== undefined) return constraint;
  if (head === undefined) return { kind: "earlier-job" };
  if (head.job === job)
    return {
      kind: "capacity",
      startMs: head.startMs,
      awaitedJobIds: head.awaited.map(({ request }) => request.id),
    };
  return {
    kind: "turn",
    headJobId: head.job.request.id,
    headStartMs: head.startMs,
    fitsNow: lane.hasPlaceFor(job.shape),
    durationMsMax: options.backFill ? durationMsMax : 0,
  };
}
