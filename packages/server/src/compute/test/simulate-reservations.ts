/** Jobs, their work and a ledger that fails now and then, in steps of simulated time. */

import type { Random } from "#kernel/index.ts";

import { Allocator } from "../allocator.ts";
import type { ComputeNode } from "../capacity.ts";
import type { JobRequest } from "../job.ts";
import type { ReservationEnd } from "../reservation-record.ts";
import { Reservations } from "../reservations.ts";
import { jobOf, nodeOf, plainOptions, tenantId } from "./cluster.ts";
import { type Fault, MemoryLedger } from "./memory-ledger.ts";

const intervalMs = 10;
const options = { startMsMax: 60, intervalMs, silenceMsMax: 80 };
const jobCount = 40;
const stepCountMax = 3_000;
/** Less than all jobs together cost. */
const grantedMicros = 25_000n;
/** Whoever still waits for credit then gives up. */
const patienceMs = 1_500;
const tenants = ["a", "b"];

/** What a job's work does and what it saw. */
interface Work {
  readonly request: JobRequest;
  readonly runsMs: number;
  /** Never starts, or stops sending. */
  readonly fault: "none" | "never-starts" | "falls-silent" | "withdrawn";
  admittedAtMs: number | undefined;
  startedAtMs: number | undefined;
  heardAtMs: number;
  endedAtMs: number | undefined;
}

/** Runs until all reservations have ended. */
export async function simulateReservations(random: Random, signal: AbortSignal) {
  const faults = random.fork("ledger");
  let isCalm = false;
  const nextFault = (): Fault => {
    const draw = isCalm ? 9 : faults.integer(10);
    return draw === 0 ? "before" : draw === 1 ? "after" : "none";
  };
  const ledger = new MemoryLedger(nextFault);
  for (const tenant of tenants) ledger.grant(tenantId(tenant), grantedMicros);
  const allocator = new Allocator(plainOptions);
  const nodes: ComputeNode[] = [nodeOf("n1"), nodeOf("n2"), nodeOf("n3", { deviceCount: 4 })];
  allocator.setNodes(nodes, 0);
  const reservations = new Reservations(allocator, ledger, options);
  const works = Array.from({ length: jobCount }, (_item, at) =>
    workOf(at, random.fork(`job ${at}`)),
  );
  const noise = random.fork("noise");

  let leastBalanceMicros = grantedMicros;
  for (let nowMs = 0; nowMs < stepCountMax; nowMs += 1) {
    for (const work of works) step(work, reservations, { nowMs, noise });
    if (nowMs === 150) reservations.applyLost(allocator.setNodes(nodes.slice(1), nowMs), nowMs);
    if (nowMs === patienceMs) giveUp(works, reservations, nowMs);
    if (nowMs === 200) allocator.setNodes(nodes, nowMs);
    noteEnds(works, reservations, nowMs);
    await reservations.tick({ nowMs, signal });
    noteEnds(works, reservations, nowMs);
    ledger.expireHolds(nowMs);
    for (const tenant of tenants) {
      const balance = ledger.balanceOf(tenantId(tenant));
      if (balance < leastBalanceMicros) leastBalanceMicros = balance;
    }
    if (works.every(({ endedAtMs }) => endedAtMs !== undefined)) break;
  }
  isCalm = true;
  await reservations.tick({ nowMs: stepCountMax, signal });

  const jobs = works.map((work) => ({
    jobId: work.request.id,
    end: endOf(reservations, work),
    usedMicros: ledger.usedBy(work.request.id),
    expectedMicros: expectedMicros(work, endOf(reservations, work)),
  }));
  return {
    jobs,
    openIds: ledger.openIds(),
    leastBalanceMicros,
    balanceMicros: tenants.reduce((sum, tenant) => sum + ledger.balanceOf(tenantId(tenant)), 0n),
    usedMicros: jobs.reduce((sum, { usedMicros }) => sum + usedMicros, 0n),
    grantedMicros: grantedMicros * BigInt(tenants.length),
  };
}

