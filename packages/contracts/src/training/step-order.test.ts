import { describe, expect, it } from "vitest";

import { runOf, snapshotOfRuns } from "../../test/training-runs.ts";
import type { Finding } from "../model/finding.ts";
import type {
  ParameterState,
  TrainingCall,
  TrainingContent,
  TrainingStep,
} from "../model/training.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { stepOrder } from "./step-order.ts";

const usual: TrainingCall[] = ["zero_grad", "forward", "loss", "backward", "step"];

function parameter(change: Partial<ParameterState> = {}): ParameterState {
  return {
    name: "fc.weight",
    requiresGradient: true,
    gradientNorm: 0.5,
    updateNorm: 0.01,
    ...change,
  };
}

/** Twelve steps of a healthy run, changed as a case wants it. */
function check(
  change: (step: number) => Partial<TrainingStep>,
  header: Partial<TrainingContent> = {},
): Finding[] {
  const steps = Array.from({ length: 12 }, (_, step): TrainingStep => ({
    step,
    mode: "train",
    learningRates: [0.001],
    calls: usual,
    parameters: [parameter()],
    ...change(step),
  }));
  const content: TrainingContent = { kind: "training", run: "r", rank: 0, steps, ...header };
  return stepOrder.check(
    createSnapshot([{ source: { name: "x", format: "x", notes: [] }, content }]),
  );
}

describe("steps out of order", () => {
  it.each<[string, (step: number) => Partial<TrainingStep>, string]>([
    ["no zero_grad", () => ({ calls: ["forward", "loss", "backward", "step"] }), "not cleared"],
    [
      "zero_grad before the step",
      () => ({ calls: ["forward", "backward", "zero_grad", "step"] }),
      "between the backward pass and the step",
    ],
    [
      "evaluation mode after an evaluation",
      (step) => (step > 5 ? { mode: "eval" } : {}),
      "evaluation mode",
    ],
    [
      "dropout in evaluation",
      (step) => (step > 8 ? { phase: "eval", calls: ["forward"] } : {}),
      "evaluated in training mode",
    ],
    ["a learning rate of 0", () => ({ learningRates: [0], parameters: [] }), "learning rate is 0"],
    [
      "a scheduler before the optimizer",
      () => ({ calls: ["zero_grad", "forward", "loss", "backward", "scheduler_step", "step"] }),
      "scheduler goes on before the optimizer",
    ],
    [
      "a parameter that does not change",
      () => ({ parameters: [parameter(), parameter({ name: "old", updateNorm: 0 })] }),
      "old",
    ],
    [
      "the optimizer of another model",
      () => ({ parameters: [parameter({ isOptimized: false, updateNorm: 0 })] }),
      "fc.weight",
    ],
  ])("%s", (_name, change, words) => {
    const [finding] = check(change);
    expect(finding).toMatchObject({ verdict: "violated" });
    expect(finding?.title).toContain(words);
    expect(finding?.evidence.length).toBeGreaterThan(0);
  });
});

describe("steps in order", () => {
  it.each<[string, (step: number) => Partial<TrainingStep>]>([
    ["the usual", () => ({})],
    ["zero_grad behind the step", () => ({ calls: ["forward", "backward", "step", "zero_grad"] })],
    [
      "accumulation",
      (step) => ({
        calls:
          step % 4 === 3 ? ["forward", "backward", "step", "zero_grad"] : ["forward", "backward"],
      }),
    ],
    [
      "a warm-up from 0",
      (step) => ({
        learningRates: [step * 1e-4],
        parameters: [parameter({ updateNorm: step === 0 ? 0 : 0.01 })],
      }),
    ],
    [
      "frozen layers",
      () => ({
        parameters: [parameter(), { name: "body", requiresGradient: false, updateNorm: 0 }],
      }),
    ],
    [
      "skipped steps",
      (step) =>
        step < 3
          ? {
              calls: ["zero_grad", "forward", "backward", "skipped_step"],
              parameters: [parameter({ gradientNorm: "Infinity", updateNorm: 0 })],
            }
          : {},
    ],
    [
      "a discriminator through which the loss of its generator goes",
      (step) => ({
        calls:
          step % 2 === 0
            ? ["zero_grad", "forward", "loss", "backward", "step"]
            : ["forward", "loss", "backward"],
      }),
    ],
    [
      "gradients that are taken away without a call",
      (step) => ({
        calls: ["forward", "loss", "backward", "step"],
        ...(step % 5 === 0 ? { gradientNormBefore: 0 } : {}),
      }),
    ],
    [
      "evaluation",
      (step) =>
        step % 4 === 3
          ? { phase: "eval", mode: "eval", calls: ["forward", "loss"], parameters: [] }
          : {},
    ],
    [
      "a head that is not used",
      () => ({
        parameters: [parameter(), { name: "pooler", requiresGradient: true, updateNorm: 0 }],
      }),
    ],
    [
      "a group with a rate of 0",
      () => ({
        learningRates: [0.001, 0],
        parameters: [
          parameter({ learningRate: 0.001 }),
          parameter({ name: "body", learningRate: 0, updateNorm: 0 }),
        ],
      }),
    ],
  ])("%s", (_name, change) => {
    expect(check(change)).toMatchObject([{ verdict: "holds" }]);
  });

  it("are inconclusive where too little is recorded or held by an optimizer", () => {
    const bare = check(() => ({ calls: ["forward", "backward"], parameters: [] }));
    expect(bare).toMatchObject([{ verdict: "inconclusive" }]);
    const probing = check(() => ({
      parameters: [parameter(), parameter({ name: "body", isOptimized: false, updateNorm: 0 })],
    }));
    expect(probing).toMatchObject([{ verdict: "inconclusive" }]);
  });

  it("may train in evaluation mode where that is declared", () => {
    expect(check(() => ({ mode: "eval" }), { trainsInEvalMode: true })).toMatchObject([
      { verdict: "holds" },
    ]);
  });
});

