/** One pass of the allocator: lets start what may start, in the order of fairness. */

import { assert } from "#kernel/index.ts";

import { type AllocatorState, runFrom } from "./allocator-state.ts";
import { chooseVictims } from "./choose-victims.ts";
import { tenantConstraintOf } from "./constraint.ts";
import type { Decision } from "./decision.ts";
import type { HeadPlan } from "./head-plan.ts";
import { compareJobs, type JobRecord, type StartOrder } from "./job-record.ts";
import { deviceCountOf } from "./job.ts";
import { LaneLook } from "./lane-look.ts";
import type { Lane } from "./lane.ts";
import { roundCountMax } from "./limits.ts";
import type { Seat } from "./node-state.ts";
import { planHead } from "./plan-head.ts";
import { TenantHeap } from "./tenant-heap.ts";
import type { TenantState } from "./tenant-state.ts";

/** Where a tenant's jobs of one lane have been looked at up to. */
interface Cursor {
  readonly look: LaneLook;
  readonly tenant: TenantState;
  jobs: readonly JobRecord[];
  at: number;
  /** The round of the look that the jobs are from. */
  round: number;
}

/** What looking at a job led to. `closed`: no later job of the tenant in this lane may start in this pass. */
type Look = "started" | "waits" | "closed";

/** Looks at the lanes in which something happened since the last pass. */
export function runPass(state: AllocatorState, nowMs: number): Decision[] {
  const decisions: Decision[] = [];
  for (let round = 0; round < roundCountMax; round += 1) {
    const lanes = [...state.lanes.values()].filter(({ isDirty }) => isDirty);
    if (lanes.length === 0) break;
    const pass = new AdmissionPass(state, nowMs);
    decisions.push(...pass.run(lanes));
  }
  return decisions;
}

class AdmissionPass {
  readonly #state: AllocatorState;
  readonly #nowMs: number;
  readonly #decisions: Decision[] = [];
  constructor(state: AllocatorState, nowMs: number) {
    this.#state = state;
    this.#nowMs = nowMs;
  }

