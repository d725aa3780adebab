/** Copies all that an allocator knows, so that changes can be tried out. */

import { assert } from "#kernel/index.ts";

import type { AllocatorState } from "./allocator-state.ts";
import type { JobRecord } from "./job-record.ts";
import type { Lane } from "./lane.ts";
import { type NodeState, type Room, roomOf } from "./node-state.ts";
import type { TenantState } from "./tenant-state.ts";

/** Makes `target`, which has nothing yet, the same as `source`. */
export function copyState(source: AllocatorState, target: AllocatorState): void {
  for (const tenant of source.tenants.values()) target.tenants.set(tenant.id, copyTenant(tenant));
  for (const lane of source.lanes.values()) copyLane(lane, target);
}

function copyTenant(tenant: TenantState): TenantState {
  return {
    ...tenant,
    used: new Map([...tenant.used].map(([kind, used]) => [kind, roomOf(used)])),
    shareByKind: new Map(tenant.shareByKind),
    // The heads of the copied lanes are counted as they are set.
    headCount: 0,
    headCostMicros: 0n,
  };
}

function copyLane(source: Lane, state: AllocatorState): void {
  const lane = state.laneOf(source.deviceKind);
  const nodes = new Map<NodeState, NodeState>();
  for (const node of source.regions.flatMap((region) => region.nodes))
    nodes.set(node, copyNode(node));
  lane.setNodes([...nodes.values()]);

  const jobs = new Map<JobRecord, JobRecord>();
  const copyJob = (job: JobRecord): JobRecord => {
    const copy = {
      ...job,
      shape: lane.shareShape(job.request),
      tenant: state.tenantOf(job.tenant.id),
      run: job.run === undefined ? undefined : { ...job.run, seats: seatsOn(job.run, nodes) },
    };
    jobs.set(job, copy);
    state.jobs.set(job.request.id, copy);
    return copy;
  };
  for (const running of source.running) lane.addRunning(copyJob(running));
  for (const tenant of source.waiting.tenants())
    for (const job of source.waiting.of(tenant)) lane.waiting.add(copyJob(job));

  if (source.head !== undefined) {
    const { job, besides, awaited } = source.head;
    lane.setHead({
      ...source.head,
      job: copyOf(jobs, job),
      besides: new Map<NodeState, Room>(
        [...besides].map(([node, room]) => [copyOf(nodes, node), roomOf(room)]),
      ),
      awaited: awaited.flatMap((running) => jobs.get(running) ?? []),
    });
  }
  lane.isDirty = source.isDirty;
  lane.isElectionDue = source.isElectionDue;
  lane.isPlanStale = source.isPlanStale;
}

function copyNode(state: NodeState): NodeState {
  return {
    ...state,
    free: roomOf(state.free),
    // Set with the head of the copy.
    beside: undefined,
    groupMemberCounts: new Map(state.groupMemberCounts),
  };
}

function seatsOn(
  { seats }: NonNullable<JobRecord["run"]>,
  nodes: ReadonlyMap<NodeState, NodeState>,
): NonNullable<JobRecord["run"]>["seats"] {
  return seats.map((seat) => ({ ...seat, state: copyOf(nodes, seat.state) }));
}

function copyOf<T>(copies: ReadonlyMap<T, T>, original: T): T {
  const copy = copies.get(original);
  assert(copy !== undefined, "all that is referred to was copied");
  return copy;
}
