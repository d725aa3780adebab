/** How long the allocator of compute takes with many jobs waiting on many nodes: over everything, and after one change. */

import { createHash } from "node:crypto";
import {
  Allocator,
  type ComputeNode,
  type Decision,
  type JobRequest,
} from "@faultline/server/compute/index.ts";
import { type Random, seededRandom } from "@faultline/server/kernel/index.ts";
import { parseTenantId } from "@faultline/protocol";

import type { BenchFigure, BenchOptions, BenchResult } from "../bench.ts";

interface Size {
  readonly nodes: number;
  readonly waiting: number;
  readonly changes: number;
  readonly rounds: number;
}

const small: Size = { nodes: 100, waiting: 1_000, changes: 200, rounds: 2 };
const large: Size = { nodes: 1_000, waiting: 10_000, changes: 2_000, rounds: 10 };
const tenantCount = 50;
const devicesOfNode = 8;
/** So many changes lie between two passes over everything. */
const fullPassEvery = 20;
const msBetweenChanges = 100;

/**
 * Fills a cluster of one device kind, so that every job competes with every other, then changes one thing after another.
 * Each round does exactly the same, so what one step takes is the least of all rounds: the rest is what else the machine did.
 */
export function run({ small: isSmall }: BenchOptions): Promise<BenchResult> {
  const size = isSmall ? small : large;
  const rounds = Array.from({ length: size.rounds }, () => runRound(size));
  const [first] = rounds;
  if (first === undefined) throw new Error("there is at least one round");
  const leastOf = (name: "filling" | "refusing" | "changing"): number[] =>
    first[name].map((_value, at) => Math.min(...rounds.map((round) => round[name][at] ?? 0)));
  return Promise.resolve({
    name: "allocator",
    figures: [
      ...quantiles("full pass, empty cluster", leastOf("filling")),
      ...quantiles("full pass, full cluster", leastOf("refusing")),
      ...quantiles("one change", leastOf("changing")),
      { name: "nodes", value: size.nodes, unit: "nodes" },
      { name: "waiting", value: size.waiting, unit: "jobs" },
      { name: "started", value: first.startedCount, unit: "jobs" },
    ],
    resultHash: first.hash,
    notes: ["A change is the end of a running job or a new job, and the pass after it."],
  });
}

function runRound(size: Size) {
  const filling: number[] = [];
  const refusing: number[] = [];
  const changing: number[] = [];
  const cluster = openCluster(size, seededRandom("allocator"));
  const { allocator } = cluster;
  filling.push(measure(() => cluster.note(allocator.pass(0))));
  while (cluster.waitingCount < size.waiting) cluster.submit(0);
  cluster.note(allocator.pass(0));
  for (let change = 0; change < size.changes; change += 1) {
    const nowMs = change * msBetweenChanges;
    if (change % fullPassEvery === 0)
      refusing.push(measure(() => cluster.note(allocator.fullPass(nowMs))));
    changing.push(
      measure(() => {
        if (change % 2 === 0) cluster.endOne(nowMs);
        else cluster.submit(nowMs);
        cluster.note(allocator.pass(nowMs));
      }),
    );
  }
  const hash = createHash("sha256").update(cluster.decided.join("\n")).digest("hex");
  const startedCount = cluster.decided.filter((text) => text.startsWith("admitted")).length;
  return { filling, refusing, changing, hash, startedCount };
}

function quantiles(name: string, values: readonly number[]): BenchFigure[] {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return [
    { name: `${name}, p50`, value: at(0.5), unit: "ms" },
    { name: `${name}, p99`, value: at(0.99), unit: "ms" },
    { name: `${name}, longest`, value: at(1), unit: "ms" },
  ];
}

function measure(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

/** A cluster on which nothing runs, with jobs that wait. */
function openCluster(size: Size, random: Random) {
  const allocator = new Allocator({ ageingMs: 60_000, backFill: true, headDelayMsMax: 0 });
  allocator.setNodes(
    Array.from({ length: size.nodes }, (_item, index) => nodeOf(index)),
    0,
  );
  const tenantIds = Array.from({ length: tenantCount }, (_item, index) => {
    const id = parseTenantId(`tenant-${index}`);
    if (id === undefined) throw new Error("the id of a tenant of the bench is not one");
    allocator.setCredit(id, 10n ** 15n);
    return id;
  });
  const running: string[] = [];
  const decided: string[] = [];
  let submittedCount = 0;
  const cluster = {
    allocator,
    decided,
    get waitingCount(): number {
      return allocator.counts().waitingCount;
    },
    submit(nowMs: number): void {
      submittedCount += 1;
      const tenantId = tenantIds[random.integer(tenantIds.length)];
      if (tenantId === undefined) throw new Error("there are tenants");
      allocator.submit(jobOf({ id: `job-${submittedCount}`, tenantId, nowMs, random }));
    },
    endOne(nowMs: number): void {
      const at = random.integer(running.length);
      const [jobId] = running.splice(at, 1);
      if (jobId !== undefined) allocator.end(jobId, nowMs);
    },
    note(decisions: readonly Decision[]): void {
      for (const { kind, jobId } of decisions) {
        decided.push(`${kind} ${jobId}`);
        if (kind === "admitted") running.push(jobId);
        else running.splice(running.indexOf(jobId), 1);
      }
    },
  };
  for (let index = 0; index < size.waiting; index += 1) cluster.submit(0);
  return cluster;
}

function nodeOf(index: number): ComputeNode {
  return {
    id: `node-${String(index).padStart(4, "0")}`,
    region: `region-${index % 3}`,
    deviceKind: "gpu",
    deviceCount: devicesOfNode,
    cpuCores: 96,
    memoryGigabytes: 768,
  };
}

interface JobOptions {
  readonly id: string;
  readonly tenantId: JobRequest["tenantId"];
  readonly nowMs: number;
  readonly random: Random;
}

/** Mostly small jobs, some gangs over many nodes; cores and memory differ from job to job. */
function jobOf({ id, tenantId, nowMs, random }: JobOptions): JobRequest {
  const deviceCount = 2 ** random.integer(4);
  const isGang = random.integer(20) === 0;
  return {
    id,
    tenantId,
    deviceKind: "gpu",
    memberCount: isGang ? 2 + random.integer(31) : 1,
    member: {
      deviceCount,
      cpuCores: deviceCount * (1 + random.integer(12)),
      memoryGigabytes: deviceCount * (1 + random.integer(96)),
    },
    regions: random.integer(4) === 0 ? [`region-${random.integer(3)}`] : [],
    distinctNodes: isGang && random.integer(2) === 0,
    antiAffinityGroup: random.integer(10) === 0 ? `group-${random.integer(5)}` : undefined,
    priority: random.integer(4),
    durationMs: 60_000 * 2 ** random.integer(10),
    costMicros: 1n,
    submittedAtMs: nowMs,
  };
}