describe("steps that mixed precision skips", () => {
  it("are violated where all of them are", () => {
    const run = runOf(30, () => ({
      mode: "train",
      calls: ["zero_grad", "forward", "backward", "skipped_step"],
    }));
    expect(stepOrder.check(snapshotOfRuns(run))).toMatchObject([
      { verdict: "violated", title: expect.stringContaining("skips every step") },
    ]);
  });

  it("are none where the scale is still found, or some are made", () => {
    const few = runOf(10, () => ({ calls: ["backward", "skipped_step"] }));
    const some = runOf(40, (step) => ({
      mode: "train",
      calls: ["zero_grad", "backward", step < 16 ? "skipped_step" : "step"],
    }));
    for (const run of [few, some]) {
      expect(stepOrder.check(snapshotOfRuns(run)).map(({ verdict }) => verdict)).not.toContain(
        "violated",
      );
    }
  });
});

describe("gradients that no optimizer uses", () => {
  const pass = (gradientNormBefore: number): Partial<TrainingStep> => ({
    phase: "train",
    mode: "train",
    calls: ["forward", "loss", "backward"],
    gradientNormBefore,
  });

  it("are violated where they add up", () => {
    expect(stepOrder.check(snapshotOfRuns(runOf(30, (step) => pass(step))))).toMatchObject([
      { verdict: "violated", title: expect.stringContaining("No optimizer steps") },
    ]);
  });

  it("are none where they are cleared, as by who only looks at them, or in a few passes", () => {
    for (const run of [runOf(30, () => pass(0)), runOf(10, (step) => pass(step))]) {
      expect(stepOrder.check(snapshotOfRuns(run)).map(({ verdict }) => verdict)).not.toContain(
        "violated",
      );
    }
  });
});

describe("the schedule of the learning rate", () => {
  const rates = (stepCount: number, rateOf: (step: number) => number): Finding | undefined => {
    const steps = Array.from({ length: stepCount }, (_, step): TrainingStep => ({
      step,
      mode: "train",
      learningRates: [rateOf(step)],
      calls: [...usual, "scheduler_step"],
      parameters: [parameter({ learningRate: rateOf(step) })],
    }));
    const content: TrainingContent = { kind: "training", run: "r", rank: 0, steps };
    const source = { name: "x", format: "x", notes: [] };
    return stepOrder.check(createSnapshot([{ source, content }]))[0];
  };

  it("that counts batches where it should count epochs leaves nothing to learn with", () => {
    expect(rates(100, (step) => 0.1 * 0.5 ** step)).toMatchObject({
      verdict: "violated",
      title: expect.stringContaining("next to nothing"),
      measures: { brokenStepCount: 80 },
    });
  });

  it.each<[string, (step: number) => number]>([
    ["warms up from 0", (step) => 0.1 * Math.min(1, step / 30)],
    ["ends at 0", (step) => 0.1 * (1 - step / 99)],
    ["goes down a cosine", (step) => 0.05 * (1 + Math.cos((Math.PI * step) / 99))],
    ["comes again", (step) => 0.1 * 0.5 ** (step % 40)],
    ["is small from the first step", () => 1e-8],
  ])("that %s is in order", (_what, rateOf) => {
    expect(rates(100, rateOf)?.verdict).toBe("holds");
  });

  it.each<[string, TrainingCall[]]>([
    ["behind the step", [...usual, "scheduler_step"]],
    ["before the passes of an epoch", ["scheduler_step", ...usual]],
    ["behind each of two optimizers", [...usual, "scheduler_step", "step", "scheduler_step"]],
    [
      "behind each pass of which some gather gradients",
      [
        "zero_grad",
        "forward",
        "loss",
        "backward",
        "scheduler_step",
        "forward",
        "loss",
        "backward",
        "step",
        "scheduler_step",
      ],
    ],
  ])("that goes on %s is in order", (_what, calls) => {
    expect(check(() => ({ calls }))[0]?.verdict).toBe("holds");
  });

  it("that goes on too early at some steps alone is no habit of the loop", () => {
    const early: TrainingCall[] = ["zero_grad", "forward", "backward", "scheduler_step", "step"];
    const [finding] = check((step) => ({ calls: step < 6 ? early : [...usual, "scheduler_step"] }));
    expect(finding?.verdict).toBe("holds");
  });
});
