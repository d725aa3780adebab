/** Chooses what to preempt so that a job of higher priority fits. */

import { assert } from "#kernel/index.ts";

import type { AllocatorState } from "./allocator-state.ts";
import { compareText, type JobRecord } from "./job-record.ts";
import type { Lane } from "./lane.ts";
import { victimCountMax } from "./limits.ts";
import { addMembers, roomOf } from "./node-state.ts";
import { dominantShare, usedOf } from "./tenant-state.ts";

/**
 * Jobs whose end lets `job` start, none of them dispensable; empty when there are none. A victim has a lower priority,
 * with ageing and without it, and belongs to the same tenant or to one that keeps at least the share that the job's tenant will then have: so that
 * priority never takes from a tenant what is its by fairness. The lowest priority goes first, then what started last.
 */
export function chooseVictims(state: AllocatorState, lane: Lane, job: JobRecord): JobRecord[] {
  if (!lane.runsBelow(job.request.priority)) return [];
  const shareAfter = weightedShareWith(job, lane);
  const regions = new Set(lane.regionsOf(job.shape).map(({ name }) => name));
  const candidates = lane.running
    .filter((running) => mayYield(running, job, shareAfter) && standsIn(running, regions))
    .sort(compareVictims)
    .slice(0, victimCountMax);

  const released: JobRecord[] = [];
  let fits = false;
  for (const victim of candidates) {
    occupyAgain(state, victim, -1);
    // What is its tenant's by fairness is known only once it is gone.
    if (victim.tenant !== job.tenant && victim.tenant.weightedShare < shareAfter) {
      occupyAgain(state, victim, 1);
      continue;
    }
    released.push(victim);
    fits = fitsNow(lane, job);
    if (fits) break;
  }
  const victims = fits ? keepNeeded(state, lane, { job, released }) : [];
  for (const victim of released.filter((victim) => !fits || victims.includes(victim)))
    occupyAgain(state, victim, 1);
  return victims;
}

/** Gives back what can be given back; the last one released was certainly needed. */
function keepNeeded(
  state: AllocatorState,
  lane: Lane,
  { job, released }: { readonly job: JobRecord; readonly released: readonly JobRecord[] },
): JobRecord[] {
  const victims: JobRecord[] = [];
  for (const victim of released.toReversed()) {
    occupyAgain(state, victim, 1);
    if (fitsNow(lane, job)) continue;
    occupyAgain(state, victim, -1);
    victims.push(victim);
  }
  return victims.toReversed();
}

/** Whether a job fits, without regard to what was remembered of its shape. */
function fitsNow(lane: Lane, { shape }: JobRecord): boolean {
  return lane.regionsOf(shape).some((region) => region.findSeats(shape) !== undefined);
}

function occupyAgain(state: AllocatorState, victim: JobRecord, change: 1 | -1): void {
  assert(victim.run !== undefined, "a victim runs");
  state.occupy(victim, victim.run.seats, change);
}

function mayYield(running: JobRecord, job: JobRecord, shareAfter: number): boolean {
  if (running.request.priority >= job.request.priority) return false;
  // What came first by ageing is not stopped by what it passed.
  if (running.orderKey >= job.orderKey) return false;
  return running.tenant === job.tenant || running.tenant.weightedShare >= shareAfter;
}

function standsIn({ run }: JobRecord, regions: ReadonlySet<string>): boolean {
  return run?.seats.some(({ state }) => regions.has(state.node.region)) ?? false;
}

function compareVictims(left: JobRecord, right: JobRecord): number {
  return (
    left.request.priority - right.request.priority ||
    (right.run?.startedAtMs ?? 0) - (left.run?.startedAtMs ?? 0) ||
    compareText(left.request.id, right.request.id)
  );
}

/** The weighted share of a tenant once this job of it runs too. */
function weightedShareWith({ request, tenant }: JobRecord, lane: Lane): number {
  const used = roomOf(usedOf(tenant, request.deviceKind));
  addMembers(used, request.member, request.memberCount);
  const share = dominantShare(used, lane.total) / tenant.policy.weight;
  return Math.max(share, tenant.weightedShare);
}
