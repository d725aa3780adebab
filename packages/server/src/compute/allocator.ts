/**
 * Decides which jobs run where. Pure: what happens comes in with its time, decisions come out, and the same calls in the
 * same order always give the same decisions. Who may have what is told by the ledger, the tenants' policies and the
 * capacity provider.
 */

import { assert } from "#kernel/index.ts";
import type { TenantId } from "@faultline/protocol";

import { runPass } from "./admission-pass.ts";
import { type AllocatorOptions, AllocatorState, runFrom } from "./allocator-state.ts";
import type { ComputeNode } from "./capacity.ts";
import { changeNodes } from "./change-nodes.ts";
import { copyState } from "./copy-state.ts";
import type { Decision, Placement } from "./decision.ts";
import { type JobRecord, orderKeyOf } from "./job-record.ts";
import { faultOfRequest, type JobRequest } from "./job.ts";
import type { Lane } from "./lane.ts";
import { waitingCountMax } from "./limits.ts";
import { seatsAt } from "./seats-at.ts";
import { type TenantPolicy, updateShare } from "./tenant-state.ts";
import { type Wait, waitOf } from "./wait.ts";

export type SubmitOutcome =
  | { readonly kind: "waiting" }
  | { readonly kind: "refused"; readonly reason: "job-known" | "queue-full" }
  | { readonly kind: "refused"; readonly reason: "request-invalid"; readonly fault: string };

/** What an allocator holds, for metrics. */
export interface AllocatorCounts {
  readonly waitingCount: number;
  readonly runningCount: number;
  readonly deviceCount: number;
  readonly freeDeviceCount: number;
}

export interface HeadReport {
  readonly jobId: string;
  /** The earliest start that was ever planned for it. */
  readonly promisedMs: number;
}

export interface RunningReport {
  readonly jobId: string;
  readonly endsAtMs: number;
}

export class Allocator {
  readonly #state: AllocatorState;
  #waitingCount = 0;

  constructor(options: AllocatorOptions) {
    this.#state = new AllocatorState(options);
  }

