/** What one process of a training run recorded of its steps: the telemetry of a probe. */

import { type Static, Type } from "typebox";

/** A number that JSON may have no word for. */
export const Measured = Type.Union([
  Type.Number(),
  Type.Literal("NaN"),
  Type.Literal("Infinity"),
  Type.Literal("-Infinity"),
]);
export type Measured = Static<typeof Measured>;

const count = Type.Integer({ minimum: 0 });
const name = Type.String({ maxLength: 512 });
const word = Type.String({ maxLength: 64 });

/** What is kept of a tensor instead of its values. */
export const TensorFacts = Type.Object(
  {
    shape: Type.Array(count, { maxItems: 32 }),
    /** As PyTorch spells it, without `torch.`: `float32`, `int64`. */
    dtype: Type.Optional(word),
    min: Type.Optional(Measured),
    max: Type.Optional(Measured),
    /** The least and the largest of the sums over the classes, which stand in the second dimension. */
    classSumMin: Type.Optional(Measured),
    classSumMax: Type.Optional(Measured),
    /** The class of the module whose output this is, where it is the output of one: `Sigmoid`. */
    madeBy: Type.Optional(name),
  },
  { additionalProperties: false },
);
export type TensorFacts = Static<typeof TensorFacts>;

/** One call of a loss function. */
export const LossCall = Type.Object(
  {
    /** As PyTorch names the class: `CrossEntropyLoss`. */
    loss: name,
    input: TensorFacts,
    target: TensorFacts,
    reduction: Type.Optional(word),
    ignoreIndex: Type.Optional(Type.Integer()),
    /** Targets that are the ignored index, of which `min` and `max` of the target do not tell. */
    ignoredCount: Type.Optional(count),
    labelSmoothing: Type.Optional(Type.Number()),
    /** Weights of classes. */
    weightCount: Type.Optional(count),
    value: Type.Optional(Measured),
  },
  { additionalProperties: false },
);
export type LossCall = Static<typeof LossCall>;

/** One parameter at one step. */
export const ParameterState = Type.Object(
  {
    name,
    requiresGradient: Type.Optional(Type.Boolean()),
    /** Whether an optimizer that stepped holds it. */
    isOptimized: Type.Optional(Type.Boolean()),
    /** Whether every rank is meant to hold the same values. */
    isReplicated: Type.Optional(Type.Boolean()),
    /** Of its group in the optimizer. */
    learningRate: Type.Optional(Type.Number()),
    norm: Type.Optional(Measured),
    /** The norm of its gradient when the optimizer began; absent where it has none. */
    gradientNorm: Type.Optional(Measured),
    /** The norm of the change that the step made. */
    updateNorm: Type.Optional(Measured),
    /** Whether it has a gradient, where no norm is recorded. */
    hasGradient: Type.Optional(Type.Boolean()),
    /** Whether its values changed since the step before, where not how far. */
    hasChanged: Type.Optional(Type.Boolean()),
    /** Of the values after the step. */
    checksum: Type.Optional(word),
  },
  { additionalProperties: false },
);
export type ParameterState = Static<typeof ParameterState>;

export const TrainingCall = Type.Union([
  Type.Literal("zero_grad"),
  Type.Literal("forward"),
  Type.Literal("loss"),
  Type.Literal("backward"),
  Type.Literal("step"),
  Type.Literal("skipped_step"),
  Type.Literal("scheduler_step"),
]);
export type TrainingCall = Static<typeof TrainingCall>;

/** From one pass through the model to the next. */
export const TrainingStep = Type.Object(
  {
    /** Counts passes from 0, or is the number of the trainer that wrote it. */
    step: count,
    /** What the pass is for, where the recorder knows it. */
    phase: Type.Optional(Type.Union([Type.Literal("train"), Type.Literal("eval")])),
    /** Of the outermost module. */
    mode: Type.Optional(Type.Union([Type.Literal("train"), Type.Literal("eval")])),
    loss: Type.Optional(Measured),
    /** Of each group of the optimizer, when it stepped. */
    learningRates: Type.Optional(Type.Array(Type.Number(), { maxItems: 1_024 })),
    /** Over all parameters when the optimizer began, before a clip where one is made. */
    gradientNorm: Type.Optional(Measured),
    /** The norm of the gradients that were there when the first backward pass began. */
    gradientNormBefore: Type.Optional(Measured),
    lossScale: Type.Optional(Type.Number()),
    /** In their order; absent where the recorder does not see them. */
    calls: Type.Optional(Type.Array(TrainingCall, { maxItems: 4_096 })),
    /** A hash of the data of the pass. */
    shard: Type.Optional(Type.String({ maxLength: 128 })),
    losses: Type.Optional(Type.Array(LossCall, { maxItems: 256 })),
    parameters: Type.Optional(Type.Array(ParameterState)),
  },
  { additionalProperties: false },
);
export type TrainingStep = Static<typeof TrainingStep>;

export const TrainingContent = Type.Object(
  {
    kind: Type.Literal("training"),
    /** The ranks of one run bear one name. */
    run: Type.String({ maxLength: 256 }),
    /** `baseline` for a run that is known to be healthy. */
    role: Type.Optional(Type.Union([Type.Literal("baseline"), Type.Literal("subject")])),
    framework: Type.Optional(word),
    frameworkVersion: Type.Optional(word),
    seed: Type.Optional(Type.Integer()),
    rank: count,
    worldSize: Type.Optional(count),
    /** `data` where every rank holds the same model and sees other data. */
    parallelism: Type.Optional(Type.Union([Type.Literal("data"), Type.Literal("other")])),
    /** Backward passes for each step of the optimizer, where that is declared. */
    accumulationSteps: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Declared: it is meant to train in evaluation mode. */
    trainsInEvalMode: Type.Optional(Type.Boolean()),
    /** Ascending. */
    steps: Type.Array(TrainingStep),
  },
  { additionalProperties: false },
);
export type TrainingContent = Static<typeof TrainingContent>;
