import { describe, expect, it } from "vitest";

import {
  crossEntropy,
  factsOf,
  normalFrom,
  numbersFrom,
  runOf,
  runVariants,
  snapshotOfRuns,
} from "../../test/training-runs.ts";
import type { TrainingContent } from "../model/training.ts";
import { progress } from "./progress.ts";

/** A run whose loss follows a curve with noise of 3 % of it. */
function runAlong(
  curve: (step: number) => number,
  {
    count = 300,
    classCount,
    seed = 1,
    ...header
  }: Partial<TrainingContent> & { count?: number; classCount?: number; seed?: number } = {},
): TrainingContent {
  const random = numbersFrom(seed);
  return runOf(
    count,
    (step) => {
      const loss = curve(step) * (1 + 0.03 * normalFrom(random));
      return {
        loss,
        ...(classCount === undefined ? {} : { losses: [crossEntropy(classCount, loss)] }),
      };
    },
    header,
  );
}

const healthy = (step: number): number => 0.4 + 1.9 * Math.exp(-step / 60);
const flat = (): number => Math.log(10);
const verdicts = (...runs: TrainingContent[]): string[] =>
  progress.check(snapshotOfRuns(...runs)).map(({ verdict }) => verdict);

describe("the loss of a run", () => {
  it.each<[string, TrainingContent[], string]>([
    ["stays at the level of 10 classes", [runAlong(flat, { classCount: 10 })], "knew nothing"],
    [
      "falls back to it",
      [runAlong((step) => (step < 80 ? healthy(step) : flat()), { classCount: 10 })],
      "knew nothing",
    ],
    [
      "rises without end",
      [runAlong((step) => 0.5 * Math.exp(Math.max(0, step - 120) / 8))],
      "without end",
    ],
    [
      "becomes worse than that of a model that knows nothing",
      [runAlong((step) => (step < 150 ? healthy(step) : 6), { classCount: 10 })],
      "worse than",
    ],
    [
      "stays where that of the baseline falls",
      [
        runAlong(healthy, { run: "good", role: "baseline" }),
        runAlong(() => 2.3, { run: "bad", seed: 2 }),
      ],
      "healthy run good",
    ],
  ])("that %s is told", (_name, runs, words) => {
    const findings = progress.check(snapshotOfRuns(...runs));
    const found = findings.filter((finding) => finding.verdict === "violated");
    expect(found, JSON.stringify(findings.map(({ title }) => title))).toHaveLength(1);
    expect(found[0]?.title).toContain(words);
    expect(found[0]?.evidence.length).toBeGreaterThan(0);
    for (const variant of runVariants(runs)) {
      expect(factsOf(progress.check(variant.snapshot), variant.restore), variant.name).toEqual(
        factsOf(findings),
      );
    }
  });

  it.each<[string, TrainingContent[], string[]]>([
    ["falls", [runAlong(healthy, { classCount: 10 })], ["holds"]],
    ["is low from the start", [runAlong(() => 0.3, { classCount: 10 })], ["holds"]],
    ["is flat, with nothing to compare with", [runAlong(() => 2.5)], ["inconclusive"]],
    ["has a spike", [runAlong((step) => (step === 150 ? 900 : healthy(step)))], ["holds"]],
    ["rises, as that of a generator does", [runAlong((step) => 0.7 + step / 40)], ["inconclusive"]],
    [
      "rises as the weight of a term is raised",
      [runAlong((step) => 1 + 20 * Math.min(1, step / 200))],
      ["inconclusive"],
    ],
    [
      "is at the level for a short while",
      [runAlong(flat, { count: 60, classCount: 10 })],
      ["inconclusive"],
    ],
    [
      "is at the level of one label at a time",
      [
        runOf(300, () => ({
          loss: Math.log(2),
          losses: [
            {
              loss: "BCEWithLogitsLoss",
              input: { shape: [64, 1] },
              target: { shape: [64, 1], min: 1, max: 1 },
            },
          ],
        })),
      ],
      ["inconclusive"],
    ],
    [
      "falls more slowly than the baseline",
      [
        runAlong(healthy, { run: "a", role: "baseline" }),
        runAlong((step) => healthy(step / 3), { run: "b", seed: 4 }),
      ],
      ["holds", "holds"],
    ],
    [
      "begins where the baseline has arrived",
      [
        runAlong(healthy, { run: "a", role: "baseline" }),
        runAlong(() => 0.42, { run: "b", seed: 4 }),
      ],
      ["holds", "inconclusive"],
    ],
    [
      "comes down to the level slowly",
      [runAlong((step) => 2.38 - 0.0002 * step, { classCount: 10 })],
      ["inconclusive"],
    ],
    ["is seldom recorded", [runAlong(healthy, { count: 8 })], ["inconclusive"]],
  ])("that %s is no fault", (_name, runs, expected) => {
    expect(verdicts(...runs).toSorted()).toEqual(expected);
  });

  it("waits for the end of a warm-up", () => {
    const run = runAlong(flat, { count: 400, classCount: 10 });
    const steps = run.steps.map((step, index) => ({ ...step, learningRates: [index * 1e-6] }));
    expect(verdicts({ ...run, steps })).toEqual(["inconclusive"]);
  });

  it("is not judged where nothing is trained", () => {
    expect(
      verdicts(runOf(40, () => ({ phase: "eval", loss: 1, calls: ["forward", "loss"] }))),
    ).toEqual([]);
  });
});

it("finds fault with none of 1,000 pairs of runs of one healthy kind", () => {
  let found = 0;
  for (let seed = 0; seed < 1_000; seed += 1) {
    const random = numbersFrom(seed + 50);
    const [noise, pace] = [0.02 + 0.2 * random(), 10 + 200 * random()];
    const run = (name: string, role: "baseline" | "subject"): TrainingContent => {
      let drift = 0;
      return runOf(
        120,
        (step) => {
          // Noise that neighbours share in part, as that of losses averaged over some steps.
          drift = 0.5 * drift + noise * normalFrom(random);
          const loss = Math.max(0.01, 0.5 + 1.8 * Math.exp(-step / pace) + drift);
          return { loss, losses: [crossEntropy(10, loss)] };
        },
        { run: name, role },
      );
    };
    const verdict = verdicts(run("a", "baseline"), run("b", "subject"));
    found += verdict.filter((one) => one === "violated").length;
  }
  expect(found).toBe(0);
}, 120_000);