  /** Takes over which nodes there are. Jobs on nodes that are gone or have changed are lost. */
  setNodes(nodes: readonly ComputeNode[], nowMs: number): Decision[] {
    return changeNodes(this.#state, nodes, nowMs);
  }

  setTenant(tenantId: TenantId, policy: TenantPolicy): void {
    const tenant = this.#state.tenantOf(tenantId);
    assert(policy.weight > 0, "a weight is above 0");
    tenant.policy = policy;
    for (const lane of this.#state.lanes.values()) updateShare(tenant, lane.deviceKind, lane.total);
    this.#state.markTenant(tenant);
  }

  /** Takes over what the ledger lets a tenant spend now, after all that was admitted so far. */
  setCredit(tenantId: TenantId, spendableMicros: bigint): void {
    const tenant = this.#state.tenantOf(tenantId);
    tenant.creditMicros = spendableMicros;
    this.#state.markTenant(tenant);
  }

  submit(request: JobRequest): SubmitOutcome {
    const fault = faultOfRequest(request);
    if (fault !== undefined) return { kind: "refused", reason: "request-invalid", fault };
    if (this.#state.jobs.has(request.id)) return { kind: "refused", reason: "job-known" };
    if (this.#waitingCount >= waitingCountMax) return { kind: "refused", reason: "queue-full" };

    const lane = this.#state.laneOf(request.deviceKind);
    const job: JobRecord = {
      request,
      shape: lane.shareShape(request),
      tenant: this.#state.tenantOf(request.tenantId),
      orderKey: orderKeyOf(request, this.#state.options.ageingMs),
      run: undefined,
    };
    this.#state.jobs.set(request.id, job);
    this.#waitingCount += 1;
    lane.waiting.add(job);
    lane.isDirty = true;
    if (contestsHead(job, lane)) this.#state.dropHead(lane);
    return { kind: "waiting" };
  }

  /** Lets a job run on where it ran before a restart. False, and the job is not known, when its place is not there any more. */
  resume(request: JobRequest, placement: readonly Placement[], startedAtMs: number): boolean {
    if (this.submit(request).kind !== "waiting") return false;
    const job = this.#state.jobs.get(request.id);
    assert(job !== undefined, "a job that was submitted is known");
    const seats = seatsAt(this.#state.laneOf(request.deviceKind), job.shape, placement);
    if (seats === undefined) {
      this.end(request.id, startedAtMs);
      return false;
    }
    this.#state.start(job, runFrom(job, seats, { nowMs: startedAtMs, order: "turn" }));
    this.#waitingCount -= 1;
    return true;
  }

  /** Takes a job out: one that runs has ended, one that waits is withdrawn. False when it is not known. */
  end(jobId: string, nowMs: number): boolean {
    const job = this.#state.jobs.get(jobId);
    if (job === undefined) return false;
    if (job.run !== undefined) {
      this.#state.stop(job, nowMs);
      return true;
    }
    const lane = this.#state.laneOf(job.request.deviceKind);
    if (lane.head?.job === job) this.#state.dropHead(lane);
    lane.waiting.remove(job);
    lane.isDirty = true;
    this.#state.markTenant(job.tenant);
    this.#state.forget(job);
    this.#waitingCount -= 1;
    return true;
  }

  /** Lets start what may start after all that happened since the last pass. */
  pass(nowMs: number): Decision[] {
    const decisions = runPass(this.#state, nowMs);
    for (const { kind } of decisions) if (kind === "admitted") this.#waitingCount -= 1;
    return decisions;
  }

  /** A pass over everything, as after a restart. It finds nothing that passes after each change did not. */
  fullPass(nowMs: number): Decision[] {
    for (const lane of this.#state.lanes.values()) lane.lookAgain();
    return this.pass(nowMs);
  }

  /** An allocator that would decide the same from here on, save for other options, for trying out what if. */
  copy(options: Partial<AllocatorOptions> = {}): Allocator {
    const copy = new Allocator({ ...this.#state.options, ...options });
    copyState(this.#state, copy.#state);
    copy.#waitingCount = this.#waitingCount;
    return copy;
  }

  /** What keeps a job waiting; `undefined` when it does not wait. */
  waitOf(jobId: string, nowMs: number): Wait | undefined {
    const job = this.#state.jobs.get(jobId);
    return job === undefined || job.run !== undefined ? undefined : waitOf(this.#state, job, nowMs);
  }

  requestOf(jobId: string): JobRequest | undefined {
    return this.#state.jobs.get(jobId)?.request;
  }

  policyOf(tenantId: TenantId): TenantPolicy {
    return this.#state.tenantOf(tenantId).policy;
  }

  /** What a tenant may spend, after all that was admitted. */
  creditOf(tenantId: TenantId): bigint {
    return this.#state.tenantOf(tenantId).creditMicros;
  }

  nodes(): ComputeNode[] {
    return [...this.#state.lanes.values()].flatMap(({ regions }) =>
      regions.flatMap((region) => region.nodes.map(({ node }) => node)),
    );
  }

  /** The jobs that capacity is kept for, one of each device kind at most. */
  heads(): HeadReport[] {
    return [...this.#state.lanes.values()].flatMap(({ head }) =>
      head === undefined ? [] : [{ jobId: head.job.request.id, promisedMs: head.promisedMs }],
    );
  }

  /** The jobs that run, in the order of their ends for each device kind. */
  running(): RunningReport[] {
    return [...this.#state.lanes.values()].flatMap(({ running }) =>
      running.flatMap(({ request, run }) =>
        run === undefined ? [] : [{ jobId: request.id, endsAtMs: run.endsAtMs }],
      ),
    );
  }

  counts(): AllocatorCounts {
    const lanes = [...this.#state.lanes.values()];
    return {
      waitingCount: this.#waitingCount,
      runningCount: this.#state.jobs.size - this.#waitingCount,
      deviceCount: lanes.reduce((sum, { total }) => sum + total.deviceCount, 0),
      freeDeviceCount: lanes.reduce((sum, lane) => sum + lane.freeDeviceCount, 0),
    };
  }
}

/**
 * Whether a new job re-opens who is the head: it does with a higher priority, within the head's tenant or for a tenant
 * that has less. The order of fairness then decides anew, and may choose the same head.
 */
function contestsHead({ request, tenant }: JobRecord, { head }: Lane): boolean {
  if (head === undefined || request.priority <= head.job.request.priority) return false;
  return tenant === head.job.tenant || tenant.weightedShare < head.job.tenant.weightedShare;
}
