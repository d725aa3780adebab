/** All that concerns one device kind: its nodes, what runs on them, what waits for them. */

import { assert } from "#kernel/index.ts";

import type { HeadPlan } from "./head-plan.ts";
import { compareJobs, compareText, type JobRecord } from "./job-record.ts";
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
import type { TenantState } from "./tenant-state.ts";

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
  /** The jobs of each tenant in their order; tenants without waiting jobs are absent. The head is among them. */
  readonly waiting = new Map<TenantState, JobRecord[]>();
  head: HeadPlan | undefined;
  /** Whether something happened since the last pass that may let a job start. */
  isDirty = false;
  /** Whether the head's plan counts on something that has changed. */
  isPlanStale = false;
  /** Rises whenever nodes are touched: something becomes free on them, or is no longer kept for a head. */
  #touchCount = 0;
  /** The nodes of the latest touches. */
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

  addWaiting(job: JobRecord): void {
    let jobs = this.waiting.get(job.tenant);
    if (jobs === undefined) {
      jobs = [];
      this.waiting.set(job.tenant, jobs);
    }
    insertSorted(jobs, job, compareJobs);
    this.isDirty = true;
  }

  removeWaiting(job: JobRecord): void {
    const jobs = this.waiting.get(job.tenant);
    assert(jobs !== undefined && removeSorted(jobs, job, compareJobs), "the job waited here");
    if (jobs.length === 0) this.waiting.delete(job.tenant);
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
    if (seats === undefined) shape.unfitSince = this.#touchCount;
    return seats;
  }

  /** Seats for a shape now that leave the head what it will take, however long they are taken. */
  findSeatsBeside(plan: HeadPlan, shape: JobShape): Seat[] | undefined {
    const membersOn = (state: NodeState): number => membersBeside(plan, state, shape);
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
    shape.unfitSince = this.#touchCount;
    return true;
  }

  /** Notes that something became free on nodes. */
  touch(nodes: readonly NodeState[]): void {
    this.#touchCount += 1;
    this.#touched[this.#touchCount % touchCountMax] = nodes;
  }

  /** Whether free devices alone leave place for any job that is known. */
  mayHoldAny(): boolean {
    for (const { shape } of this.#shapes.values()) {
      if (this.isUnfit(shape)) continue;
      if (this.regionsOf(shape).some((region) => region.mayHold(shape))) return true;
      shape.unfitSince = this.#touchCount;
    }
    return false;
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
      countHead(this.head.job, -1);
      this.touch([...this.head.besides.keys()]);
    }
    if (plan !== undefined) countHead(plan.job, 1);
    this.head = plan;
    this.isPlanStale = false;
  }

  #findIn(shape: JobShape, membersOn: (state: NodeState) => number): Seat[] | undefined {
    for (const region of this.regionsOf(shape)) {
      const seats = region.findSeats(shape, membersOn);
      if (seats !== undefined) return seats;
    }
    return undefined;
  }

  /** Whether a shape that did not fit at a touch may fit now. One member needs one node: one that was touched since. */
  #mayFitSince(touch: number, shape: JobShape, membersOn: (state: NodeState) => number): boolean {
    if (touch === this.#touchCount) return false;
    if (shape.memberCount > 1 || this.#touchCount - touch > touchCountMax) return true;
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
function membersBeside({ besides, job }: HeadPlan, state: NodeState, shape: JobShape): number {
  const beside = besides.get(state);
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
