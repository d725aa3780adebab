/** Losses over classes: cross-entropy and the negative logarithm of a likelihood. */

import type { LossCall } from "../model/training.ts";
import {
  elementCountOf,
  isFloatType,
  isIntegerType,
  type LossFault,
  sameShape,
  tensorWords,
} from "./loss-fault.ts";
import { numberOf } from "./measured.ts";

/** What PyTorch ignores when nothing else is said. */
const ignoreIndexDefault = -100;
/** How far a probability may lie outside of 0 to 1 by rounding. */
const tolerance = 1e-3;
/** How far probabilities of low precision may be from a sum of 1. */
const sumTolerance = 0.02;

/** What is wrong with the input and target of a cross-entropy. */
export function crossEntropyFaults(call: LossCall): LossFault[] {
  const { input, target } = call;
  const isByProbability =
    sameShape(input.shape, target.shape) && input.shape.length > 0 && !isIndexType(target.dtype);
  const shared = [...classCountFaults(call), ...smoothingFaults(call)];
  if (isByProbability) return [...shared, ...softmaxFaults(call), ...probabilityFaults(call)];
  return [...shared, ...softmaxFaults(call), ...indexFaults(call)];
}

/** What is wrong with the input and target of an `NLLLoss`. */
export function likelihoodFaults(call: LossCall): LossFault[] {
  return [...logarithmFaults(call), ...indexFaults(call)];
}

/** An input that should be logarithms of probabilities, which are never above 0. */
export function logarithmFaults({ loss, input }: LossCall): LossFault[] {
  const max = numberOf(input.max);
  const isActivation = /^(?:Softmax|Sigmoid)$/.test(input.madeBy ?? "");
  if (!isActivation && (max === undefined || !(max > tolerance))) return [];
  return [
    {
      kind: "no-logarithms",
      title: `${loss} was given an input that is no logarithm of probabilities`,
      expected: `Logarithms of probabilities, none above 0, as log_softmax makes them.`,
      actual: isActivation
        ? `The input is the output of ${input.madeBy}.`
        : `The largest value of the input ${tensorWords(input)} is ${max}.`,
      fix: "Put log_softmax before this loss, or use CrossEntropyLoss on the logits.",
    },
  ];
}

function isIndexType(dtype: string | undefined): boolean {
  return dtype !== undefined && (isIntegerType(dtype) || dtype === "bool");
}

function classCountOf({ input }: LossCall): number | undefined {
  return input.shape.length === 1 ? input.shape[0] : input.shape[1];
}

function classCountFaults(call: LossCall): LossFault[] {
  const { loss, input, weightCount } = call;
  const classCount = classCountOf(call);
  if (classCount === undefined) {
    return [
      {
        kind: "no-classes",
        title: `${loss} was given an input without a dimension of classes`,
        expected: "An input of shape [classes] or [batch, classes, …].",
        actual: `The input is ${tensorWords(input)}.`,
        fix: "Give the loss the logits of every class.",
      },
    ];
  }
  if (classCount === 1) {
    return [
      {
        kind: "one-class",
        title: `${loss} was given one class, so that it is 0 whatever the model says`,
        expected: "Logits of at least two classes.",
        actual: `The input is ${tensorWords(input)}: its second dimension, the classes, is 1.`,
        fix: "Use BCEWithLogitsLoss for one logit, or give the model an output for each class.",
      },
    ];
  }
  if (weightCount === undefined || weightCount === classCount) return [];
  return [
    {
      kind: "weights",
      title: `${loss} has ${weightCount} weights for ${classCount} classes`,
      expected: `${classCount} weights, one for each class.`,
      actual: `${weightCount} weights; the input is ${tensorWords(input)}.`,
      fix: "Make the weights from the classes of the model's output.",
    },
  ];
}

function smoothingFaults({ loss, labelSmoothing }: LossCall): LossFault[] {
  if (labelSmoothing === undefined || (labelSmoothing >= 0 && labelSmoothing <= 1)) return [];
  return [
    {
      kind: "label-smoothing",
      title: `${loss} smooths labels by ${labelSmoothing}`,
      expected: "A label smoothing from 0 to 1.",
      actual: `label_smoothing is ${labelSmoothing}.`,
      fix: "Set label_smoothing to a share such as 0.1.",
    },
  ];
}

/** Cross-entropy takes logits. Of probabilities it makes a loss that hardly moves. */
function softmaxFaults({ loss, input }: LossCall): LossFault[] {
  const [min, max] = [numberOf(input.min), numberOf(input.max)];
  const [sumMin, sumMax] = [numberOf(input.classSumMin), numberOf(input.classSumMax)];
  const isSoftmax = /^Softmax(?:2d)?$/.test(input.madeBy ?? "");
  const sumsToOne =
    sumMin !== undefined &&
    sumMax !== undefined &&
    Math.abs(sumMin - 1) <= sumTolerance &&
    Math.abs(sumMax - 1) <= sumTolerance;
  const isWithinOne = min !== undefined && max !== undefined && min >= 0 && max <= 1 + tolerance;
  if (!isSoftmax && !(sumsToOne && isWithinOne && (input.shape[0] ?? 0) > 1)) return [];
  return [
    {
      kind: "softmax-twice",
      title: `${loss} was given probabilities, and takes the softmax of them again`,
      expected: "Logits: what the last layer gives, without softmax.",
      actual: isSoftmax
        ? `The input is the output of ${input.madeBy}.`
        : `The values of the input ${tensorWords(input)} lie from ${min} to ${max}, and sum to 1 over the classes.`,
      fix: "Leave out the softmax before this loss.",
    },
  ];
}

