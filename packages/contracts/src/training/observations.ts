/** What is seen at each step of a run, as facts of which a healthy run may show that they hold at every step. */

import type { LossCall, ParameterState, TrainingCall, TrainingContent } from "../model/training.ts";
import { isFloatType, isIntegerType, lossNameOf } from "./loss-fault.ts";
import { isNotFinite, numberOf } from "./measured.ts";
import { isApplied, type PlacedStep, placedSteps } from "./step-view.ts";

/** One fact about one thing at a step. */
export interface Observation {
  /** Facts of one kind are told together. */
  readonly kind: string;
  /** What it is about: a parameter, a loss, or nothing. */
  readonly about: string;
  readonly value: string;
  /** Whether a run may differ in it and be healthy all the same. */
  readonly isSetting: boolean;
}

/** A step and what is seen at it. */
export interface ObservedStep {
  readonly place: PlacedStep;
  readonly observations: readonly Observation[];
}

/** What is seen at each step of the optimizer, and at each pass that evaluates. */
export function observedSteps(content: TrainingContent): ObservedStep[] {
  const clearing = clearedSteps(content);
  return placedSteps(content).map((place) => ({
    place,
    observations: observationsOf(place, clearing.get(place.index)),
  }));
}

const calls: readonly TrainingCall[] = ["forward", "loss", "backward", "scheduler_step"];

function observationsOf(place: PlacedStep, isCleared: boolean | undefined): Observation[] {
  const { step } = place;
  if (step.phase === "eval") {
    return step.mode === undefined ? [] : [seen("the mode of passes that evaluate", step.mode)];
  }
  if (!isApplied(step)) return [];
  const rates = step.learningRates ?? [];
  return [
    ...(step.mode === undefined ? [] : [seen("the mode of steps", step.mode)]),
    ...(isCleared === undefined
      ? []
      : [seen("gradients before the backward pass", isCleared ? "cleared" : "kept")]),
    ...(step.calls === undefined
      ? []
      : calls.map((call) => seen(`${call} at a step`, step.calls?.includes(call) ? "yes" : "no"))),
    ...(rates.length === 0
      ? []
      : [
          seen("the learning rate", rates.some((rate) => rate > 0) ? "above 0" : "0"),
          setting("the number of groups of the optimizer", "", String(rates.length)),
        ]),
    ...finiteness("the loss", step.loss),
    ...finiteness("the norm of the gradients", step.gradientNorm),
    ...(step.losses ?? []).flatMap(lossObservations),
    ...(step.parameters ?? []).flatMap((parameter) =>
      parameterObservations(parameter, step.parameters ?? []),
    ),
  ];
}

function seen(kind: string, value: string, about = ""): Observation {
  return { kind, about, value, isSetting: false };
}

function setting(kind: string, about: string, value: string): Observation {
  return { kind, about, value, isSetting: true };
}

function finiteness(kind: string, value: PlacedStep["step"]["loss"]): Observation[] {
  if (value === undefined) return [];
  return [seen(kind, isNotFinite(value) ? "not finite" : "finite")];
}

function lossObservations(call: LossCall, index: number): Observation[] {
  const about = `${lossNameOf(call)}${index === 0 ? "" : ` (${index})`}`;
  const { input, target } = call;
  return [
    seen("the dimensions of the input of a loss", String(input.shape.length), about),
    seen("the dimensions of the target of a loss", String(target.shape.length), about),
    ...(target.dtype === undefined
      ? []
      : [seen("the kind of the targets of a loss", kindOfType(target.dtype), about)]),
    seen("what made the input of a loss", input.madeBy ?? "no activation", about),
    setting("the reduction of a loss", about, call.reduction ?? "not recorded"),
    setting("the label smoothing of a loss", about, String(call.labelSmoothing ?? 0)),
    setting("the ignored index of a loss", about, String(call.ignoreIndex ?? "not recorded")),
  ];
}

function kindOfType(dtype: string): string {
  if (isFloatType(dtype)) return "real numbers";
  return isIntegerType(dtype) || dtype === "bool" ? "whole numbers" : dtype;
}

function parameterObservations(
  parameter: ParameterState,
  all: readonly ParameterState[],
): Observation[] {
  const { name, requiresGradient, isOptimized, gradientNorm, updateNorm, learningRate } = parameter;
  // Where no parameter has a gradient, none may have been recorded.
  const areRecorded = all.some((other) => other.gradientNorm !== undefined);
  const update = numberOf(updateNorm);
  const isRated = learningRate === undefined || learningRate > 0;
  return [
    ...(requiresGradient === undefined
      ? []
      : [seen("requires a gradient", requiresGradient ? "yes" : "no", name)]),
    ...(isOptimized === undefined
      ? []
      : [seen("is held by the optimizer", isOptimized ? "yes" : "no", name)]),
    ...(areRecorded
      ? [seen("gets a gradient", gradientNorm === undefined ? "no" : "yes", name)]
      : []),
    ...(update !== undefined && isRated && numberOf(gradientNorm) !== 0
      ? [seen("changes at a step", update === 0 ? "no" : "yes", name)]
      : []),
  ];
}

/** For each step of the optimizer whose gradients are known: whether those of the step before were cleared. */
function clearedSteps(content: TrainingContent): Map<number, boolean> {
  const cleared = new Map<number, boolean>();
  const hasNorms = content.steps.some(({ gradientNormBefore }) => gradientNormBefore !== undefined);
  let state: "unknown" | "clear" | "used" | "mixed" = "unknown";
  for (const { step, index } of placedSteps(content)) {
    const isGone = numberOf(step.gradientNormBefore) === 0;
    // Without a call gradients may be gone all the same, which only their norm tells.
    const isTold = !hasNorms || step.gradientNormBefore !== undefined;
    for (const call of step.calls ?? []) {
      if (call === "zero_grad") state = "clear";
      if (call === "backward" && state === "used") state = isGone ? "clear" : "mixed";
      if (call !== "step" && call !== "skipped_step") continue;
      if (call === "step" && state !== "unknown" && (isTold || state === "clear"))
        cleared.set(index, state === "clear");
      state = "used";
    }
  }
  return cleared;
}
