/**
 * What streams cost that say nothing for a while: ten thousand of them over two workers, their memory, the processor
 * time that it takes to watch over them, and whether all stand; beside the memory that a stream takes in a bare proxy.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import type { BenchFigure, BenchOptions, BenchResult } from "../bench.ts";
import { HeldStreams } from "./held-streams.ts";
import { Load } from "./load.ts";
import { idleScenario, streamScenario } from "./scenario.ts";
import { readUpstream, startRole, type Target } from "./target.ts";

interface Plan {
  readonly streamCount: number;
  /** A proxy of one process has descriptors for fewer. */
  readonly floorStreamCount: number;
  readonly warmUpCount: number;
  readonly holdMs: number;
}

const smallPlan: Plan = {
  streamCount: 400,
  floorStreamCount: 200,
  warmUpCount: 200,
  holdMs: 500,
};
const largePlan: Plan = {
  streamCount: 10_000,
  floorStreamCount: 4_000,
  warmUpCount: 4_000,
  holdMs: 15_000,
};
const workerCount = 2;
const warmUpConcurrency = 64;
const bytesPerKilobyte = 1_024;
const kilobytesPerMegabyte = 1_024;
/** Descriptors that the load and the provider have besides their streams. */
const spareDescriptorCount = 200;

/** Holds the streams of the gateway, then those of the proxy. */
export async function run({ small }: BenchOptions): Promise<BenchResult> {
  const plan = small ? smallPlan : largePlan;
  const streamCount = Math.min(plan.streamCount, descriptorLimit() - spareDescriptorCount);
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startRole("upstream"));
  const from = { upstreamPort: upstream.port };
  const ours = await hold(await startRole("faultline", { ...from, workerCount, adapts: false }), {
    ...plan,
    streamCount,
  });
  const floor = await hold(await startRole("proxy", from), {
    ...plan,
    streamCount: Math.min(plan.floorStreamCount, streamCount),
  });
  const { startedCount } = await readUpstream(upstream);
  const title = `${streamCount.toLocaleString("en-US")} idle streams over two workers`;
  const figures: BenchFigure[] = [
    { name: "two workers without a stream", value: ours.memoryMbBefore, unit: "MB" },
    { name: title, value: ours.memoryMb, unit: "MB" },
    { name: `${title}, broken`, value: ours.brokenCount, unit: "streams" },
    { name: "a held stream, faultline", value: ours.kilobytesPerStream, unit: "kB" },
    { name: "a held stream, bare proxy", value: floor.kilobytesPerStream, unit: "kB" },
    { name: "CPU while they are idle", value: ours.cpuPercent, unit: "% of a core" },
  ];
  const hash = createHash("sha256").update(`${ours.brokenCount} ${startedCount}`).digest("hex");
  return {
    name: "gateway-idle",
    figures,
    resultHash: hash,
    notes: [
      `Each stream has brought one event. Memory is the resident set of the processes that carry them.`,
    ],
  };
}

interface Held {
  readonly memoryMbBefore: number;
  readonly memoryMb: number;
  readonly kilobytesPerStream: number;
  readonly brokenCount: number;
  readonly cpuPercent: number;
}

async function hold(opened: Target, plan: Omit<Plan, "floorStreamCount">): Promise<Held> {
  await using target = opened;
  {
    await using load = await Load.open(target, streamScenario, warmUpConcurrency);
    await load.run(plan.warmUpCount);
  }
  const memoryMbBefore = target.memoryMb();
  await using streams = await HeldStreams.open(target, idleScenario, plan.streamCount);
  const cpuMsBefore = target.cpuMs().carrier;
  await new Promise((resolve) => setTimeout(resolve, plan.holdMs));
  const memoryMb = target.memoryMb();
  const heldKilobytes = (memoryMb - memoryMbBefore) * kilobytesPerMegabyte;
  return {
    memoryMbBefore,
    memoryMb,
    kilobytesPerStream: heldKilobytes / plan.streamCount,
    brokenCount: streams.brokenCount,
    cpuPercent: ((target.cpuMs().carrier - cpuMsBefore) / plan.holdMs) * 100,
  };
}

/** How many descriptors a process may have here. */
function descriptorLimit(): number {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return Number(soft ?? bytesPerKilobyte);
}