function probabilityFaults({ loss, target }: LossCall): LossFault[] {
  const [min, max] = [numberOf(target.min), numberOf(target.max)];
  const isOutside =
    (min !== undefined && min < -tolerance) || (max !== undefined && max > 1 + tolerance);
  if (!isOutside) return [];
  return [
    {
      kind: "target-range",
      title: `${loss} was given targets of the input's shape that are no probabilities`,
      expected: "Probabilities from 0 to 1 for each class.",
      actual: `The target ${tensorWords(target)} has values from ${min ?? "?"} to ${max ?? "?"}.`,
      fix: "Give class indices as int64 without the dimension of classes, or probabilities.",
    },
  ];
}

function indexFaults(call: LossCall): LossFault[] {
  const shape = indexShapeFault(call);
  if (shape !== undefined) return [shape];
  return [...indexTypeFaults(call), ...indexRangeFaults(call), ...ignoredFaults(call)];
}

/** The shape that class indices have: that of the input without its dimension of classes. */
function indexShapeFault(call: LossCall): LossFault | undefined {
  const { loss, input, target } = call;
  const expected = input.shape.length === 1 ? [] : input.shape.toSpliced(1, 1);
  if (sameShape(expected, target.shape)) return undefined;
  // One class is told of by itself, whatever the shape of its targets.
  if (classCountOf(call) === 1 || input.shape.length === 0) return undefined;
  const isOneHot = sameShape(input.shape, target.shape);
  return {
    kind: "target-shape",
    title: isOneHot
      ? `${loss} was given whole numbers of the input's shape, as if they were probabilities`
      : `${loss} was given targets of shape [${target.shape.join(", ")}] for an input of shape [${input.shape.join(", ")}]`,
    expected: isOneHot
      ? `Class indices of shape [${expected.join(", ")}], or probabilities as floats of shape [${input.shape.join(", ")}].`
      : `Targets of shape [${expected.join(", ")}]: the input's without its classes, which are its second dimension.`,
    actual: `The input is ${tensorWords(input)}, the target ${tensorWords(target)}.`,
    fix: isOneHot
      ? "Give the index of each class (argmax over the classes), or turn the targets into floats."
      : fixOfShape(call, expected),
  };
}

function fixOfShape({ input, target }: LossCall, expected: readonly number[]): string {
  const isClassLast = input.shape.length > 2 && sameShape(input.shape.slice(0, -1), target.shape);
  if (isClassLast)
    return "Move the classes to the second dimension: input.transpose(1, -1), or flatten both.";
  const squeezed = target.shape.filter((length) => length !== 1);
  return sameShape(
    squeezed,
    expected.filter((length) => length !== 1),
  )
    ? "Squeeze the target's dimension of length 1."
    : "Bring the target to the batch that the input has.";
}

function indexTypeFaults({ loss, target }: LossCall): LossFault[] {
  const { dtype } = target;
  if (dtype === undefined || dtype === "int64" || dtype === "uint8") return [];
  return [
    {
      kind: "target-dtype",
      title: `${loss} was given class indices as ${dtype}`,
      expected: "Class indices of dtype int64.",
      actual: `The target is ${tensorWords(target)}.`,
      fix: isFloatType(dtype)
        ? "Turn the targets into indices with .long(), if they are classes; else use a loss for regression."
        : "Turn the targets into int64 with .long().",
    },
  ];
}

function indexRangeFaults(call: LossCall): LossFault[] {
  const { loss, target, input } = call;
  const classCount = classCountOf(call);
  const ignored = call.ignoreIndex ?? ignoreIndexDefault;
  const [min, max] = [numberOf(target.min), numberOf(target.max)];
  const isBelow = min !== undefined && min < 0 && min !== ignored;
  const isAbove =
    max !== undefined && classCount !== undefined && max >= classCount && max !== ignored;
  if (!isBelow && !isAbove) return [];
  const one = isAbove && max === classCount && min === 1;
  return [
    {
      kind: "target-range",
      title: `${loss} was given class ${isAbove ? max : min}, and the classes are 0 to ${(classCount ?? 0) - 1}`,
      expected: `Class indices from 0 to ${(classCount ?? 0) - 1}, or the ignored index ${ignored}.`,
      actual: `The targets lie from ${min ?? "?"} to ${max ?? "?"}; the input is ${tensorWords(input)}.`,
      fix: one
        ? "Count the classes from 0: subtract 1 from the targets."
        : "Give the model as many outputs as there are classes, or set ignore_index to the value of padding.",
    },
  ];
}

function ignoredFaults(call: LossCall): LossFault[] {
  const { loss, target, ignoredCount, reduction = "mean" } = call;
  const elementCount = elementCountOf(target);
  if (ignoredCount === undefined || ignoredCount < elementCount || elementCount === 0) return [];
  if (reduction !== "mean") return [];
  return [
    {
      kind: "all-ignored",
      title: `${loss} was given targets of which all are ignored, so that their mean is NaN`,
      expected: `At least one target that is not the ignored index ${call.ignoreIndex ?? ignoreIndexDefault}.`,
      actual: `${ignoredCount} of ${elementCount} targets are ignored.`,
      fix: "Leave out batches without a label, or sum and divide by the count of labels, at least 1.",
    },
  ];
}
