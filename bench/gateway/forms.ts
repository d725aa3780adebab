/** What calls cost that are not short and plain: a megabyte in and a long reply out, and a translated stream. */

import { createHash } from "node:crypto";

import type { BenchFigure, BenchOptions, BenchResult } from "../bench.ts";
import { runRounds, type RoundsPlan } from "./rounds.ts";
import { longPlainScenario, longStreamScenario, translatedScenario } from "./scenario.ts";
import { startTargets } from "./targets.ts";

const longLoad = { concurrency: 8 };
const smallPlans: readonly RoundsPlan[] = [
  {
    scenario: longPlainScenario,
    ...longLoad,
    warmUpCount: 30,
    roundCount: 6,
    requestCount: 8,
  },
  {
    scenario: longStreamScenario,
    ...longLoad,
    warmUpCount: 30,
    roundCount: 6,
    requestCount: 8,
  },
  {
    scenario: translatedScenario,
    concurrency: 64,
    warmUpCount: 500,
    roundCount: 6,
    requestCount: 64,
  },
];
const largePlans: readonly RoundsPlan[] = [
  {
    scenario: longPlainScenario,
    ...longLoad,
    warmUpCount: 200,
    roundCount: 20,
    requestCount: 24,
  },
  {
    scenario: longStreamScenario,
    ...longLoad,
    warmUpCount: 200,
    roundCount: 20,
    requestCount: 24,
  },
  {
    scenario: translatedScenario,
    concurrency: 64,
    warmUpCount: 5_000,
    roundCount: 20,
    requestCount: 200,
  },
];

/** Runs the forms one after the other. */
export async function run({ small }: BenchOptions): Promise<BenchResult> {
  await using world = await startTargets(["proxy", "faultline"]);
  const hash = createHash("sha256");
  const figures: BenchFigure[] = [];
  for (const plan of small ? smallPlans : largePlans) {
    const rounds = await runRounds(world.targets, plan);
    figures.push(...rounds.figures);
    hash.update(`${plan.scenario.name} ${rounds.contentHashes.join(" ")}\n`);
  }
  return {
    name: "gateway-forms",
    figures,
    resultHash: hash.digest("hex"),
    notes: [
      "The proxy does not read what it carries; Faultline reads every byte of request and reply.",
      "The translated stream is asked for in Anthropic's words; the proxy carries the same one in OpenAI's.",
    ],
  };
}
