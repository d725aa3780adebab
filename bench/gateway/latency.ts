/**
 * How much later the first byte comes through the gateway than straight from the provider, while each carries half of
 * what the gateway can carry at most: in an open loop, so that a target that falls behind is not asked less.
 */

import { createHash } from "node:crypto";

import type { BenchFigure, BenchOptions, BenchResult } from "../bench.ts";
import { figureOfRounds } from "../figure-of-rounds.ts";
import { Load } from "./load.ts";
import { runOpenLoad } from "./open-load.ts";
import { plainScenario, type Scenario, streamScenario } from "./scenario.ts";
import { floorName, ourName, type Target } from "./target.ts";
import { startTargets } from "./targets.ts";

interface Plan {
  readonly scenario: Scenario;
  readonly warmUpCount: number;
  /** Requests in the run that finds the greatest rate. */
  readonly fullCount: number;
  readonly roundCount: number;
  /** Requests to each target in a round. */
  readonly requestCount: number;
}

const smallPlans: readonly Plan[] = [
  {
    scenario: plainScenario,
    warmUpCount: 2_000,
    fullCount: 1_000,
    roundCount: 6,
    requestCount: 400,
  },
];
const largePlans: readonly Plan[] = [
  {
    scenario: plainScenario,
    warmUpCount: 20_000,
    fullCount: 10_000,
    roundCount: 16,
    requestCount: 3_000,
  },
  {
    scenario: streamScenario,
    warmUpCount: 5_000,
    fullCount: 3_000,
    roundCount: 16,
    requestCount: 1_000,
  },
];
const concurrency = 64;

/** Measures plain calls, and in the large run streams. */
export async function run({ small }: BenchOptions): Promise<BenchResult> {
  await using world = await startTargets(["proxy", "faultline"]);
  const hash = createHash("sha256");
  const figures: BenchFigure[] = [];
  for (const plan of small ? smallPlans : largePlans) {
    const rate = await findRate(world.targets, plan, hash);
    figures.push({
      name: `${plan.scenario.name}: half of the greatest rate`,
      value: rate / 2,
      unit: "requests per second",
    });
    figures.push(...(await measure([world.upstream, ...world.targets], plan, rate / 2)));
  }
  return {
    name: "gateway-latency",
    figures,
    resultHash: hash.digest("hex"),
    notes: [
      "Added is against the same load straight on the provider, in the same round. Counted is the half of the rounds in which the provider itself answered soonest: in the others the machine had other things to do.",
    ],
  };
}

/** Warms all up, and gives the rate at which ours answers when it is asked as fast as it can. */
async function findRate(
  targets: readonly Target[],
  { scenario, warmUpCount, fullCount }: Plan,
  hash: ReturnType<typeof createHash>,
): Promise<number> {
  let rate = 0;
  for (const target of targets) {
    await using load = await Load.open(target, scenario, concurrency);
    await load.run(warmUpCount);
    const { elapsedMs } = await load.run(fullCount);
    if (target.name === ourName) rate = (fullCount / elapsedMs) * 1_000;
    hash.update(await load.contentHash());
  }
  return rate;
}

async function measure(
  targets: readonly Target[],
  { scenario, roundCount, requestCount }: Plan,
  requestsPerSecond: number,
): Promise<BenchFigure[]> {
  const rounds: ReadonlyMap<string, number[]>[] = [];
  for (let round = 0; round < roundCount; round += 1) {
    const waits = new Map<string, number[]>();
    for (const target of targets) {
      const load = { requestsPerSecond, requestCount };
      waits.set(target.name, await runOpenLoad(target, scenario, load));
    }
    rounds.push(waits);
  }
  const calm = rounds
    .toSorted(
      (one, other) => quantile(one.get(directName), 0.5) - quantile(other.get(directName), 0.5),
    )
    .slice(0, Math.ceil(roundCount / 2));
  const added = (name: string, share: number): number[] =>
    calm.map((waits) => quantile(waits.get(name), share) - quantile(waits.get(directName), share));
  return [floorName, ourName].flatMap((name) => [
    figureOfRounds(
      `${scenario.name}, ${name}: added to the first byte, p50`,
      "ms",
      added(name, 0.5),
    ),
    figureOfRounds(
      `${scenario.name}, ${name}: added to the first byte, p99`,
      "ms",
      added(name, 0.99),
    ),
  ]);
}

const directName = "upstream";

function quantile(ascending: readonly number[] = [], share: number): number {
  return ascending[Math.floor(ascending.length * share)] ?? Number.NaN;
}
