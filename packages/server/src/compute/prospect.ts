/** What the nodes of a lane would be like if some running jobs had ended: for planning, without touching the nodes. */

import { assert } from "#kernel/index.ts";

import type { JobRecord } from "./job-record.ts";
import type { JobShape } from "./job-shape.ts";
import type { Lane } from "./lane.ts";
import {
  addMembers,
  membersInRoom,
  type NodeState,
  type Room,
  roomOf,
  type Seat,
} from "./node-state.ts";
import type { RegionNodes } from "./region-nodes.ts";

/** A node that was touched, as it would be. */
interface Changed {
  readonly room: Room;
  groupMemberCount: number;
}

export class Prospect {
  readonly #shape: JobShape;
  readonly #changed = new Map<NodeState, Changed>();
  /** How many members of the shape each region that it may stand in would hold. */
  readonly #slotCounts = new Map<string, number>();
  readonly #regions: readonly RegionNodes[];

  /** The nodes as they are now, seen by a job of a shape. */
  constructor(lane: Lane, shape: JobShape) {
    this.#shape = shape;
    this.#regions = lane.regionsOf(shape);
    for (const region of this.#regions)
      this.#slotCounts.set(region.name, region.slotCountOf(shape));
  }

  /** Lets a running job end (`change` 1), or takes that back (−1). Says whether that concerns the shape at all. */
  release({ shape, run }: JobRecord, change: 1 | -1): boolean {
    assert(run !== undefined, "only a job that runs is released");
    let isConcerned = false;
    for (const seat of run.seats) if (this.#releaseSeat(seat, shape, change)) isConcerned = true;
    return isConcerned;
  }

  /** The first region, in the order of the shape's wish, that would hold all members. */
  findRegion(): RegionNodes | undefined {
    return this.#regions.find(
      ({ name }) => (this.#slotCounts.get(name) ?? 0) >= this.#shape.memberCount,
    );
  }

  /** The nodes of a region that would hold all members, and what would be left of each beside them. */
  takeNodes(region: RegionNodes): Map<NodeState, Room> {
    const shape = this.#shape;
    const besides = new Map<NodeState, Room>();
    let missing = shape.memberCount;
    for (const state of region.nodes) {
      const changed = this.#changed.get(state) ?? asIs(state, shape);
      const memberCount = Math.min(missing, membersIn(changed, shape));
      if (memberCount <= 0) continue;
      addMembers(changed.room, shape.member, -memberCount);
      besides.set(state, changed.room);
      missing -= memberCount;
      if (missing === 0) break;
    }
    assert(missing === 0, "a region that would hold all members has nodes for them");
    return besides;
  }

  #releaseSeat({ state, memberCount }: Seat, shape: JobShape, change: 1 | -1): boolean {
    const regionName = state.node.region;
    const slotCount = this.#slotCounts.get(regionName);
    if (slotCount === undefined) return false;
    let changed = this.#changed.get(state);
    if (changed === undefined) {
      changed = asIs(state, this.#shape);
      this.#changed.set(state, changed);
    }
    const before = membersIn(changed, this.#shape);
    addMembers(changed.room, shape.member, memberCount * change);
    if (this.#shape.groupKey !== undefined && shape.groupKey === this.#shape.groupKey)
      changed.groupMemberCount -= memberCount * change;
    this.#slotCounts.set(regionName, slotCount + membersIn(changed, this.#shape) - before);
    return true;
  }
}

function asIs(state: NodeState, { groupKey }: JobShape): Changed {
  return {
    room: roomOf(state.free),
    groupMemberCount: groupKey === undefined ? 0 : (state.groupMemberCounts.get(groupKey) ?? 0),
  };
}

function membersIn({ room, groupMemberCount }: Changed, shape: JobShape): number {
  return groupMemberCount > 0 ? 0 : membersInRoom(room, shape);
}
