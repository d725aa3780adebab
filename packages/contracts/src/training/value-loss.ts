/** Losses that compare input and target element by element. */

import type { LossCall } from "../model/training.ts";
import { isFloatType, type LossFault, sameShape, tensorWords } from "./loss-fault.ts";
import { logarithmFaults } from "./class-loss.ts";
import { numberOf } from "./measured.ts";

/** How far rounding may carry a probability beyond 0 or 1. */
const tolerance = 1e-3;

/** What is wrong with the input and target of a binary cross-entropy on probabilities. */
export function binaryFaults(call: LossCall): LossFault[] {
  return [...binaryTargetFaults(call), ...probabilityInputFaults(call)];
}

/** What is wrong with the input and target of a binary cross-entropy on logits. */
export function binaryLogitFaults(call: LossCall): LossFault[] {
  return [...binaryTargetFaults(call), ...sigmoidFaults(call)];
}

/** What is wrong with the input and target of a divergence of distributions. */
export function divergenceFaults(call: LossCall): LossFault[] {
  return [...logarithmFaults(call), ...shapeFaults(call)];
}

/** What is wrong with the input and target of a loss of regression. */
export function regressionFaults(call: LossCall): LossFault[] {
  return shapeFaults(call);
}

function binaryTargetFaults(call: LossCall): LossFault[] {
  const { loss, input, target } = call;
  const faults: LossFault[] = [];
  if (!sameShape(input.shape, target.shape)) {
    faults.push({
      kind: "target-shape",
      title: `${loss} was given targets of shape [${target.shape.join(", ")}] for an input of shape [${input.shape.join(", ")}]`,
      expected: "Targets of the input's shape.",
      actual: `The input is ${tensorWords(input)}, the target ${tensorWords(target)}.`,
      fix: shapeFix(call),
    });
  }
  if (target.dtype !== undefined && !isFloatType(target.dtype)) {
    faults.push({
      kind: "target-dtype",
      title: `${loss} was given targets as ${target.dtype}`,
      expected: "Targets of a float type.",
      actual: `The target is ${tensorWords(target)}.`,
      fix: "Turn the targets into floats with .float().",
    });
  }
  const [min, max] = [numberOf(target.min), numberOf(target.max)];
  const isOutside =
    (min !== undefined && min < -tolerance) || (max !== undefined && max > 1 + tolerance);
  if (isOutside) {
    faults.push({
      kind: "target-range",
      title: `${loss} was given targets outside of 0 to 1`,
      expected: "Targets from 0 to 1.",
      actual: `The targets ${tensorWords(target)} lie from ${min ?? "?"} to ${max ?? "?"}.`,
      fix:
        min === -1
          ? "Encode the two classes as 0 and 1, not as -1 and 1."
          : "Encode each label as 0 or 1, or use CrossEntropyLoss for several classes.",
    });
  }
  return faults;
}

function probabilityInputFaults({ loss, input }: LossCall): LossFault[] {
  const [min, max] = [numberOf(input.min), numberOf(input.max)];
  const isOutside =
    (min !== undefined && min < -tolerance) || (max !== undefined && max > 1 + tolerance);
  if (!isOutside) return [];
  return [
    {
      kind: "input-range",
      title: `${loss} was given an input that is no probability`,
      expected: "Probabilities from 0 to 1, as a sigmoid gives them.",
      actual: `The input ${tensorWords(input)} has values from ${min ?? "?"} to ${max ?? "?"}.`,
      fix: "Use BCEWithLogitsLoss on the logits.",
    },
  ];
}

function sigmoidFaults({ loss, input }: LossCall): LossFault[] {
  if (!/^(?:Sigmoid|Softmax)$/.test(input.madeBy ?? "")) return [];
  return [
    {
      kind: "sigmoid-twice",
      title: `${loss} was given the output of ${input.madeBy}, and takes the sigmoid of it again`,
      expected: "Logits: what the last layer gives, without sigmoid.",
      actual: `The input ${tensorWords(input)} is the output of ${input.madeBy}.`,
      fix: "Leave out the activation before this loss, or use BCELoss.",
    },
  ];
}

/** A target of another shape is stretched to that of the input, or both to one that neither has. */
function shapeFaults(call: LossCall): LossFault[] {
  const { loss, input, target } = call;
  if (sameShape(input.shape, target.shape)) return [];
  const joined = broadcastOf(input.shape, target.shape);
  // Stretched to the input alone, a target may be meant so; the contract says that it cannot tell.
  if (joined !== undefined && sameShape(joined, input.shape)) return [];
  return [
    {
      kind: "target-shape",
      title:
        joined === undefined
          ? `${loss} was given shapes that do not fit: [${input.shape.join(", ")}] and [${target.shape.join(", ")}]`
          : `${loss} compares every input with targets of others: [${input.shape.join(", ")}] and [${target.shape.join(", ")}] become [${joined.join(", ")}]`,
      expected: "Targets of the input's shape.",
      actual: `The input is ${tensorWords(input)}, the target ${tensorWords(target)}.`,
      fix: shapeFix(call),
    },
  ];
}

/** The shape to which two shapes are stretched, or nothing where they do not fit. */
function broadcastOf(left: readonly number[], right: readonly number[]): number[] | undefined {
  const count = Math.max(left.length, right.length);
  const joined: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const a = left[index - count + left.length] ?? 1;
    const b = right[index - count + right.length] ?? 1;
    if (a !== b && a !== 1 && b !== 1) return undefined;
    joined.push(a === 1 ? b : a);
  }
  return joined;
}

function shapeFix({ input, target }: LossCall): string {
  const isOne = (length: number): boolean => length !== 1;
  if (!sameShape(input.shape.filter(isOne), target.shape.filter(isOne))) {
    return "Give the loss one target for each output of the model.";
  }
  return input.shape.length > target.shape.length
    ? "Add the missing dimension to the target (unsqueeze), or squeeze that of the input."
    : "Squeeze the target's dimension of length 1, or unsqueeze the input.";
}
