/** All that an allocator knows, and the elementary changes of it. */

import { assert } from "#kernel/index.ts";
import type { TenantId } from "@faultline/protocol";

import type { JobRecord, JobRun, StartOrder } from "./job-record.ts";
import { Lane } from "./lane.ts";
import { addMembers, type Seat } from "./node-state.ts";
import { newTenant, type TenantState, updateShare, usedOf } from "./tenant-state.ts";

export interface AllocatorOptions {
  /** So much waiting is worth one priority. */
  readonly ageingMs: number;
  /** Whether jobs may start past a head that waits for capacity. */
  readonly backFill: boolean;
  /** By so much back-fill may delay a head beyond the earliest start that was planned for it. */
  readonly headDelayMsMax: number;
}

export class AllocatorState {
  readonly options: AllocatorOptions;
  readonly lanes = new Map<string, Lane>();
  readonly tenants = new Map<TenantId, TenantState>();
  readonly jobs = new Map<string, JobRecord>();

  constructor(options: AllocatorOptions) {
    this.options = options;
  }

  laneOf(deviceKind: string): Lane {
    let lane = this.lanes.get(deviceKind);
    if (lane === undefined) {
      lane = new Lane(deviceKind);
      this.lanes.set(deviceKind, lane);
    }
    return lane;
  }

  tenantOf(id: TenantId): TenantState {
    let tenant = this.tenants.get(id);
    if (tenant === undefined) {
      tenant = newTenant(id);
      this.tenants.set(id, tenant);
    }
    return tenant;
  }

  /** Lets a waiting job run. */
  start(job: JobRecord, run: JobRun): void {
    const lane = this.laneOf(job.request.deviceKind);
    lane.waiting.remove(job);
    job.run = run;
    lane.addRunning(job);
    this.occupy(job, run.seats, 1);
    job.tenant.creditMicros -= job.request.costMicros;
    this.#markPreemptingHeads();
  }

  /** Ends a running job; what it held is free. */
  stop(job: JobRecord, nowMs: number): void {
    const { run } = job;
    assert(run !== undefined, "only a job that runs is stopped");
    const lane = this.laneOf(job.request.deviceKind);
    lane.removeRunning(job);
    this.occupy(job, run.seats, -1);
    lane.touch(run.seats.map(({ state }) => state));
    lane.isDirty = true;
    if (nowMs < run.endsAtMs) lane.isPlanStale = true;
    this.forget(job);
    this.markAfterRelease(job.tenant);
  }

  /** Takes the seats, or gives them back, and counts them to the tenant. */
  occupy({ request, shape, tenant }: JobRecord, seats: readonly Seat[], change: 1 | -1): void {
    const lane = this.laneOf(request.deviceKind);
    lane.takeSeats(seats, shape, change);
    addMembers(usedOf(tenant, request.deviceKind), request.member, request.memberCount * change);
    tenant.runningJobCount += change;
    updateShare(tenant, request.deviceKind, lane.total);
  }

  /** Keeps nothing for the head any more; its tenant has again what was kept, for jobs of any kind. */
  dropHead(lane: Lane): void {
    const tenant = lane.head?.job.tenant;
    lane.setHead(undefined);
    lane.isDirty = true;
    if (tenant !== undefined) this.markTenant(tenant);
  }

  forget({ request }: JobRecord): void {
    this.jobs.delete(request.id);
    this.laneOf(request.deviceKind).dropShape(request);
  }

  /** What one tenant releases may let start: its jobs of any kind, and heads that may preempt now. */
  markAfterRelease(tenant: TenantState): void {
    for (const lane of this.lanes.values()) {
      const isLimited =
        tenant.policy.runningJobCountMax !== undefined ||
        tenant.policy.deviceCountMax[lane.deviceKind] !== undefined;
      if (isLimited) lookAgainAt(lane, tenant);
    }
    this.#markPreemptingHeads();
  }

  /** Whom a head may preempt depends on the shares of all tenants, in every lane. */
  #markPreemptingHeads(): void {
    for (const lane of this.lanes.values()) {
      const head = lane.head?.job;
      if (head !== undefined && lane.runsBelow(head.request.priority)) lane.isDirty = true;
    }
  }

  /** What changed for a tenant alone may let its jobs of any kind start. */
  markTenant(tenant: TenantState): void {
    for (const lane of this.lanes.values()) lookAgainAt(lane, tenant);
  }
}

function lookAgainAt(lane: Lane, tenant: TenantState): void {
  if (!lane.waiting.has(tenant)) return;
  lane.waiting.lookAgainAt(tenant);
  lane.isDirty = true;
}

/** A run that begins now. */
export function runFrom(
  { request }: JobRecord,
  seats: readonly Seat[],
  { nowMs, order }: { readonly nowMs: number; readonly order: StartOrder },
): JobRun {
  return { seats, startedAtMs: nowMs, endsAtMs: nowMs + request.durationMs, order };
}
