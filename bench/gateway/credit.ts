/** What the credit of a tenant costs a gateway worker: calls that are paid out of leases, beside the same calls for free. */

import { createHash } from "node:crypto";

import type { BenchFigure, BenchOptions, BenchResult } from "../bench.ts";
import { figureOfRounds } from "../figure-of-rounds.ts";
import { ratiosOf, type RoundsPlan, type Sample, sampleRounds } from "./rounds.ts";
import { plainScenario, streamScenario } from "./scenario.ts";
import { pinLoad, startRole } from "./target.ts";

const concurrency = 64;
const pairCount = 20;
const smallPlans: readonly RoundsPlan[] = [
  {
    scenario: plainScenario,
    concurrency,
    warmUpCount: 1_000,
    roundCount: 3,
    requestCount: 128,
  },
];
const largePlans: readonly RoundsPlan[] = [
  {
    scenario: plainScenario,
    concurrency,
    warmUpCount: 12_000,
    roundCount: pairCount,
    requestCount: 1_600,
  },
  {
    scenario: streamScenario,
    concurrency,
    warmUpCount: 4_000,
    roundCount: pairCount,
    requestCount: 640,
  },
];

/** Runs plain calls, then streams; both gateways take turns in each round. */
export async function run({ small }: BenchOptions): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  stack.defer(pinLoad());
  const upstream = stack.use(await startRole("upstream"));
  const at = { upstreamPort: upstream.port };
  const free = stack.use(await startRole("faultline", at));
  const paying = stack.use(await startRole("faultline", { ...at, pays: true }));
  const targets = [
    { ...free, name: "free" },
    { ...paying, name: "paying" },
  ];
  const hash = createHash("sha256");
  const figures: BenchFigure[] = [];
  for (const plan of small ? smallPlans : largePlans) {
    const { samples, contentHashes } = await sampleRounds(targets, plan);
    hash.update(`${plan.scenario.name} ${contentHashes.join(" ")}\n`);
    const [before = [], after = []] = targets.map(({ name }) => samples.get(name) ?? []);
    figures.push(...compare(plan.scenario.name, before, after));
  }
  return {
    name: "gateway-credit",
    figures,
    resultHash: hash.digest("hex"),
    notes: [
      `${concurrency} connections; ${pairCount} rounds when large, in each of which both gateways take turns.`,
      "CPU is that of the workers, which admit and write their journal; the ledger decides in the control process.",
    ],
  };
}

function compare(name: string, free: readonly Sample[], paying: readonly Sample[]): BenchFigure[] {
  const cpuMs = ({ cpuMs: ofWorkers }: Sample): number => ofWorkers;
  const cpuMsOfAll = ({ cpuMsOfAll: ofAll }: Sample): number => ofAll;
  return [
    figureOfRounds(`${name}, free: CPU per request`, "ms", free.map(cpuMs)),
    figureOfRounds(`${name}, paying: CPU per request`, "ms", paying.map(cpuMs)),
    figureOfRounds(`${name}: CPU with credit`, "times", ratiosOf(paying, free, cpuMs)),
    figureOfRounds(
      `${name}: CPU with credit, and with the control process`,
      "times",
      ratiosOf(paying, free, cpuMsOfAll),
    ),
  ];
}
