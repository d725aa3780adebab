/** Why a job waits, and what would let it start. Every answer was tried out on a copy of the allocator. */

import { assert, unreachable } from "#kernel/index.ts";
import type { TenantId } from "@faultline/protocol";

import type { Allocator } from "./allocator.ts";
import type { ComputeNode } from "./capacity.ts";
import type { JobRequest } from "./job.ts";
import { explanationEndCountMax, remedyStepCountMax } from "./limits.ts";
import type { Wait } from "./wait.ts";

/**
 * One change; those of an explanation, in their order and with a pass after each, let the job start. A limit may be raised
 * more than once, where earlier jobs use up what was gained.
 */
export type Remedy =
  | { readonly kind: "grant-credit"; readonly tenantId: TenantId; readonly micros: bigint }
  | {
      readonly kind: "raise-quota";
      readonly tenantId: TenantId;
      readonly deviceKind: string;
      readonly deviceCountMax: number;
    }
  | {
      readonly kind: "raise-running-jobs";
      readonly tenantId: TenantId;
      readonly runningJobCountMax: number;
    }
  | { readonly kind: "add-nodes"; readonly nodes: readonly ComputeNode[] }
  | {
      /** It starts past the head when it reserves no more than this. */
      readonly kind: "shorten";
      readonly durationMs: number;
    }
  | {
      /** It starts by then, if running jobs take the time that they reserved and nothing new comes before it. */
      readonly kind: "wait";
      readonly untilMs: number;
      /** The jobs that end before. */
      readonly endedJobIds: readonly string[];
    };

export interface Explanation {
  /** What binds now. */
  readonly binding: Wait;
  /** Empty when no answer was found within the limits. */
  readonly remedies: readonly Remedy[];
}

/** Explains why a job waits; `undefined` when it does not wait. Call it after a pass. */
export function explainWait(
  allocator: Allocator,
  jobId: string,
  nowMs: number,
): Explanation | undefined {
  const binding = allocator.waitOf(jobId, nowMs);
  if (binding === undefined) return undefined;
  const trial = new Trial(allocator.copy(), jobId, nowMs);
  const remedies: Remedy[] = [];
  for (let step = 0; step < remedyStepCountMax; step += 1) {
    const remedy = trial.tryNext();
    if (remedy === undefined) break;
    remedies.push(remedy);
    if (trial.isStarted) return { binding, remedies };
  }
  return { binding, remedies: [] };
}

class Trial {
  isStarted = false;
  #allocator: Allocator;
  readonly #request: JobRequest;
  #nowMs: number;

  constructor(allocator: Allocator, jobId: string, nowMs: number) {
    const request = allocator.requestOf(jobId);
    assert(request !== undefined, "a job that waits is known");
    this.#allocator = allocator;
    this.#request = request;
    this.#nowMs = nowMs;
  }

  /** Removes what binds now; `undefined` when that cannot be done. */
  tryNext(): Remedy | undefined {
    const wait = this.#allocator.waitOf(this.#request.id, this.#nowMs);
    if (wait === undefined) return undefined;
    const remedy = this.#remedyFor(wait);
    if (remedy !== undefined && remedy.kind !== "wait" && remedy.kind !== "shorten") this.#pass();
    return remedy;
  }

  #remedyFor(wait: Wait): Remedy | undefined {
    const { tenantId } = this.#request;
    const policy = this.#allocator.policyOf(tenantId);
    switch (wait.kind) {
      case "credit": {
        const micros = wait.askedMicros - wait.spendableMicros;
        this.#allocator.setCredit(tenantId, this.#allocator.creditOf(tenantId) + micros);
        return { kind: "grant-credit", tenantId, micros };
      }
      case "quota": {
        const { deviceKind } = wait;
        const deviceCountMax = wait.usedDeviceCount + wait.askedDeviceCount;
        const raised = { ...policy.deviceCountMax, [deviceKind]: deviceCountMax };
        this.#allocator.setTenant(tenantId, { ...policy, deviceCountMax: raised });
        return { kind: "raise-quota", tenantId, deviceKind, deviceCountMax };
      }
      case "running-jobs": {
        const runningJobCountMax = wait.runningJobCountMax + 1;
        this.#allocator.setTenant(tenantId, { ...policy, runningJobCountMax });
        return { kind: "raise-running-jobs", tenantId, runningJobCountMax };
      }
      case "nodes": {
        const nodes = this.#missingNodes();
        this.#allocator.setNodes([...this.#allocator.nodes(), ...nodes], this.#nowMs);
        return { kind: "add-nodes", nodes };
      }
      case "turn":
        return this.#shorten(wait.durationMsMax) ?? this.#waitForEnds();
      case "capacity":
      case "earlier-job":
        return this.#waitForEnds();
      default:
        return unreachable(wait);
    }
  }

  /** One node for each member, in the first region that the job names. */
  #missingNodes(): ComputeNode[] {
    const { member, memberCount, deviceKind, regions } = this.#request;
    const region = regions[0] ?? this.#allocator.nodes()[0]?.region ?? "default";
    const known = new Set(this.#allocator.nodes().map(({ id }) => id));
    const nodes: ComputeNode[] = [];
    for (let number = 1; nodes.length < memberCount; number += 1) {
      const id = `added-${number}`;
      if (!known.has(id)) nodes.push({ id, region, deviceKind, ...member });
    }
    return nodes;
  }

  #shorten(durationMs: number): Remedy | undefined {
    if (durationMs < 1 || durationMs >= this.#request.durationMs) return undefined;
    const shortened = this.#allocator.copy();
    shortened.end(this.#request.id, this.#nowMs);
    shortened.submit({ ...this.#request, durationMs });
    const isStarted = shortened
      .pass(this.#nowMs)
      .some(({ kind, jobId }) => kind === "admitted" && jobId === this.#request.id);
    if (!isStarted) return undefined;
    this.isStarted = true;
    return { kind: "shorten", durationMs };
  }

  /** Lets time pass until the job starts, or nothing runs any more. */
  #waitForEnds(): Remedy | undefined {
    const endedJobIds: string[] = [];
    while (!this.isStarted && endedJobIds.length < explanationEndCountMax) {
      const next = this.#allocator.running().toSorted((x, y) => x.endsAtMs - y.endsAtMs)[0];
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.endsAtMs);
      this.#allocator.end(next.jobId, this.#nowMs);
      endedJobIds.push(next.jobId);
      this.#pass();
    }
    if (endedJobIds.length === 0) return undefined;
    return { kind: "wait", untilMs: this.#nowMs, endedJobIds };
  }

  #pass(): void {
    const decisions = this.#allocator.pass(this.#nowMs);
    if (decisions.some(({ kind, jobId }) => kind === "admitted" && jobId === this.#request.id))
      this.isStarted = true;
  }
}
