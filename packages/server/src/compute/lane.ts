/** All that concerns one device kind: its nodes, what runs on them, what waits for them. */

import { assert } from "#kernel/index.ts";

import type { HeadPlan } from "./head-plan.ts";
import { compareText, type JobRecord } from "./job-record.ts";
import { type JobShape, shapeKeyOf, shapeOf } from "./job-shape.ts";
import type { JobRequest } from "./job.ts";
import { touchCountMax } from "./limits.ts";
import {
  addMembers,
  membersInRoom,
  membersThatFit,
  type NodeState,
  type Room,
  type Seat,
} from "./node-state.ts";
import { RegionNodes } from "./region-nodes.ts";
import { insertSorted, removeSorted } from "./sorted-list.ts";
import { WaitingJobs } from "./waiting-jobs.ts";

interface KnownShape {
  readonly shape: JobShape;
  jobCount: number;
}

export class Lane {
  readonly deviceKind: string;
  /** In the order of their names. */
  regions: readonly RegionNodes[] = [];
  readonly total: Room = { deviceCount: 0, cpuCores: 0, memoryGigabytes: 0 };
  freeDeviceCount = 0;
  /** In the order of their ends. */
  readonly running: JobRecord[] = [];
  /** In the order in which they would be preempted: the lowest priority first, then what started last. */
  readonly runningByRank: JobRecord[] = [];
  /** The head is among them. */
  readonly waiting = new WaitingJobs();
  head: HeadPlan | undefined;
  /** Whether something happened since the last pass that may let a job start. */
  isDirty = false;
  /** Whether there was a head that is none now, so that the next in the order has to be found. */
  isElectionDue = false;
  /** Whether the head's plan counts on something that has changed. */
  isPlanStale = false;
  /** Rises whenever nodes are touched: something becomes free on them, or is no longer kept for a head. */
  #touchCount = 0;
  /** The nodes of the latest touches. */
  /** The touch up to which a pass has looked at the jobs. */
  #lookedTouch = 0;
  readonly #touched: (readonly NodeState[])[] = Array.from({ length: touchCountMax }, () => []);
  #capacityCount = 0;
  #regionByName = new Map<string, RegionNodes>();
  readonly #shapes = new Map<string, KnownShape>();

  constructor(deviceKind: string) {
    this.deviceKind = deviceKind;
  }

  /** Takes over the nodes; what runs on those that stay is counted in them already. */
  setNodes(states: readonly NodeState[]): void {
    const byRegion = Map.groupBy(states, ({ node }) => node.region);
    this.regions = [...byRegion]
      .toSorted(([left], [right]) => compareText(left, right))
      .map(([name, nodes]) => {
        const ordered = nodes.toSorted((left, right) => compareText(left.node.id, right.node.id));
        return new RegionNodes(name, ordered);
      });
    this.#regionByName = new Map(this.regions.map((region) => [region.name, region]));
    Object.assign(this.total, { deviceCount: 0, cpuCores: 0, memoryGigabytes: 0 });
    this.freeDeviceCount = 0;
    for (const { node, free } of states) {
      addMembers(this.total, node, 1);
      this.freeDeviceCount += free.deviceCount;
    }
    this.#capacityCount += 1;
    // Nothing that was found out before holds: no touch is recalled.
    this.#touchCount += touchCountMax + 1;
    this.isPlanStale = true;
    this.isDirty = true;
  }

  /** The shape of a job, shared with the other jobs of the lane that have the same. */
  shareShape(request: JobRequest): JobShape {
    const key = shapeKeyOf(request);
    const known = this.#shapes.get(key);
    if (known !== undefined) {
      known.jobCount += 1;
      return known.shape;
    }
    const shape = shapeOf(request);
    this.#shapes.set(key, { shape, jobCount: 1 });
    return shape;
  }

  /** Forgets a shape with the last job that has it. */
  dropShape(request: JobRequest): void {
    const key = shapeKeyOf(request);
    const known = this.#shapes.get(key);
    assert(known !== undefined, "a job's shape is known as long as the job");
    known.jobCount -= 1;
    if (known.jobCount === 0) this.#shapes.delete(key);
  }

