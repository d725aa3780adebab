import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import {
  crossEntropy,
  factsOf,
  numbersFrom,
  parameterOf,
  runOf,
  runVariants,
  snapshotOfRuns,
  usualCalls,
} from "../../test/training-runs.ts";
import type { TrainingContent, TrainingStep } from "../model/training.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { learnedInvariants } from "./learned-invariants.ts";

const usual = (): Partial<TrainingStep> => ({
  loss: 1,
  losses: [crossEntropy(10, 1)],
  parameters: [parameterOf("body.weight"), parameterOf("head.weight")],
});
const healthy = runOf(60, usual, { run: "good", role: "baseline" });

function subject(change: (step: number) => Partial<TrainingStep>, count = 60): TrainingContent {
  return runOf(count, (step) => ({ ...usual(), ...change(step) }), { run: "new" });
}

describe("what held in a healthy run", () => {
  it.each<[string, (step: number) => Partial<TrainingStep>, string]>([
    ["the mode", (step) => (step > 30 ? { mode: "eval" } : {}), "The mode of steps: eval"],
    [
      "the clearing of gradients",
      () => ({ calls: usualCalls.slice(1) }),
      "Gradients before the backward pass: kept",
    ],
    [
      "the kind of targets",
      () => ({
        losses: [{ ...crossEntropy(10, 1), target: { shape: [32], dtype: "float32" } }],
      }),
      "targets of a loss (crossentropy): real numbers",
    ],
    [
      "the gradient of a parameter",
      () => {
        const { gradientNorm: _gradientNorm, ...bare } = parameterOf("body.weight");
        return { parameters: [bare, parameterOf("head.weight")] };
      },
      "Gets a gradient (body.weight): no",
    ],
    [
      "that a parameter is trained",
      () => ({
        parameters: [
          parameterOf("body.weight", { requiresGradient: false }),
          parameterOf("head.weight"),
        ],
      }),
      "Requires a gradient (body.weight): no",
    ],
  ])("is missed when it is broken: %s", (_name, change, words) => {
    const runs = [healthy, subject(change)];
    const findings = learnedInvariants.check(snapshotOfRuns(...runs));
    expect(findings).toMatchObject([{ verdict: "violated" }]);
    expect(findings[0]?.title).toContain(words);
    for (const variant of runVariants(runs)) {
      // The healthy run and what is added beside it have parts of their own.
      if (variant.name === "beside another run") continue;
      expect(
        factsOf(learnedInvariants.check(variant.snapshot), variant.restore),
        variant.name,
      ).toEqual(factsOf(findings));
    }
  });

  it.each<[string, TrainingContent[], string[]]>([
    ["holds in another", [healthy, subject(() => ({}))], ["holds"]],
    ["is not learned without one", [subject(() => ({}))], []],
    [
      "is broken once",
      [healthy, subject((step) => (step === 4 ? { loss: "NaN" } : {}))],
      ["inconclusive"],
    ],
    [
      "is a setting",
      [healthy, subject(() => ({ losses: [{ ...crossEntropy(10, 1), labelSmoothing: 0.1 }] }))],
      ["inconclusive"],
    ],
    [
      "is another model's",
      [healthy, subject(() => ({ mode: "eval", parameters: [parameterOf("other.weight")] }))],
      ["inconclusive"],
    ],
    [
      "did not hold at all of its steps",
      [
        runOf(60, (step) => ({ ...usual(), mode: step === 7 ? "eval" : "train" }), {
          role: "baseline",
        }),
        subject(() => ({ mode: "eval" })),
      ],
      ["holds"],
    ],
    [
      "was seen too seldom",
      [runOf(5, usual, { role: "baseline" }), subject(() => ({ mode: "eval" }))],
      ["inconclusive"],
    ],
    [
      "is something it never did",
      [healthy, subject(() => ({ calls: [...usualCalls, "scheduler_step"] }))],
      ["holds"],
    ],
  ])("is no fault when it %s", (_name, runs, expected) => {
    expect(learnedInvariants.check(snapshotOfRuns(...runs)).map(({ verdict }) => verdict)).toEqual(
      expected,
    );
  });
});

it("finds fault with at most 2 of 1,000 pairs of runs that differ by chance alone", () => {
  let found = 0;
  for (let seed = 0; seed < 1_000; seed += 1) {
    const random = numbersFrom(seed);
    const names = Array.from({ length: 6 }, (_, index) => `experts.${index}.weight`);
    // Experts that are seldom left out: many are never so in one run, and some are in the other.
    const shares = names.map(() => 0.2 * random() ** 3);
    const run = (name: string, role: "baseline" | "subject"): TrainingContent =>
      runOf(
        40,
        () => ({
          parameters: names.map((one, index) => {
            const {
              gradientNorm: _gradientNorm,
              updateNorm: _updateNorm,
              ...bare
            } = parameterOf(one);
            return random() < (shares[index] ?? 0) ? bare : parameterOf(one);
          }),
        }),
        { run: name, role },
      );
    const [finding] = learnedInvariants.check(
      snapshotOfRuns(run("a", "baseline"), run("b", "subject")),
    );
    if (finding?.verdict === "violated") found += 1;
  }
  expect(found).toBeLessThanOrEqual(2);
});

describe("a healthy run of PyTorch", () => {
  const verdictOf = (name: string): string | undefined => {
    const files = ["healthy", name].map((file) => {
      const url = new URL(`../../test/recorded/training/${file}.jsonl`, import.meta.url);
      const text = readFileSync(url, "utf8");
      const marked = file === "healthy" ? text.replace("{", '{"role":"baseline",') : text;
      // The header's first field must stand first.
      const header = marked.replace(/^\{("role":"baseline",)("faultline":"training",)/, "{$2$1");
      return { name: `${file}.jsonl`, bytes: new TextEncoder().encode(header) };
    });
    const { evidence, unreadable } = readEvidence(files);
    expect(unreadable).toEqual([]);
    return learnedInvariants.check(snapshotOf(evidence))[0]?.verdict;
  };

  it.each([
    ["healthy-again", "holds"],
    ["eval-mode", "violated"],
    ["no-zero-grad", "violated"],
    ["rate-of-zero", "violated"],
    ["cut-graph", "violated"],
    ["other-model", "violated"],
    ["softmax-twice", "violated"],
  ])("is learned from: %s", (name, verdict) => {
    expect(verdictOf(name)).toBe(verdict);
  });
});
