/** Chooses what to preempt so that a job of higher priority fits. */

import type { JobRecord } from "./job-record.ts";
import type { Lane } from "./lane.ts";
import { victimCountMax } from "./limits.ts";
import { addMembers, type Room, roomOf } from "./node-state.ts";
import { Prospect } from "./prospect.ts";
import { dominantShare, type TenantState, usedOf, weightedShareOf } from "./tenant-state.ts";

/**
 * Jobs whose end lets `job` start, none of them dispensable; empty when there are none. A victim has a lower priority,
 * with ageing and without it, and belongs to the same tenant or to one that keeps at least the share that the job's
 * tenant will then have: so that priority never takes from a tenant what is its by fairness. The lowest priority goes
 * first, then what started last.
 */
export function chooseVictims(lane: Lane, job: JobRecord): JobRecord[] {
  if (!lane.runsBelow(job.request.priority)) return [];
  const prospect = new Prospect(lane, job.shape);
  const shares = new SharesWithout(lane, job);
  const released: JobRecord[] = [];
  for (const running of lane.runningByRank) {
    if (running.request.priority >= job.request.priority) break;
    if (released.length >= victimCountMax) break;
    // What came first by ageing is not stopped by what it passed.
    if (running.orderKey >= job.orderKey || !shares.mayRelease(running)) continue;
    if (!prospect.release(running, 1)) continue;
    shares.release(running);
    released.push(running);
    if (prospect.findRegion() !== undefined) return onlyNeeded(prospect, released);
  }
  return [];
}

/** Leaves out whoever can stay after all. */
function onlyNeeded(prospect: Prospect, released: readonly JobRecord[]): JobRecord[] {
  const victims = released.toReversed().filter((victim) => {
    prospect.release(victim, -1);
    if (prospect.findRegion() !== undefined) return false;
    prospect.release(victim, 1);
    return true;
  });
  return victims.reverse();
}

/** The shares of tenants while victims are chosen. */
class SharesWithout {
  readonly #lane: Lane;
  readonly #job: JobRecord;
  readonly #shareAfter: number;
  readonly #used = new Map<TenantState, Room>();

  constructor(lane: Lane, job: JobRecord) {
    this.#lane = lane;
    this.#job = job;
    const used = roomOf(usedOf(job.tenant, lane.deviceKind));
    addMembers(used, job.request.member, job.request.memberCount);
    const share = dominantShare(used, lane.total);
    this.#shareAfter = weightedShareOf(job.tenant, lane.deviceKind, share);
  }

  /** Whether a job's tenant keeps what is its by fairness without it. */
  mayRelease({ tenant, request }: JobRecord): boolean {
    if (tenant === this.#job.tenant) return true;
    if (tenant.weightedShare < this.#shareAfter) return false;
    const used = roomOf(this.#usedBy(tenant));
    addMembers(used, request.member, -request.memberCount);
    const share = dominantShare(used, this.#lane.total);
    return weightedShareOf(tenant, this.#lane.deviceKind, share) >= this.#shareAfter;
  }

  release({ tenant, request }: JobRecord): void {
    const used = this.#usedBy(tenant);
    addMembers(used, request.member, -request.memberCount);
    this.#used.set(tenant, used);
  }

  #usedBy(tenant: TenantState): Room {
    return this.#used.get(tenant) ?? roomOf(usedOf(tenant, this.#lane.deviceKind));
  }
}