  addRunning(job: JobRecord): void {
    insertSorted(this.running, job, compareEnds);
    insertSorted(this.runningByRank, job, compareRanks);
  }

  removeRunning(job: JobRecord): void {
    const isKnown =
      removeSorted(this.running, job, compareEnds) &&
      removeSorted(this.runningByRank, job, compareRanks);
    assert(isKnown, "the job ran here");
  }

  /** Whether a job of lower priority runs. */
  runsBelow(priority: number): boolean {
    const [lowest] = this.runningByRank;
    return lowest !== undefined && lowest.request.priority < priority;
  }

  /** Takes the seats, or gives them back. */
  takeSeats(seats: readonly Seat[], shape: JobShape, change: 1 | -1): void {
    for (const { state, memberCount } of seats) {
      const region = this.#regionByName.get(state.node.region);
      assert(region !== undefined, "a node stands in a region of its lane");
      region.take(state, shape, memberCount * change);
      this.freeDeviceCount -= memberCount * change * shape.member.deviceCount;
    }
  }

  /** Seats for a shape now. */
  findSeats(shape: JobShape): Seat[] | undefined {
    if (this.isUnfit(shape)) return undefined;
    const seats = this.#findIn(shape, (state) => membersThatFit(state, shape));
    if (seats === undefined) this.#noteUnfit(shape);
    return seats;
  }

  /** Whether a shape finds place now. Nothing is noted, so that no pass goes another way because somebody asked. */
  hasPlaceFor(shape: JobShape): boolean {
    return this.#findIn(shape, (state) => membersThatFit(state, shape)) !== undefined;
  }

  /** Seats for a shape now that leave the head what it will take, however long they are taken. */
  findSeatsBeside(plan: HeadPlan, shape: JobShape): Seat[] | undefined {
    const membersOn = (state: NodeState): number => membersBeside(state, shape, plan);
    if (
      shape.unfitBesideSince >= 0 &&
      !this.#mayFitSince(shape.unfitBesideSince, shape, membersOn)
    ) {
      shape.unfitBesideSince = this.#touchCount;
      return undefined;
    }
    const seats = this.#findIn(shape, membersOn);
    if (seats === undefined) shape.unfitBesideSince = this.#touchCount;
    return seats;
  }

