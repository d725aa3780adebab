/** One node and what is left of it. */

import type { ComputeNode } from "./capacity.ts";
import type { JobShape } from "./job-shape.ts";
import type { MemberDemand } from "./job.ts";

/** Devices, cores and memory that members can be taken from. */
export interface Room {
  deviceCount: number;
  cpuCores: number;
  memoryGigabytes: number;
}

export interface NodeState {
  readonly node: ComputeNode;
  /** Its place among the nodes of its region, which are in the order of their ids. */
  index: number;
  /** What no job has taken. */
  readonly free: Room;
  /** What is left beside the head of the lane, if that will stand here. */
  beside: Room | undefined;
  /** How many members of each anti-affinity group stand here; groups without members are absent. */
  readonly groupMemberCounts: Map<string, number>;
}

/** Some members of a job on one node. */
export interface Seat {
  readonly state: NodeState;
  readonly memberCount: number;
}

/** A node on which nothing runs. */
export function emptyNode(node: ComputeNode): NodeState {
  return { node, index: 0, free: roomOf(node), beside: undefined, groupMemberCounts: new Map() };
}

/** How many members of a shape find place on a node now. */
export function membersThatFit(state: NodeState, shape: JobShape): number {
  if (state.free.deviceCount < shape.member.deviceCount) return 0;
  if (shape.groupKey !== undefined && state.groupMemberCounts.has(shape.groupKey)) return 0;
  return membersInRoom(state.free, shape);
}

/** How many members of a shape a room holds, anti-affinity to other jobs left out. */
export function membersInRoom(room: Readonly<Room>, shape: JobShape): number {
  const { member } = shape;
  if (room.deviceCount < member.deviceCount) return 0;
  let count = Math.floor(room.deviceCount / member.deviceCount);
  if (member.cpuCores > 0) count = Math.min(count, Math.floor(room.cpuCores / member.cpuCores));
  if (member.memoryGigabytes > 0)
    count = Math.min(count, Math.floor(room.memoryGigabytes / member.memoryGigabytes));
  return shape.distinctNodes ? Math.min(count, 1) : count;
}

/** A room of its own with the same content. */
export function roomOf({ deviceCount, cpuCores, memoryGigabytes }: Readonly<Room>): Room {
  return { deviceCount, cpuCores, memoryGigabytes };
}

/** Adds members to a room, or takes them out of it when `memberCount` is negative. */
export function addMembers(room: Room, member: MemberDemand, memberCount: number): void {
  room.deviceCount += member.deviceCount * memberCount;
  room.cpuCores += member.cpuCores * memberCount;
  room.memoryGigabytes += member.memoryGigabytes * memberCount;
}
