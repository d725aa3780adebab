import { Value } from "typebox/value";
import { describe, expect, it } from "vitest";

import { Finding } from "../model/finding.ts";
import type { LossCall, TensorFacts, TrainingContent } from "../model/training.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { lossInputs } from "./loss-inputs.ts";

const source = { name: "x", format: "x", notes: [] };

function check(...calls: LossCall[]): Finding[] {
  const content: TrainingContent = {
    kind: "training",
    run: "r",
    rank: 0,
    steps: calls.map((call, step) => ({ step, losses: [call] })),
  };
  const findings = lossInputs.check(createSnapshot([{ source, content }]));
  for (const finding of findings) expect(Value.Check(Finding, finding)).toBe(true);
  return findings;
}

function tensor(shape: number[], dtype: string, ...bounds: number[]): TensorFacts {
  const [min, max] = bounds;
  return {
    shape,
    dtype,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  };
}

const logits = tensor([32, 10], "float32", -3, 3);

type Case = [string, LossCall, string];
describe("a loss is given what it is not defined for", () => {
  it.each<Case>([
    [
      "classes from 1",
      { loss: "CrossEntropyLoss", input: logits, target: tensor([32], "int64", 1, 10) },
      "class 10",
    ],
    [
      "classes below 0",
      { loss: "cross_entropy", input: logits, target: tensor([32], "int64", -1, 9) },
      "class -1",
    ],
    [
      "int32",
      { loss: "CrossEntropyLoss", input: logits, target: tensor([32], "int32", 0, 9) },
      "int32",
    ],
    [
      "classes as floats",
      { loss: "torch.nn.CrossEntropyLoss", input: logits, target: tensor([32], "float32", 0, 9) },
      "float32",
    ],
    [
      "a column of classes",
      { loss: "CrossEntropyLoss", input: logits, target: tensor([32, 1], "int64", 0, 9) },
      "[32, 1]",
    ],
    [
      "one-hot integers",
      { loss: "CrossEntropyLoss", input: logits, target: tensor([32, 10], "int64", 0, 1) },
      "whole numbers",
    ],
    [
      "classes last",
      {
        loss: "CrossEntropyLoss",
        input: tensor([8, 20, 100], "float32", -3, 3),
        target: tensor([8, 20], "int64", 0, 99),
      },
      "[8, 20]",
    ],
    [
      "probabilities above 1",
      { loss: "CrossEntropyLoss", input: logits, target: tensor([32, 10], "float32", 0, 5) },
      "no probabilities",
    ],
    [
      "softmax before it",
      {
        loss: "CrossEntropyLoss",
        input: {
          ...tensor([32, 10], "float32", 0.01, 0.9),
          classSumMin: 0.9999,
          classSumMax: 1.0001,
        },
        target: tensor([32], "int64", 0, 9),
      },
      "softmax",
    ],
    [
      "one class",
      {
        loss: "CrossEntropyLoss",
        input: tensor([32, 1], "float32", -1, 1),
        target: tensor([32], "int64", 0, 0),
      },
      "one class",
    ],
    [
      "label smoothing",
      {
        loss: "CrossEntropyLoss",
        labelSmoothing: 1.5,
        input: logits,
        target: tensor([32], "int64", 0, 9),
      },
      "1.5",
    ],
    [
      "weights",
      {
        loss: "CrossEntropyLoss",
        weightCount: 9,
        input: logits,
        target: tensor([32], "int64", 0, 9),
      },
      "9 weights",
    ],
    [
      "only padding",
      { loss: "CrossEntropyLoss", ignoredCount: 32, input: logits, target: tensor([32], "int64") },
      "NaN",
    ],
    [
      "logits",
      { loss: "NLLLoss", input: logits, target: tensor([32], "int64", 0, 9) },
      "no logarithm",
    ],
    [
      "labels -1 and 1",
      {
        loss: "BCELoss",
        input: tensor([8, 1], "float32", 0, 1),
        target: tensor([8, 1], "float32", -1, 1),
      },
      "outside of 0 to 1",
    ],
    [
      "logits as probabilities",
      {
        loss: "BCELoss",
        input: tensor([8, 1], "float32", -2, 3),
        target: tensor([8, 1], "float32", 0, 1),
      },
      "no probability",
    ],
    [
      "another shape",
      {
        loss: "BCEWithLogitsLoss",
        input: tensor([8, 1], "float32", -2, 3),
        target: tensor([8], "float32", 0, 1),
      },
      "[8]",
    ],
    [
      "integers",
      {
        loss: "BCEWithLogitsLoss",
        input: tensor([8], "float32", -2, 3),
        target: tensor([8], "int64", 0, 1),
      },
      "int64",
    ],
    [
      "a sigmoid before it",
      {
        loss: "BCEWithLogitsLoss",
        input: { ...tensor([8], "float32", 0.2, 0.8), madeBy: "Sigmoid" },
        target: tensor([8], "float32", 0, 1),
      },
      "sigmoid of it again",
    ],
    [
      "a stretched target",
      { loss: "MSELoss", input: tensor([32, 1], "float32"), target: tensor([32], "float32") },
      "[32, 32]",
    ],
    [
      "shapes that do not fit",
      { loss: "L1Loss", input: tensor([32, 4], "float32"), target: tensor([32, 3], "float32") },
      "do not fit",
    ],
    [
      "probabilities",
      {
        loss: "KLDivLoss",
        input: tensor([32, 4], "float32", 0, 0.9),
        target: tensor([32, 4], "float32", 0, 1),
      },
      "no logarithm",
    ],
  ])("%s", (_name, call, words) => {
    const [finding] = check(call, call);
    expect(finding).toMatchObject({ verdict: "violated", boundary: "dataset-loss" });
    expect(finding?.title).toContain(words);
    expect(finding?.actual).toContain("2 of 2 calls");
    expect(finding?.fixes).toHaveLength(1);
    expect(finding?.evidence[0]?.locator).toBe("/steps/0/losses/0");
  });

  it("probabilities for logits in many calls", () => {
    const call: LossCall = {
      loss: "BCEWithLogitsLoss",
      input: tensor([128], "float32", 0.1, 0.9),
      target: tensor([128], "float32", 0, 1),
    };
    expect(check(...Array.from({ length: 12 }, () => call))).toMatchObject([
      { verdict: "violated" },
    ]);
    expect(check(call)).toMatchObject([{ verdict: "inconclusive" }]);
  });
});