  /** Whether a shape is known not to fit; what was found out earlier is looked at again only on nodes touched since. */
  isUnfit(shape: JobShape): boolean {
    const { unfitSince } = shape;
    if (unfitSince === this.#touchCount) return true;
    if (unfitSince < 0) return false;
    if (this.#mayFitSince(unfitSince, shape, (state) => membersThatFit(state, shape))) return false;
    this.#noteUnfit(shape);
    return true;
  }

  /** Notes that something became free on nodes. */
  touch(nodes: readonly NodeState[]): void {
    this.#touchCount += 1;
    this.#touched[this.#touchCount % touchCountMax] = nodes;
  }

  /** The nodes on which something became free since a pass looked at all jobs; `undefined` when that is not recalled. */
  freedNodes(): NodeState[] | undefined {
    if (this.#touchCount - this.#lookedTouch > touchCountMax) return undefined;
    const freed = new Set<NodeState>();
    for (let at = this.#lookedTouch + 1; at <= this.#touchCount; at += 1)
      for (const state of this.#touched[at % touchCountMax] ?? [])
        if (state.free.deviceCount > 0) freed.add(state);
    return [...freed];
  }

  /** Notes that a pass has looked at all jobs that may have come to fit. */
  settle(): void {
    this.#lookedTouch = this.#touchCount;
    this.waiting.settle();
  }

  /** Lets the next pass look at all jobs, and at all nodes for each. */
  lookAgain(): void {
    this.isDirty = true;
    this.isElectionDue = this.head === undefined;
    this.#touchCount += touchCountMax + 1;
  }

  /** Whether a shape finds place while nothing runs. */
  everFits(shape: JobShape): boolean {
    if (shape.judgedCapacity !== this.#capacityCount) {
      shape.judgedCapacity = this.#capacityCount;
      shape.everFits = this.regionsOf(shape).some(({ nodes }) => {
        let missing = shape.memberCount;
        for (const { node } of nodes) {
          missing -= membersInRoom(node, shape);
          if (missing <= 0) return true;
        }
        return false;
      });
    }
    return shape.everFits;
  }

  /** The regions in which a shape may stand, in the order of its wish. */
  regionsOf(shape: JobShape): readonly RegionNodes[] {
    if (shape.regions.length === 0) return this.regions;
    return shape.regions.flatMap((name) => this.#regionByName.get(name) ?? []);
  }

  /** Keeps place for a job as the head; `undefined` keeps none. */
  setHead(plan: HeadPlan | undefined): void {
    if (this.head !== undefined) {
      const { job, besides } = this.head;
      countHead(job, -1);
      for (const state of besides.keys()) state.beside = undefined;
      this.touch(loosenedNodes(besides, plan?.besides));
      // The head's own limits kept something for it.
      if (job !== plan?.job) this.waiting.lookAgainAt(job.tenant);
    }
    if (plan !== undefined) {
      countHead(plan.job, 1);
      for (const [state, room] of plan.besides) state.beside = room;
    }
    this.isElectionDue = plan === undefined && (this.isElectionDue || this.head !== undefined);
    this.head = plan;
    this.isPlanStale = false;
  }

  #noteUnfit(shape: JobShape): void {
    shape.unfitSince = this.#touchCount;
    // What does not fit at all does not fit beside the head either.
    shape.unfitBesideSince = this.#touchCount;
  }

  #findIn(shape: JobShape, membersOn: (state: NodeState) => number): Seat[] | undefined {
    for (const region of this.regionsOf(shape)) {
      const seats = region.findSeats(shape, membersOn);
      if (seats !== undefined) return seats;
    }
    return undefined;
  }

  /** Whether a shape that did not fit at a touch may fit now: only if a node that was touched since takes a member. */
  #mayFitSince(touch: number, shape: JobShape, membersOn: (state: NodeState) => number): boolean {
    if (touch === this.#touchCount) return false;
    if (this.#touchCount - touch > touchCountMax) return true;
    for (let at = touch + 1; at <= this.#touchCount; at += 1) {
      for (const state of this.#touched[at % touchCountMax] ?? [])
        if (membersOn(state) > 0 && mayStandIn(state.node.region, shape)) return true;
    }
    return false;
  }
}

function mayStandIn(region: string, { regions }: JobShape): boolean {
  return regions.length === 0 || regions.includes(region);
}

/** How many members a node takes beside the head that will stand there. */
export function membersBeside(state: NodeState, shape: JobShape, { job }: HeadPlan): number {
  const { beside } = state;
  if (beside === undefined) return membersThatFit(state, shape);
  if (shape.groupKey !== undefined && shape.groupKey === job.shape.groupKey) return 0;
  return Math.min(membersThatFit(state, shape), membersInRoom(beside, shape));
}

function compareRanks(left: JobRecord, right: JobRecord): number {
  return (
    left.request.priority - right.request.priority ||
    (right.run?.startedAtMs ?? 0) - (left.run?.startedAtMs ?? 0) ||
    compareText(left.request.id, right.request.id)
  );
}

/** The nodes, not full, of which less is kept than before. */
function loosenedNodes(
  before: HeadPlan["besides"],
  after: HeadPlan["besides"] | undefined,
): NodeState[] {
  return [...before].flatMap(([state, room]) => {
    if (state.free.deviceCount === 0) return [];
    const kept = after?.get(state);
    const isLoosened =
      kept === undefined ||
      kept.deviceCount > room.deviceCount ||
      kept.cpuCores > room.cpuCores ||
      kept.memoryGigabytes > room.memoryGigabytes;
    return isLoosened ? [state] : [];
  });
}

function compareEnds(left: JobRecord, right: JobRecord): number {
  return (
    (left.run?.endsAtMs ?? 0) - (right.run?.endsAtMs ?? 0) ||
    compareText(left.request.id, right.request.id)
  );
}

function countHead({ tenant, request }: JobRecord, change: 1 | -1): void {
  tenant.headCount += change;
  tenant.headCostMicros += change === 1 ? request.costMicros : -request.costMicros;
}
