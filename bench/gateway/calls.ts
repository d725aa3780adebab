/**
 * What a call through the gateway costs: CPU per request and request rate, beside a bare `node:http` proxy, beside a
 * bare relay of undici, and beside another gateway where that is installed.
 */

import { createHash } from "node:crypto";

import type { BenchFigure, BenchOptions, BenchResult } from "../bench.ts";
import { runRounds, type RoundsPlan } from "./rounds.ts";
import { plainScenario, streamScenario } from "./scenario.ts";
import { hasPeer, installPeer, peerName, pinned, readUpstream, type Target } from "./target.ts";
import { startTargets } from "./targets.ts";

const concurrency = 64;

// A worker costs twice as much until it is compiled, after five to ten thousand calls, and V8 goes on with what runs seldom
// for three times as long.
const smallPlans: readonly RoundsPlan[] = [
  {
    scenario: plainScenario,
    concurrency,
    warmUpCount: 8_000,
    roundCount: 12,
    requestCount: 320,
  },
  {
    scenario: streamScenario,
    concurrency,
    warmUpCount: 2_500,
    roundCount: 12,
    requestCount: 128,
  },
];
const largePlans: readonly RoundsPlan[] = [
  {
    scenario: plainScenario,
    concurrency,
    warmUpCount: 32_000,
    roundCount: 40,
    requestCount: 640,
  },
  {
    scenario: streamScenario,
    concurrency,
    warmUpCount: 16_000,
    roundCount: 40,
    requestCount: 256,
  },
];

/** Runs plain calls, then streams. */
export async function run({ small, peers }: BenchOptions): Promise<BenchResult> {
  if (peers && !hasPeer()) installPeer();
  await using world = await startTargets(["proxy", "relay", "faultline"], { hasPeer: peers });
  const { targets, upstream } = world;
  const hash = createHash("sha256");
  const figures: BenchFigure[] = [];
  for (const plan of small ? smallPlans : largePlans) {
    const rounds = await runRounds(targets, plan);
    figures.push(...rounds.figures);
    hash.update(`${plan.scenario.name} ${rounds.contentHashes.join(" ")}\n`);
  }
  const { closedEarlyCount } = await readUpstream(upstream);
  figures.push(...targets.map(memoryFigure), {
    name: "replies that a target left before their end",
    value: closedEarlyCount,
    unit: "replies",
  });
  return { name: "gateway", figures, resultHash: hash.digest("hex"), notes: notes(targets) };
}

function memoryFigure(target: Target): BenchFigure {
  return { name: `memory, ${target.name}`, value: target.memoryMb(), unit: "MB" };
}

function notes(targets: readonly Target[]): string[] {
  return [
    `${concurrency} connections; each event of a stream leaves the provider by itself.`,
    pinned
      ? "The measured process has a core; load and provider share another."
      : "Not pinned: there is no taskset, or only one core.",
    "Faultline runs with keys, limits, prices, spans and metrics on, and hands over its records.",
    ...(targets.some(({ name }) => name === peerName)
      ? []
      : ["No peer beside it: npm run bench -- gateway --peers runs one."]),
  ];
}
