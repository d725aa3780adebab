import { describe, expect, it } from "vitest";

import {
  factsOf,
  normalFrom,
  numbersFrom,
  parameterOf,
  runOf,
  runVariants,
  snapshotOfRuns,
} from "../../test/training-runs.ts";
import type { TrainingContent, TrainingStep } from "../model/training.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { finiteGradients } from "./gradients.ts";

function verdictOf(change: Partial<TrainingStep>): string | undefined {
  const steps = [0, 1, 2].map((step): TrainingStep => ({ step, calls: ["step"], ...change }));
  const content = { kind: "training" as const, run: "r", rank: 0, steps };
  const source = { name: "x", format: "x", notes: [] };
  return finiteGradients.check(createSnapshot([{ source, content }]))[0]?.verdict;
}

it.each<[string, Partial<TrainingStep>, string]>([
  ["a loss that is none", { loss: "NaN" }, "violated"],
  ["an overflow that is used", { loss: 1, gradientNorm: "Infinity" }, "violated"],
  ["a parameter's gradient", { parameters: [{ name: "a", gradientNorm: "NaN" }] }, "violated"],
  [
    "an overflow that is skipped",
    { calls: ["skipped_step"], gradientNorm: "Infinity" },
    "inconclusive",
  ],
  ["numbers", { loss: 1, gradientNorm: 2 }, "holds"],
  ["nothing", {}, "inconclusive"],
])("judges %s", (_name, change, verdict) => {
  expect(verdictOf(change)).toBe(verdict);
});

/** Sixty steps whose loss and norm follow curves with noise. */
function along(
  loss: (step: number) => number,
  norm: (step: number) => number,
  change: (step: number) => Partial<TrainingStep> = () => ({}),
): TrainingContent {
  const random = numbersFrom(3);
  return runOf(60, (step) => ({
    loss: loss(step) * (1 + 0.02 * normalFrom(random)),
    gradientNorm: norm(step) * Math.exp(0.3 * normalFrom(random)),
    ...change(step),
  }));
}

const falls = (step: number): number => 0.5 + Math.exp(-step / 20);
const level = (): number => 2.3;
const layers = (first: number) => (): Partial<TrainingStep> => ({
  parameters: [
    parameterOf("0.weight", { gradientNorm: first }),
    parameterOf("2.weight", { gradientNorm: first * 4 }),
    parameterOf("4.weight", { gradientNorm: 0.2 }),
    parameterOf("4.bias", { gradientNorm: 1e-12 }),
  ],
});

describe("the course of gradients", () => {
  it.each<[string, TrainingContent, string]>([
    [
      "explodes with the loss",
      along(
        (step) => 1 + step / 9,
        (step) => Math.exp(step / 4),
      ),
      "explode",
    ],
    ["vanishes", along(level, (step) => Math.exp(-step / 3)), "vanish"],
    ["is 0", along(level, () => 0), "No gradient reaches"],
    ["vanishes in the first layers", along(level, () => 1, layers(1e-9)), "2 layers vanish"],
    [
      "reaches but one layer of three",
      along(
        falls,
        () => 1,
        () => ({
          parameters: ["a", "b", "c"].map((name) => {
            const { gradientNorm: _gradientNorm, ...bare } = parameterOf(name);
            return name === "c" ? parameterOf(name) : bare;
          }),
        }),
      ),
      "2 parameters of 3",
    ],
  ])("that %s is told", (_name, run, words) => {
    const findings = finiteGradients.check(snapshotOfRuns(run));
    expect(findings).toMatchObject([{ verdict: "violated" }]);
    expect(findings[0]?.title).toContain(words);
    expect(findings[0]?.evidence.length).toBeGreaterThan(0);
    for (const variant of runVariants([run])) {
      expect(
        factsOf(finiteGradients.check(variant.snapshot), variant.restore),
        variant.name,
      ).toEqual(factsOf(findings));
    }
  });

  it.each<[string, TrainingContent, string]>([
    ["is level", along(falls, () => 1), "holds"],
    ["spikes and comes back", along(falls, (step) => (step > 40 && step < 45 ? 1e4 : 1)), "holds"],
    [
      "ends with the loss",
      along(
        (step) => Math.exp(-step / 3),
        (step) => Math.exp(-step / 3),
      ),
      "holds",
    ],
    ["grows while the loss falls", along(falls, (step) => Math.exp(step / 6)), "inconclusive"],
    [
      "is small in the first layers of a model that learns",
      along(falls, () => 1, layers(1e-9)),
      "holds",
    ],
    ["is 0 in the log of a trainer whose loss falls", along(falls, () => 0), "holds"],
  ])("that %s is no fault", (_name, run, expected) => {
    expect(finiteGradients.check(snapshotOfRuns(run)).map(({ verdict }) => verdict)).toEqual([
      expected,
    ]);
  });

  it("is no fault in any of 1,000 healthy runs", () => {
    let found = 0;
    for (let seed = 0; seed < 1_000; seed += 1) {
      const random = numbersFrom(seed);
      const spread = 0.2 + random();
      const trend = 4 * random() - 2;
      const run = runOf(80, (step) => ({
        loss: 2.5 - 0.2 * random(),
        gradientNorm: Math.exp(spread * normalFrom(random) + (trend * step) / 80),
      }));
      const [finding] = finiteGradients.check(snapshotOfRuns(run));
      if (finding?.verdict === "violated") found += 1;
    }
    expect(found).toBe(0);
  });
});

describe("steps that are larger than what they change", () => {
  const weights = (share: number) => ({
    parameters: ["a.weight", "b.weight", "c.weight"].map((name) =>
      parameterOf(name, { norm: 2, updateNorm: 2 * share }),
    ),
  });

  it("are violated where they go on", () => {
    const run = runOf(40, (step) => ({ loss: 2 - step / 1_000, gradientNorm: 1, ...weights(1.5) }));
    expect(finiteGradients.check(snapshotOfRuns(run))).toMatchObject([
      { verdict: "violated", title: expect.stringContaining("by as much as they are") },
    ]);
  });

  it("are fine at the beginning, and where they are small", () => {
    for (const share of [(step: number) => (step < 10 ? 3 : 0.01), () => 0.3]) {
      const run = runOf(40, (step) => ({
        loss: 2 - step / 100,
        gradientNorm: 1,
        ...weights(share(step)),
      }));
      expect(finiteGradients.check(snapshotOfRuns(run))).toMatchObject([{ verdict: "holds" }]);
    }
  });
});

it("parameters that are no finite numbers are named", () => {
  const run = runOf(40, (step) => ({
    loss: 1,
    gradientNorm: 1,
    parameters: [parameterOf("fc.weight", { norm: step > 20 ? "NaN" : 2 })],
  }));
  const [finding] = finiteGradients.check(snapshotOfRuns(run));
  expect(finding).toMatchObject({ verdict: "violated" });
  expect(finding?.title).toContain("the norm of fc.weight itself is NaN");
});
