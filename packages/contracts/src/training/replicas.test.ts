import { describe, expect, it } from "vitest";

import {
  factsOf,
  parameterOf,
  runOf,
  runVariants,
  snapshotOfRuns,
} from "../../test/training-runs.ts";
import type { ParameterState, TrainingContent, TrainingStep } from "../model/training.ts";
import { replicas } from "./replicas.ts";

const header = { worldSize: 2, parallelism: "data" as const };

/** Two ranks of twelve steps; `change` says what is other than usual. */
function ranksOf(
  change: (rank: number, step: number) => Partial<TrainingStep>,
  own: (rank: number) => Partial<TrainingContent> = () => ({}),
): TrainingContent[] {
  return [0, 1].map((rank) =>
    runOf(
      12,
      (step) => ({
        shard: `data-${rank}-${step}`,
        parameters: [weights(`sum-${step}`)],
        ...change(rank, step),
      }),
      { ...header, rank, seed: 10 + rank, ...own(rank) },
    ),
  );
}

function weights(checksum: string, change: Partial<ParameterState> = {}): ParameterState {
  return parameterOf("fc.weight", { checksum, ...change });
}

const other = (rank: number, step: number): Partial<TrainingStep> => ({
  parameters: [weights(`sum-${rank}-${step}`)],
});

describe("ranks of one run", () => {
  it.each<[string, TrainingContent[], string]>([
    ["hold other parameters from the start", ranksOf(other), "hold different values of fc.weight"],
    [
      "part ways",
      ranksOf((rank, step) => (step < 5 ? {} : other(rank, step))),
      "From step 5 on ranks 0 and 1",
    ],
    [
      "hold parameters of other norms",
      ranksOf((rank) => ({ parameters: [parameterOf("fc.weight", { norm: 3 + rank })] })),
      "different values",
    ],
    [
      "hold another replicated parameter beside divided ones",
      ranksOf(
        (rank, step) => ({
          parameters: [
            parameterOf("mlp.weight", { checksum: `part-${rank}`, isReplicated: false }),
            parameterOf("norm.weight", { checksum: `sum-${rank}-${step}`, isReplicated: true }),
          ],
        }),
        () => ({ parallelism: "other" }),
      ),
      "norm.weight",
    ],
    [
      "see the same data",
      ranksOf(
        (_rank, step) => ({ shard: `data-${step}` }),
        () => ({ seed: 7 }),
      ),
      "see the same data",
    ],
  ])("that %s are told", (_name, ranks, words) => {
    const findings = replicas.check(snapshotOfRuns(...ranks));
    expect(findings).toMatchObject([{ verdict: "violated" }]);
    expect(findings[0]?.title).toContain(words);
    expect(findings[0]?.evidence).toHaveLength(2);
    for (const variant of runVariants(ranks)) {
      expect(factsOf(replicas.check(variant.snapshot), variant.restore), variant.name).toEqual(
        factsOf(findings),
      );
    }
  });

  it.each<[string, TrainingContent[], string[]]>([
    ["are equal", ranksOf(() => ({})), ["holds"]],
    [
      "have one seed and data of their own",
      ranksOf(
        () => ({}),
        () => ({ seed: 7 }),
      ),
      ["holds"],
    ],
    [
      "are brought together every four steps",
      ranksOf((rank, step) => (step % 4 === 3 ? {} : other(rank, step))),
      ["inconclusive"],
    ],
    [
      "are divided",
      ranksOf(
        (rank) => ({ shard: "same", parameters: [weights(`part-${rank}`)] }),
        () => ({ parallelism: "other" }),
      ),
      ["inconclusive"],
    ],
    [
      "differ, and nothing says that they should not",
      ranksOf(other).map(({ parallelism: _parallelism, ...rest }) => rest),
      ["inconclusive"],
    ],
    [
      "draw the same data once",
      ranksOf((_rank, step) => (step === 4 ? { shard: "x" } : {})),
      ["inconclusive"],
    ],
    ["are not recorded", ranksOf(() => ({ parameters: [] })), ["inconclusive"]],
    ["are one", [runOf(3, () => ({}), { ...header, worldSize: 1 })], []],
    ["are one of two", ranksOf(() => ({})).slice(0, 1), ["inconclusive"]],
  ])("that %s are no fault", (_name, ranks, expected) => {
    expect(replicas.check(snapshotOfRuns(...ranks)).map(({ verdict }) => verdict)).toEqual(
      expected,
    );
  });
});
