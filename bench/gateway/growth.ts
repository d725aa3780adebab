/**
 * Whether a worker grows: what its heap keeps for each event that it relayed, what it allocates for one, and how its
 * resident memory goes on over many calls.
 */

import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import type { BenchFigure, BenchOptions, BenchResult } from "../bench.ts";
import { Load } from "./load.ts";
import type { ProbedMemory } from "./probe.ts";
import { longEventCount } from "./replies.ts";
import { longStreamReplyScenario, plainScenario } from "./scenario.ts";
import { pinLoad, startRole, type Target } from "./target.ts";
import { slopeOf } from "../slope.ts";

interface Plan {
  readonly warmUpStreamCount: number;
  readonly streamCount: number;
  readonly warmUpCallCount: number;
  readonly callCount: number;
}

const smallPlan: Plan = {
  warmUpStreamCount: 20,
  streamCount: 50,
  warmUpCallCount: 1_000,
  callCount: 4_000,
};
const largePlan: Plan = {
  warmUpStreamCount: 500,
  streamCount: 1_000,
  warmUpCallCount: 100_000,
  callCount: 1_000_000,
};
const streamConcurrency = 16;
const callConcurrency = 64;
const sampleCount = 100;
const waitMs = 20;
const bytesPerMegabyte = 1_048_576;

/** Relays long streams, then many plain calls. */
export async function run({ small }: BenchOptions): Promise<BenchResult> {
  const plan = small ? smallPlan : largePlan;
  const folder = mkdtempSync(path.join(tmpdir(), "faultline-bench-growth-"));
  const unpin = pinLoad();
  try {
    await using upstream = await startRole("upstream");
    const from = { upstreamPort: upstream.port, probeFolder: folder };
    await using target = await startRole("faultline", from);
    const hash = createHash("sha256");
    const figures = await measureEvents(target, { plan, folder, hash });
    figures.push(...(await measureCalls(target, { plan, hash })));
    return {
      name: "gateway-growth",
      figures,
      resultHash: hash.digest("hex"),
      notes: [
        "Kept is what is left after two full collections; allocated is what the trace of the collector adds up to.",
        "The slope is that of a straight line through the resident memory of the worker, sampled a hundred times after the warm-up.",
      ],
    };
  } finally {
    unpin();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Run {
  readonly plan: Plan;
  readonly hash: ReturnType<typeof createHash>;
}

async function measureEvents(
  target: Target,
  { plan, folder, hash }: Run & { readonly folder: string },
): Promise<BenchFigure[]> {
  await using load = await Load.open(target, longStreamReplyScenario, streamConcurrency);
  await load.run(plan.warmUpStreamCount);
  hash.update(await load.contentHash());
  const before = await probe(target, folder);
  await load.run(plan.streamCount);
  const after = await probe(target, folder);
  const eventCount = plan.streamCount * longEventCount;
  return [
    {
      name: "heap kept for each event relayed",
      value: (after.heldBytes - before.heldBytes) / eventCount,
      unit: "bytes",
    },
    {
      name: "heap allocated for each event relayed",
      value: after.allocatedBytes / eventCount,
      unit: "bytes",
    },
  ];
}

async function measureCalls(target: Target, { plan, hash }: Run): Promise<BenchFigure[]> {
  await using load = await Load.open(target, plainScenario, callConcurrency);
  await load.run(plan.warmUpCallCount);
  hash.update(await load.contentHash());
  const points: [callCount: number, megabytes: number][] = [];
  const perSample = plan.callCount / sampleCount;
  for (let sample = 1; sample <= sampleCount; sample += 1) {
    await load.run(perSample);
    points.push([sample * perSample, target.memoryMb()]);
  }
  const { slope, error } = slopeOf(points);
  const millions = plan.callCount / 1_000_000;
  const grown = slope * plan.callCount;
  return [
    {
      name: `resident memory, slope over ${plan.callCount.toLocaleString("en-US")} calls`,
      value: grown,
      unit: "MB",
      interval: [grown - 2 * error * plan.callCount, grown + 2 * error * plan.callCount],
    },
    {
      name: "resident memory, slope for a call",
      value: (grown * bytesPerMegabyte) / (millions * 1_000_000),
      unit: "bytes",
    },
    { name: "resident memory at the end", value: target.memoryMb(), unit: "MB" },
  ];
}

/** Asks the worker what it holds. */
async function probe(target: Target, folder: string): Promise<ProbedMemory> {
  const [id] = target.carrierIds;
  if (id === undefined) throw new Error("A gateway has a worker.");
  const file = path.join(folder, String(id));
  rmSync(file, { force: true });
  process.kill(id, "SIGUSR2");
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, waitMs));
  // The probe writes nothing else.
  return JSON.parse(readFileSync(file, "utf8")) as ProbedMemory;
}