describe("a loss is given what it is defined for", () => {
  it.each<[string, LossCall]>([
    ["classes", { loss: "CrossEntropyLoss", input: logits, target: tensor([32], "int64", 0, 9) }],
    [
      "one sample",
      {
        loss: "CrossEntropyLoss",
        input: tensor([10], "float32", -1, 1),
        target: tensor([], "int64", 3, 3),
      },
    ],
    [
      "padding",
      { loss: "CrossEntropyLoss", input: logits, target: tensor([32], "int64", -100, 9) },
    ],
    [
      "a border of 255",
      {
        loss: "CrossEntropyLoss",
        ignoreIndex: 255,
        input: tensor([2, 21, 8, 8], "float32", -1, 1),
        target: tensor([2, 8, 8], "int64", 0, 255),
      },
    ],
    [
      "smoothed labels",
      {
        loss: "CrossEntropyLoss",
        labelSmoothing: 0.1,
        input: logits,
        target: tensor([32], "int64", 0, 9),
      },
    ],
    [
      "mixed labels",
      { loss: "CrossEntropyLoss", input: logits, target: tensor([32, 10], "float32", 0, 0.7) },
    ],
    [
      "half precision",
      {
        loss: "CrossEntropyLoss",
        input: tensor([32, 10], "float16", -3, 3),
        target: tensor([32], "int64", 0, 9),
      },
    ],
    [
      "log-softmax",
      {
        loss: "NLLLoss",
        input: tensor([32, 10], "float32", -9, -0.001),
        target: tensor([32], "int64", 0, 9),
      },
    ],
    [
      "soft labels",
      {
        loss: "BCEWithLogitsLoss",
        input: tensor([8, 4], "float32", -9, 2),
        target: tensor([8, 4], "float32", 0.05, 0.95),
      },
    ],
    [
      "values",
      { loss: "MSELoss", input: tensor([8, 4], "float32"), target: tensor([8, 4], "float32") },
    ],
  ])("%s", (_name, call) => {
    expect(check(call)).toMatchObject([{ verdict: "holds" }]);
  });

  it("is not judged where it is unknown, stretched or not seen", () => {
    const input = tensor([8, 4], "float32");
    const inconclusive = [{ verdict: "inconclusive" }];
    expect(check({ loss: "MyLoss", input, target: input })).toMatchObject(inconclusive);
    expect(check({ loss: "MSELoss", input, target: tensor([8, 1], "float32") })).toMatchObject(
      inconclusive,
    );
    expect(check({ loss: "CrossEntropyLoss", input, target: { shape: [8] } })).toMatchObject(
      inconclusive,
    );
  });
});