function workOf(at: number, random: Random): Work {
  const durationMs = 20 + random.integer(200);
  const faults = [
    "none",
    "none",
    "none",
    "none",
    "never-starts",
    "falls-silent",
    "withdrawn",
  ] as const;
  return {
    request: jobOf(`j${at}`, {
      tenant: random.integer(2) === 0 ? "a" : "b",
      deviceCount: 1 + random.integer(8),
      durationMs,
      priority: random.integer(3),
      costMicros: BigInt(1 + random.integer(5_000)),
      submittedAtMs: random.integer(300),
    }),
    runsMs: 1 + random.integer(durationMs + 20),
    fault: faults[random.integer(faults.length)] ?? "none",
    admittedAtMs: undefined,
    startedAtMs: undefined,
    heardAtMs: 0,
    endedAtMs: undefined,
  };
}

/** One millisecond of a job's work: heartbeats are lost, come twice and come late. */
function step(
  work: Work,
  reservations: Reservations,
  { nowMs, noise }: { readonly nowMs: number; readonly noise: Random },
): void {
  const { request, fault } = work;
  const { id } = request;
  if (nowMs === request.submittedAtMs) reservations.request(request);
  if (fault === "withdrawn" && nowMs === request.submittedAtMs + 1) reservations.end(id, nowMs);
  const stage = reservations.stageOf(id);
  if (stage?.kind === "reserved" || stage?.kind === "running") {
    work.admittedAtMs = stage.admittedAtMs;
    if (fault === "never-starts") return;
    if (stage.kind === "running" && nowMs >= stage.startedAtMs + work.runsMs && fault === "none") {
      reservations.end(id, nowMs);
      return;
    }
    const isSilent =
      fault === "falls-silent" && stage.kind === "running" && nowMs > stage.startedAtMs + 15;
    if (isSilent || noise.integer(8) !== 0) return;
    const sentAtMs =
      noise.integer(4) === 0 && stage.kind === "running"
        ? Math.max(stage.startedAtMs, nowMs - 9)
        : nowMs;
    work.startedAtMs ??= sentAtMs;
    work.heardAtMs = Math.max(work.heardAtMs, sentAtMs);
    reservations.heartbeat(id, sentAtMs);
    if (noise.integer(3) === 0) reservations.heartbeat(id, sentAtMs);
  }
}

function giveUp(works: readonly Work[], reservations: Reservations, nowMs: number): void {
  for (const { request } of works)
    if (reservations.stageOf(request.id)?.kind === "waiting") reservations.end(request.id, nowMs);
}

function noteEnds(works: readonly Work[], reservations: Reservations, nowMs: number): void {
  for (const work of works)
    if (reservations.stageOf(work.request.id)?.kind === "ended") work.endedAtMs ??= nowMs;
}

function endOf(reservations: Reservations, { request }: Work): ReservationEnd | "never" {
  const stage = reservations.stageOf(request.id);
  return stage?.kind === "ended" ? stage.end : "never";
}

/** Worked out from what the work did alone: the first interval as a whole, then up to the end. */
function expectedMicros(work: Work, end: ReservationEnd | "never"): bigint {
  const { request, startedAtMs, admittedAtMs, heardAtMs, endedAtMs } = work;
  if (startedAtMs === undefined || admittedAtMs === undefined || endedAtMs === undefined) return 0n;
  const untilMs = Math.min(
    end === "silent" ? heardAtMs : endedAtMs,
    admittedAtMs + request.durationMs,
  );
  const fromMs = Math.floor((startedAtMs - admittedAtMs) / intervalMs) * intervalMs;
  const priceAt = (ms: number): bigint =>
    (request.costMicros * BigInt(ms)) / BigInt(request.durationMs);
  return untilMs - admittedAtMs <= fromMs ? 0n : priceAt(untilMs - admittedAtMs) - priceAt(fromMs);
}
