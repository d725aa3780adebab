/** Finds out when and where the head of a lane will start. */

import { assert } from "#kernel/index.ts";

import type { HeadPlan } from "./head-plan.ts";
import type { JobRecord } from "./job-record.ts";
import type { JobShape } from "./job-shape.ts";
import type { Lane } from "./lane.ts";
import { addMembers, membersInRoom, type NodeState, type Room, roomOf } from "./node-state.ts";
import type { RegionNodes } from "./region-nodes.ts";

/** What a node will be like once some of the running jobs have ended. */
interface Prospect {
  readonly room: Room;
  readonly region: RegionNodes;
  /** Members of the head's anti-affinity group that still stand here. */
  groupMemberCount: number;
}

/**
 * Plans the start of a job that does not fit now, from the times that the running jobs have reserved. It must fit once
 * all of them have ended.
 */
export function planHead(lane: Lane, job: JobRecord, nowMs: number): HeadPlan {
  const { shape } = job;
  const prospects = new Map<NodeState, Prospect>();
  const slotCounts = new Map<RegionNodes, number>();
  for (const region of lane.regionsOf(shape)) {
    let slotCount = 0;
    for (const state of region.nodes) {
      const prospect = prospectOf(state, region, shape);
      prospects.set(state, prospect);
      slotCount += membersIn(prospect, shape);
    }
    slotCounts.set(region, slotCount);
  }

  let startMs = nowMs;
  let found: RegionNodes | undefined;
  const awaited: JobRecord[] = [];
  for (const running of lane.running) {
    assert(running.run !== undefined, "a running job has a run");
    const { endsAtMs, seats } = running.run;
    // All that end at the time of the start are counted as ended, as they leave room for others too.
    if (found !== undefined && endsAtMs > startMs) break;
    let isAwaited = false;
    for (const { state, memberCount } of seats) {
      const prospect = prospects.get(state);
      if (prospect === undefined) continue;
      isAwaited = true;
      const before = membersIn(prospect, shape);
      addMembers(prospect.room, running.shape.member, memberCount);
      if (shape.groupKey !== undefined && running.shape.groupKey === shape.groupKey)
        prospect.groupMemberCount -= memberCount;
      const slotCount = slotCounts.get(prospect.region) ?? 0;
      slotCounts.set(prospect.region, slotCount + membersIn(prospect, shape) - before);
    }
    if (!isAwaited || found !== undefined) continue;
    awaited.push(running);
    startMs = Math.max(nowMs, endsAtMs);
    found = lane
      .regionsOf(shape)
      .find((region) => (slotCounts.get(region) ?? 0) >= shape.memberCount);
  }
  assert(found !== undefined, "a head fits once all that runs has ended");
  return {
    job,
    startMs,
    promisedMs: startMs,
    besides: chooseNodes(found, shape, prospects),
    awaited,
  };
}

/** The nodes that the head will take, and what is left of each beside it. */
function chooseNodes(
  region: RegionNodes,
  shape: JobShape,
  prospects: ReadonlyMap<NodeState, Prospect>,
): Map<NodeState, Room> {
  const besides = new Map<NodeState, Room>();
  let missing = shape.memberCount;
  for (const state of region.nodes) {
    const prospect = prospects.get(state);
    if (prospect === undefined) continue;
    const memberCount = Math.min(missing, membersIn(prospect, shape));
    if (memberCount <= 0) continue;
    addMembers(prospect.room, shape.member, -memberCount);
    besides.set(state, prospect.room);
    missing -= memberCount;
    if (missing === 0) break;
  }
  assert(missing === 0, "the head has all its seats planned");
  return besides;
}

function prospectOf(state: NodeState, region: RegionNodes, { groupKey }: JobShape): Prospect {
  const groupMemberCount =
    groupKey === undefined ? 0 : (state.groupMemberCounts.get(groupKey) ?? 0);
  return { room: roomOf(state.free), region, groupMemberCount };
}

function membersIn({ room, groupMemberCount }: Prospect, shape: JobShape): number {
  return groupMemberCount > 0 ? 0 : membersInRoom(room, shape);
}
