/** What one pass looks at in one lane. */

import type { JobRecord } from "./job-record.ts";
import { type Lane, membersBeside } from "./lane.ts";
import { membersThatFit, type NodeState, type Room } from "./node-state.ts";
import type { TenantState } from "./tenant-state.ts";
import type { JobsByTenant } from "./waiting-jobs.ts";

interface LookOptions {
  readonly nowMs: number;
  readonly headDelayMsMax: number;
}

/**
 * As long as a lane keeps its head, or needs none, only jobs can start that are new or that fit on a node where something
 * became free. Where a head has to be found, its place is the first in the order of all.
 */
export class LaneLook {
  readonly lane: Lane;
  /** Rises when the lists of jobs become shorter. */
  round = 0;
  readonly #options: LookOptions;
  /** `undefined` is any node. */
  readonly #freed: readonly NodeState[] | undefined;
  #candidates: JobsByTenant | undefined;

  constructor(lane: Lane, options: LookOptions) {
    this.lane = lane;
    this.#options = options;
    this.#freed = lane.freedNodes();
    this.#candidates = this.#findCandidates();
  }

  tenants(): Iterable<TenantState> {
    return this.#candidates?.keys() ?? this.lane.waiting.tenants();
  }

  /** The jobs of a tenant that are to be looked at, in their order; the list does not change when jobs start. */
  jobsOf(tenant: TenantState): readonly JobRecord[] {
    if (this.#candidates !== undefined) return this.#candidates.get(tenant) ?? [];
    return [...this.lane.waiting.of(tenant)];
  }

  /** Notes that the head has been found: from here on only what may have come to fit is looked at. */
  noteElected(): void {
    this.#candidates = this.#findCandidates();
    this.round += 1;
  }

  /** Whether none of the jobs of a tenant that are left can start. */
  isOverFor(tenant: TenantState): boolean {
    if (this.#isElecting() || this.#freed === undefined) return false;
    if (this.lane.waiting.mayHaveNew(tenant)) return false;
    return this.#freed.every(({ free }) => free.deviceCount === 0);
  }

  /** Whether looking at a job can lead to anything. */
  mayStart(job: JobRecord): boolean {
    if (this.#freed === undefined || this.#isElecting() || this.lane.waiting.isNew(job))
      return true;
    const { head } = this.lane;
    const { shape } = job;
    const isShort = head === undefined || job.request.durationMs <= this.#durationMsMax();
    return this.#freed.some(
      (state) => (isShort ? membersThatFit(state, shape) : membersBeside(state, shape, head)) > 0,
    );
  }

  #isElecting(): boolean {
    return this.lane.isElectionDue;
  }

  #findCandidates(): JobsByTenant | undefined {
    if (this.#freed === undefined || this.#isElecting()) return undefined;
    const now: Room = { deviceCount: 0, cpuCores: 0, memoryGigabytes: 0 };
    const besideHead: Room = { deviceCount: 0, cpuCores: 0, memoryGigabytes: 0 };
    for (const { free, beside } of this.#freed) {
      enlarge(now, free, free);
      enlarge(besideHead, free, beside ?? free);
    }
    return this.lane.waiting.candidates({
      now,
      besideHead,
      durationMsMax: this.#durationMsMax(),
      deviceCount: this.lane.freeDeviceCount,
    });
  }

  #durationMsMax(): number {
    const { head } = this.lane;
    if (head === undefined) return Number.POSITIVE_INFINITY;
    return head.promisedMs + this.#options.headDelayMsMax - this.#options.nowMs;
  }
}

/** Makes a room as large as what two others have in common. */
function enlarge(room: Room, one: Readonly<Room>, other: Readonly<Room>): void {
  room.deviceCount = Math.max(room.deviceCount, Math.min(one.deviceCount, other.deviceCount));
  room.cpuCores = Math.max(room.cpuCores, Math.min(one.cpuCores, other.cpuCores));
  room.memoryGigabytes = Math.max(
    room.memoryGigabytes,
    Math.min(one.memoryGigabytes, other.memoryGigabytes),
  );
}