  run(lanes: readonly Lane[]): Decision[] {
    const { headDelayMsMax } = this.#state.options;
    const looks = lanes.map((lane) => {
      lane.isDirty = false;
      this.#serveHead(lane);
      return new LaneLook(lane, { nowMs: this.#nowMs, headDelayMsMax });
    });
    const cursors = new Map<TenantState, Cursor[]>();
    for (const look of looks) {
      for (const tenant of look.tenants()) {
        const own = cursors.get(tenant) ?? [];
        own.push({ look, tenant, jobs: look.jobsOf(tenant), at: 0, round: look.round });
        cursors.set(tenant, own);
      }
    }
    const heap = new TenantHeap();
    for (const [tenant, own] of cursors) heap.push(tenant, foremost(own));
    for (let tenant = heap.pop(); tenant !== undefined; tenant = heap.pop()) {
      const own = cursors.get(tenant);
      assert(own !== undefined, "every tenant of the heap has cursors");
      if (this.#startNextOf(own)) heap.push(tenant, foremost(own));
    }
    for (const lane of lanes) {
      lane.isElectionDue = false;
      // What a preemption has freed since is left to the next round.
      if (!lane.isDirty) lane.settle();
    }
    return this.#decisions;
  }

  /** The head of a lane goes before all others, whatever the shares are by now: this is what was promised to it. */
  #serveHead(lane: Lane): void {
    const { head } = lane;
    if (head === undefined) return;
    const { job } = head;
    if (tenantConstraintOf(job, lane, { outlivesHead: false }) !== undefined) {
      this.#state.dropHead(lane);
      return;
    }
    if (this.#startInTurn(job, lane)) return;
    if (!lane.isPlanStale) return;
    const plan = planHead(lane, job, this.#nowMs);
    lane.setHead({ ...plan, promisedMs: Math.min(head.promisedMs, plan.startMs) });
  }

  /** Starts the first job of a tenant that may start; false when none may. */
  #startNextOf(cursors: readonly Cursor[]): boolean {
    for (;;) {
      for (const cursor of cursors) renewCursor(cursor);
      const cursor = foremostCursor(cursors);
      const job = cursor?.jobs[cursor.at];
      if (cursor === undefined || job === undefined) return false;
      const { look } = cursor;
      cursor.at = look.isOverFor(cursor.tenant) ? cursor.jobs.length : cursor.at + 1;
      // A job may have started as the head, or wait as the head.
      if (job.run !== undefined || job === look.lane.head?.job || !look.mayStart(job)) continue;
      const outcome = this.#look(job, look.lane);
      if (look.lane.head?.job === job) look.noteElected();
      if (outcome === "started") return true;
      if (outcome === "closed") cursor.at = cursor.jobs.length;
    }
  }

  #look(job: JobRecord, lane: Lane): Look {
    if (lane.head !== undefined) return this.#lookPastHead(job, lane, lane.head);
    const constraint = tenantConstraintOf(job, lane, { outlivesHead: false });
    if (constraint?.kind === "quota") return afterQuota(job, constraint.deviceCountMax);
    if (constraint?.kind === "running-jobs") return "closed";
    if (constraint !== undefined) return "waits";
    if (this.#startInTurn(job, lane)) return "started";
    lane.setHead(planHead(lane, job, this.#nowMs));
    return "waits";
  }

  #startInTurn(job: JobRecord, lane: Lane): boolean {
    const seats = lane.findSeats(job.shape) ?? this.#preemptFor(job, lane);
    if (seats === undefined) return false;
    if (lane.head?.job === job) lane.setHead(undefined);
    this.#start(job, seats, "turn");
    return true;
  }

  /** Back-fill: what ends before the head is due may stand anywhere, the rest only beside it. */
  #lookPastHead(job: JobRecord, lane: Lane, head: HeadPlan): Look {
    const { backFill, headDelayMsMax } = this.#state.options;
    if (!backFill || lane.freeDeviceCount === 0) return "closed";
    if (lane.isUnfit(job.shape)) return "waits";
    const endsAtMs = this.#nowMs + job.request.durationMs;
    const outlivesHead = endsAtMs > head.promisedMs + headDelayMsMax;
    const constraint = tenantConstraintOf(job, lane, { outlivesHead });
    if (constraint?.kind === "running-jobs") return "closed";
    if (constraint?.kind === "quota" && !outlivesHead)
      return afterQuota(job, constraint.deviceCountMax);
    if (constraint !== undefined) return "waits";
    const seats = outlivesHead ? lane.findSeatsBeside(head, job.shape) : lane.findSeats(job.shape);
    if (seats === undefined) return "waits";
    this.#start(job, seats, "back-fill");
    if (outlivesHead) takeBeside(head, job, seats);
    return "started";
  }

  #preemptFor(job: JobRecord, lane: Lane): Seat[] | undefined {
    const victims = chooseVictims(lane, job);
    if (victims.length === 0) return undefined;
    for (const victim of victims) {
      const endsAtMs = victim.run?.endsAtMs ?? this.#nowMs;
      this.#state.stop(victim, this.#nowMs);
      this.#decisions.push({
        kind: "preempted",
        jobId: victim.request.id,
        tenantId: victim.request.tenantId,
        byJobId: job.request.id,
        unusedMs: Math.max(0, endsAtMs - this.#nowMs),
      });
    }
    const seats = lane.findSeats(job.shape);
    assert(seats !== undefined, "a job fits once its victims are gone");
    return seats;
  }

  #start(job: JobRecord, seats: readonly Seat[], order: StartOrder): void {
    const { request } = job;
    const run = runFrom(job, seats, { nowMs: this.#nowMs, order });
    this.#state.start(job, run);
    this.#decisions.push({
      kind: "admitted",
      jobId: request.id,
      tenantId: request.tenantId,
      placement: seats.map(({ state, memberCount }) => ({ nodeId: state.node.id, memberCount })),
      startsAtMs: run.startedAtMs,
      endsAtMs: run.endsAtMs,
      order,
      costMicros: request.costMicros,
    });
  }
}

/** What a tenant has used up by itself comes back with the end of its own jobs: the first that waits for it keeps it. */
function afterQuota(job: JobRecord, deviceCountMax: number): Look {
  return deviceCountOf(job.request) > deviceCountMax ? "waits" : "closed";
}

function takeBeside(head: HeadPlan, { shape }: JobRecord, seats: readonly Seat[]): void {
  for (const { state, memberCount } of seats) {
    const beside = head.besides.get(state);
    if (beside === undefined) continue;
    beside.deviceCount -= shape.member.deviceCount * memberCount;
    beside.cpuCores -= shape.member.cpuCores * memberCount;
    beside.memoryGigabytes -= shape.member.memoryGigabytes * memberCount;
  }
}

/** Takes over the shorter list of a lane whose head has been found since. */
function renewCursor(cursor: Cursor): void {
  const { look, tenant } = cursor;
  if (cursor.round === look.round) return;
  cursor.round = look.round;
  cursor.jobs = look.jobsOf(tenant);
  cursor.at = 0;
}

function foremostCursor(cursors: readonly Cursor[]): Cursor | undefined {
  let best: Cursor | undefined;
  let bestJob: JobRecord | undefined;
  for (const cursor of cursors) {
    const job = cursor.jobs[cursor.at];
    if (job === undefined) continue;
    if (bestJob === undefined || compareJobs(job, bestJob) < 0) {
      best = cursor;
      bestJob = job;
    }
  }
  return best;
}

function foremost(cursors: readonly Cursor[]): JobRecord | undefined {
  const cursor = foremostCursor(cursors);
  return cursor?.jobs[cursor.at];
}
