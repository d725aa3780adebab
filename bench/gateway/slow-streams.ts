/** What an event costs on streams that are slow: a thousand of them held by each target at once, an event a second on each. */

import { createHash } from "node:crypto";

import type { BenchFigure, BenchOptions, BenchResult } from "../bench.ts";
import { figureOfRounds } from "../figure-of-rounds.ts";
import { HeldStreams } from "./held-streams.ts";
import { Load } from "./load.ts";
import { slowScenario, streamScenario } from "./scenario.ts";
import { floorName, readUpstream, type Target } from "./target.ts";
import { startTargets } from "./targets.ts";

interface Plan {
  readonly streamCount: number;
  readonly warmUpCount: number;
  readonly windowCount: number;
  readonly windowMs: number;
}

const smallPlan: Plan = { streamCount: 200, warmUpCount: 500, windowCount: 6, windowMs: 500 };
const largePlan: Plan = {
  streamCount: 1_000,
  warmUpCount: 5_000,
  windowCount: 40,
  windowMs: 1_000,
};
const concurrency = 64;
const microsPerMs = 1_000;

interface Held {
  readonly target: Target;
  readonly streams: HeldStreams;
  readonly memoryMbBefore: number;
  /** In each window. */
  readonly microsPerEvent: number[];
}

/** All targets hold their streams at the same time, so that every window disturbs all alike. */
export async function run({ small }: BenchOptions): Promise<BenchResult> {
  const plan = small ? smallPlan : largePlan;
  await using world = await startTargets(["proxy", "relay", "faultline"], { adapts: false });
  await using stack = new AsyncDisposableStack();
  const held: Held[] = [];
  for (const target of world.targets) {
    {
      await using load = await Load.open(target, streamScenario, concurrency);
      await load.run(plan.warmUpCount);
    }
    const memoryMbBefore = target.memoryMb();
    const streams = stack.use(await HeldStreams.open(target, slowScenario, plan.streamCount));
    held.push({ target, streams, memoryMbBefore, microsPerEvent: [] });
  }
  for (let window = 0; window < plan.windowCount; window += 1) await measure(held, plan.windowMs);
  const brokenCount = held.reduce((sum, { streams }) => sum + streams.brokenCount, 0);
  const { startedCount } = await readUpstream(world.upstream);
  return {
    name: "gateway-slow-streams",
    figures: [
      ...toFigures(held, plan.streamCount),
      { name: "streams that broke", value: brokenCount, unit: "streams" },
    ],
    resultHash: createHash("sha256").update(`${brokenCount} ${startedCount}`).digest("hex"),
    notes: [`${plan.streamCount} streams of each target at once, an event a second on each.`],
  };
}

async function measure(held: readonly Held[], windowMs: number): Promise<void> {
  const before = held.map(({ target, streams }) => [target.cpuMs().carrier, streams.partCount]);
  await new Promise((resolve) => setTimeout(resolve, windowMs));
  for (const [index, { target, streams, microsPerEvent }] of held.entries()) {
    const [cpuMs = 0, partCount = 0] = before[index] ?? [];
    const eventCount = streams.partCount - partCount;
    microsPerEvent.push(((target.cpuMs().carrier - cpuMs) * microsPerMs) / eventCount);
  }
}

function toFigures(held: readonly Held[], streamCount: number): BenchFigure[] {
  const floor = held.find(({ target }) => target.name === floorName)?.microsPerEvent ?? [];
  return held.flatMap(({ target, memoryMbBefore, microsPerEvent }): BenchFigure[] => {
    const against = microsPerEvent.map((micros, window) => micros / (floor[window] ?? Number.NaN));
    const heldMb = target.memoryMb() - memoryMbBefore;
    return [
      figureOfRounds(`${target.name}: CPU per event`, "µs", microsPerEvent),
      ...(target.name === floorName
        ? []
        : [
            figureOfRounds(
              `${target.name}: CPU per event against the bare proxy`,
              "times",
              against,
            ),
          ]),
      { name: `${target.name}: memory of ${streamCount} streams`, value: heldMb, unit: "MB" },
    ];
  });
}
