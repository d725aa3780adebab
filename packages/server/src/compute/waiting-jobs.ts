/** The jobs of a lane that wait: in their order, and in columns, so that a sweep finds those that may have come to fit. */

import { assert } from "#kernel/index.ts";

import { compareJobs, type JobRecord } from "./job-record.ts";
import { deviceCountOf } from "./job.ts";
import { candidateCountMax } from "./limits.ts";
import type { Room } from "./node-state.ts";
import { insertSorted, removeSorted } from "./sorted-list.ts";
import type { TenantState } from "./tenant-state.ts";

/** Jobs by tenant, each tenant's in their order. */
export type JobsByTenant = ReadonlyMap<TenantState, readonly JobRecord[]>;

/** What has become free: which of the waiting jobs may fit there. */
export interface FreedRoom {
  /** As large as any place that became free. */
  readonly now: Readonly<Room>;
  /** As large as any place that became free and that the head leaves free. */
  readonly besideHead: Readonly<Room>;
  /** Jobs that take no longer may stand where the head will. */
  readonly durationMsMax: number;
  /** All that is free. */
  readonly deviceCount: number;
}

/** Numbers in the columns for each slot: devices, cores and memory of one member, devices of all, duration. */
const columnCount = 5;
const slotCountInitial = 64;

export class WaitingJobs {
  readonly #byTenant = new Map<TenantState, JobRecord[]>();
  /** `columnCount` numbers for each slot. */
  #columns = new Float64Array(slotCountInitial * columnCount);
  readonly #jobs: (JobRecord | undefined)[] = [];
  readonly #slotOf = new Map<JobRecord, number>();
  readonly #freeSlots: number[] = [];
  /** Jobs that no pass has looked at. */
  readonly #fresh = new Set<JobRecord>();
  readonly #freshTenants = new Set<TenantState>();
  /** Tenants whose own limits have changed since a pass looked at their jobs. */
  readonly #changedTenants = new Set<TenantState>();

  has(tenant: TenantState): boolean {
    return this.#byTenant.has(tenant);
  }

  tenants(): Iterable<TenantState> {
    return this.#byTenant.keys();
  }

  /** Whether a pass has not looked at a job with the limits that its tenant has now. */
  isNew(job: JobRecord): boolean {
    return this.#fresh.has(job) || this.#changedTenants.has(job.tenant);
  }

  /** Whether a tenant may have jobs that are new. */
  mayHaveNew(tenant: TenantState): boolean {
    return this.#freshTenants.has(tenant) || this.#changedTenants.has(tenant);
  }

  of(tenant: TenantState): readonly JobRecord[] {
    return this.#byTenant.get(tenant) ?? [];
  }

  add(job: JobRecord): void {
    let jobs = this.#byTenant.get(job.tenant);
    if (jobs === undefined) {
      jobs = [];
      this.#byTenant.set(job.tenant, jobs);
    }
    insertSorted(jobs, job, compareJobs);
    this.#fresh.add(job);
    this.#freshTenants.add(job.tenant);
    const slot = this.#freeSlots.pop() ?? this.#jobs.length;
    this.#jobs[slot] = job;
    this.#slotOf.set(job, slot);
    this.#writeColumns(slot, job);
  }

  remove(job: JobRecord): void {
    const jobs = this.#byTenant.get(job.tenant);
    const slot = this.#slotOf.get(job);
    assert(
      jobs !== undefined && slot !== undefined && removeSorted(jobs, job, compareJobs),
      "the job waited here",
    );
    if (jobs.length === 0) this.#byTenant.delete(job.tenant);
    this.#fresh.delete(job);
    this.#slotOf.delete(job);
    this.#jobs[slot] = undefined;
    this.#freeSlots.push(slot);
  }

  /** Lets the next pass look at all jobs of a tenant. */
  lookAgainAt(tenant: TenantState): void {
    if (this.#byTenant.has(tenant)) this.#changedTenants.add(tenant);
  }

  /**
   * The jobs that may start although they could not when a pass last looked: those that may fit into what became free, and
   * those that are new. `undefined` when they are too many to be worth a list of their own.
   */
  candidates(freed: FreedRoom): JobsByTenant | undefined {
    const found = new Map<TenantState, JobRecord[]>();
    let foundCount = 0;
    for (let slot = 0; slot < this.#jobs.length; slot += 1) {
      if (!this.#mayFit(slot, freed)) continue;
      const job = this.#jobs[slot];
      if (job === undefined || this.isNew(job)) continue;
      foundCount += 1;
      if (foundCount > candidateCountMax) return undefined;
      addTo(found, job);
    }
    for (const job of this.#fresh) if (!this.#changedTenants.has(job.tenant)) addTo(found, job);
    for (const jobs of found.values()) jobs.sort(compareJobs);
    for (const tenant of this.#changedTenants) found.set(tenant, [...this.of(tenant)]);
    return found;
  }

  /** Notes that a pass has looked at all. */
  settle(): void {
    this.#fresh.clear();
    this.#freshTenants.clear();
    this.#changedTenants.clear();
  }

  #mayFit(slot: number, { now, besideHead, durationMsMax, deviceCount }: FreedRoom): boolean {
    const columns = this.#columns;
    const at = slot * columnCount;
    // Each slot has its numbers; those of a free one are stale, and there is no job then.
    if ((columns[at + 3] as number) > deviceCount) return false;
    const room = (columns[at + 4] as number) <= durationMsMax ? now : besideHead;
    return (
      (columns[at] as number) <= room.deviceCount &&
      (columns[at + 1] as number) <= room.cpuCores &&
      (columns[at + 2] as number) <= room.memoryGigabytes
    );
  }

  #writeColumns(slot: number, { request }: JobRecord): void {
    const at = slot * columnCount;
    if (at >= this.#columns.length) {
      const wider = new Float64Array(this.#columns.length * 2);
      wider.set(this.#columns);
      this.#columns = wider;
    }
    const { deviceCount, cpuCores, memoryGigabytes } = request.member;
    const row = [
      deviceCount,
      cpuCores,
      memoryGigabytes,
      deviceCountOf(request),
      request.durationMs,
    ];
    this.#columns.set(row, at);
  }
}

function addTo(found: Map<TenantState, JobRecord[]>, job: JobRecord): void {
  const jobs = found.get(job.tenant);
  if (jobs === undefined) found.set(job.tenant, [job]);
  else jobs.push(job);
}
