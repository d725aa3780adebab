import { expect, it } from "vitest";

import type { TrainingStep } from "../model/training.ts";
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
