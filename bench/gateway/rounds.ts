/**
 * Rounds of one scenario over several targets. Within a round the targets take turns in short slices, so that a busy
 * machine disturbs all alike, and ratios are taken within each round. What a target does for its calls a little later,
 * such as handing over its records, counts: its processor time is that of the whole round and of a rest after it.
 * Before the rounds each target is warmed up, as V8 compiles what runs often while it already runs.
 */

import type { BenchFigure } from "../bench.ts";
import { figureOfRounds } from "../figure-of-rounds.ts";
import { Load } from "./load.ts";
import type { Scenario } from "./scenario.ts";
import { floorName, ourName, peerName, type Target } from "./target.ts";

export interface RoundsPlan {
  readonly scenario: Scenario;
  readonly concurrency: number;
  /** Requests to each target that are not counted. */
  readonly warmUpCount: number;
  readonly roundCount: number;
  /** Requests to each target in a slice of a round. */
  readonly requestCount: number;
}

const slicesPerRound = 3;
/** Longer than a worker keeps the record of a call back. */
const restMs = 150;

export interface Sample {
  readonly cpuMs: number;
  readonly cpuMsOfAll: number;
  readonly ratePerSecond: number;
}

/** Samples by target, one for each round. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/** The figures of a scenario, and a hash of what the model said to each target. */
export async function runRounds(
  targets: readonly Target[],
  plan: RoundsPlan,
): Promise<{ figures: BenchFigure[]; contentHashes: string[] }> {
  const { samples, contentHashes } = await sampleRounds(targets, plan);
  return { figures: toFigures(targets, plan.scenario, samples), contentHashes };
}

/** What each target took in each round, and hashes of what the model said to them in turn. */
export async function sampleRounds(
  targets: readonly Target[],
  plan: RoundsPlan,
): Promise<{ samples: Samples; contentHashes: string[] }> {
  await using stack = new AsyncDisposableStack();
  const contentHashes: string[] = [];
  const measured: Measured[] = [];
  for (const target of targets) {
    const load = stack.use(await openLoad(target, plan));
    await load.run(plan.warmUpCount);
    contentHashes.push(await load.contentHash());
    measured.push({ target, load });
  }
  const samples = new Map<string, Sample[]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < plan.roundCount; round += 1) {
    for (const [name, sample] of await runRound(measured, plan, round)) {
      samples.get(name)?.push(sample);
    }
  }
  return { samples, contentHashes };
}

interface Measured {
  readonly target: Target;
  readonly load: Load;
}

async function runRound(
  measured: readonly Measured[],
  { requestCount }: RoundsPlan,
  round: number,
): Promise<[name: string, Sample][]> {
  const before = measured.map(({ target }) => target.cpuMs());
  const elapsedMs = new Map<Target, number>();
  for (let slice = 0; slice < slicesPerRound; slice += 1) {
    for (const { target, load } of rotate(measured, round + slice)) {
      await load.freshen();
      const result = await load.run(requestCount);
      elapsedMs.set(target, (elapsedMs.get(target) ?? 0) + result.elapsedMs);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const count = requestCount * slicesPerRound;
  return measured.map(({ target }, index) => {
    const after = target.cpuMs();
    const { carrier, all } = before[index] ?? after;
    return [
      target.name,
      {
        cpuMs: (after.carrier - carrier) / count,
        cpuMsOfAll: (after.all - all) / count,
        ratePerSecond: (count / (elapsedMs.get(target) ?? Number.NaN)) * 1_000,
      },
    ];
  });
}

/** A target that does not speak the caller's dialect is asked in the provider's. */
async function openLoad(target: Target, { scenario, concurrency }: RoundsPlan): Promise<Load> {
  const asked = target.name === ourName ? scenario : (scenario.floor ?? scenario);
  return await Load.open(target, asked, concurrency);
}

/** Another order in each slice, so that nobody always runs after the same neighbour. */
function rotate(measured: readonly Measured[], slice: number): Measured[] {
  const by = slice % measured.length;
  return [...measured.slice(by), ...measured.slice(0, by)];
}

function toFigures(
  targets: readonly Target[],
  scenario: Scenario,
  samples: Samples,
): BenchFigure[] {
  const of = (name: string): readonly Sample[] => samples.get(name) ?? [];
  const ratios = (left: string, right: string, value: (sample: Sample) => number): number[] =>
    ratiosOf(of(left), of(right), value);
  const figures = targets.flatMap(({ name }): BenchFigure[] => {
    const title = `${scenario.name}, ${name}`;
    const cpuMs = of(name).map((sample) => sample.cpuMs);
    const rates = of(name).map((sample) => sample.ratePerSecond);
    const against = ratios(name, floorName, (sample) => sample.cpuMs);
    return [
      figureOfRounds(`${title}: CPU per request`, "ms", cpuMs),
      ...(name === floorName
        ? []
        : [figureOfRounds(`${title}: CPU against the bare proxy`, "times", against)]),
      figureOfRounds(`${title}: requests`, "per second", rates),
    ];
  });
  const ours = `${scenario.name}, ${ourName}`;
  const withSupervisor = of(ourName).map((sample) => sample.cpuMsOfAll);
  figures.push(
    figureOfRounds(`${ours}: CPU per request with its supervisor`, "ms", withSupervisor),
  );
  if (targets.some(({ name }) => name === peerName)) {
    const rates = ratios(ourName, peerName, (sample) => sample.ratePerSecond);
    figures.push(figureOfRounds(`${ours}: requests against Portkey`, "times", rates));
  }
  return figures;
}

/** How samples of one target stand to those of another, round by round. */
export function ratiosOf(
  left: readonly Sample[],
  right: readonly Sample[],
  value: (sample: Sample) => number,
): number[] {
  return left.map((sample, round) => {
    const other = right[round];
    return value(sample) / (other === undefined ? Number.NaN : value(other));
  });
}
