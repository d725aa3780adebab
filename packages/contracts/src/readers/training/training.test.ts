import { expect, it } from "vitest";

import { readWithAll, survivesAnyInput } from "../../../test/survives.ts";
import type { TrainingContent } from "../../model/training.ts";
import { readEvidence } from "../read-evidence.ts";
import { trainingFormats } from "./formats.ts";

function read(text: string): TrainingContent[] {
  const bytes = new TextEncoder().encode(text);
  const { evidence, unreadable } = readEvidence([{ name: "x.json", bytes }]);
  expect(unreadable).toEqual([]);
  return evidence.map(({ content }) => {
    if (content.kind !== "training") throw new Error(`it is ${content.kind}`);
    return content;
  });
}

const telemetry = `{"faultline":"training","version":1,"run":"v","framework":"torch","seed":7,"rank":1,"worldSize":2}
{"step":1,"mode":"train","loss":NaN,"learningRates":[0.1],"calls":["zero_grad","forward","backward","step"]}
{"step":0,"losses":[{"loss":"CrossEntropyLoss","input":{"shape":[2,3],"dtype":"torch.float32"},"target":{"shape":[2],"dtype":"torch.int64","min":0,"max":2}}],"parameters":[{"name":"a","requires_grad":true,"grad_norm":1e999}]}
`;
const trainer =
  '{"epoch":1,"log_history":[{"epoch":0.1,"grad_norm":1.5,"learning_rate":5e-5,"loss":2.1,"step":10},{"eval_loss":1.9,"step":10},{"train_loss":2,"train_runtime":9,"step":10}]}';
const lines =
  '{"step":0,"rank":0,"loss":2}\n{"step":0,"rank":1,"loss":2}\n{"step":1,"rank":0,"loss":1}\n';

it("reads the probe's telemetry with numbers that JSON does not have", () => {
  const [run] = read(telemetry);
  expect(run).toMatchObject({ run: "v", rank: 1, worldSize: 2, seed: 7 });
  expect(run?.steps).toMatchObject([
    {
      step: 0,
      losses: [{ target: { dtype: "int64", max: 2 } }],
      parameters: [{ requiresGradient: true, gradientNorm: "Infinity" }],
    },
    { step: 1, loss: "NaN", mode: "train" },
  ]);
});

it("reads a trainer's state and lines of several ranks", () => {
  expect(read(trainer)[0]?.steps).toMatchObject([
    { step: 10, loss: 2.1, gradientNorm: 1.5, learningRates: [5e-5] },
    { step: 10, loss: 1.9, phase: "eval" },
  ]);
  expect(
    read(lines)
      .map(({ rank, steps }) => [rank, steps.length])
      .toSorted(([left = 0], [right = 0]) => left - right),
  ).toEqual([
    [0, 2],
    [1, 1],
  ]);
});

it("does not take the steps of agents for steps of training", () => {
  const head = '{"step":1,"calls":["search","answer"],"parameters":[{"name":"query"}]}';
  const input = { bytes: new Uint8Array(), head, name: "x.json", text: () => head };
  expect(trainingFormats.filter((format) => format.recognise(input))).toEqual([]);
});

it("ends in steps or in a named fault for any input", () => {
  survivesAnyInput(trainingFormats, [telemetry, trainer, lines]);
});

it.each([
  ["deep nesting", '{"step":0,"loss":'.repeat(5_000)],
  ["bare words", '{"step":0,"loss":[' + "NaN,".repeat(200_000)],
  ["many lines", '{"step":0,"loss":1}\n'.repeat(50_000)],
])("does not hang on %s", (_name, text) => {
  readWithAll(trainingFormats, new TextEncoder().encode(text));
});
