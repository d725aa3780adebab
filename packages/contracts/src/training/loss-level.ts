/** The loss of a model that knows nothing but the number of classes: what a loss that says no more stays at. */

import type { LossCall, TrainingContent } from "../model/training.ts";
import { elementCountOf, lossNameOf, sameShape } from "./loss-fault.ts";
import { numberOf } from "./measured.ts";

/** The level and how it comes about. */
export interface LossLevel {
  readonly value: number;
  readonly classCount: number;
  readonly words: string;
}

/** How far the mean of a loss may lie from the loss of the step, which rounding makes. */
const valueTolerance = 1e-3;

/**
 * The logarithm of the number of classes, where each step has one loss over classes, by its mean, and the recorded loss is its
 * value. Nothing where other terms stand beside it, where classes are weighed, or where labels are smoothed.
 */
export function levelOf({ steps }: TrainingContent): LossLevel | undefined {
  const counts = new Set<number>();
  for (const { losses = [], loss } of steps) {
    if (losses.length === 0) continue;
    const [call] = losses;
    if (call === undefined || losses.length > 1) return undefined;
    const value = numberOf(call.value);
    const whole = numberOf(loss);
    const isWhole =
      value === undefined ||
      whole === undefined ||
      !(Math.abs(value - whole) > valueTolerance * Math.abs(whole));
    const count = classCountOf(call);
    if (count === undefined || !isWhole) return undefined;
    counts.add(count);
  }
  const [classCount] = counts;
  if (classCount === undefined || counts.size > 1) return undefined;
  return {
    value: Math.log(classCount),
    classCount,
    words: `ln(${classCount}) = ${Math.log(classCount).toFixed(4)}, the loss of a model that finds ${classCount} classes equally probable`,
  };
}

function classCountOf(call: LossCall): number | undefined {
  const { reduction = "mean", weightCount, labelSmoothing = 0, input, target } = call;
  if (reduction !== "mean" || weightCount !== undefined || labelSmoothing !== 0) return undefined;
  switch (lossNameOf(call)) {
    case "crossentropy":
    case "nll": {
      if (input.shape.length < 2 || sameShape(input.shape, target.shape)) return undefined;
      const count = input.shape[1] ?? 0;
      return count > 1 && hasSeveralTargets(call) ? count : undefined;
    }
    case "bce":
    case "bcewithlogits":
      // A discriminator that sees one label at a time is at its best at this level.
      return hasSeveralTargets(call) && numberOf(target.min) === 0 && numberOf(target.max) === 1
        ? 2
        : undefined;
    default:
      return undefined;
  }
}

/** Targets of one class alone say nothing of the others. */
function hasSeveralTargets({ target }: LossCall): boolean {
  const [min, max] = [numberOf(target.min), numberOf(target.max)];
  return elementCountOf(target) > 1 && min !== undefined && max !== undefined && min < max;
}
