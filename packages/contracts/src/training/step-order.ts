/** The order of a training step: gradients are cleared, made, and used to change parameters, in training mode. */

import { defineContract } from "../model/define-contract.ts";
import type { Contract } from "../model/contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { evidenceOfKind, type EvidenceOf } from "../model/snapshot.ts";
import type { TrainingCall } from "../model/training.ts";
import { plural } from "../text/plural.ts";
import { earlySchedules, faintRest } from "./scheduled-rates.ts";
import { staleParameters, stillParameters } from "./stale-parameters.ts";
import { numberOf } from "./measured.ts";
import { isApplied, type PlacedStep, placedSteps, runSubject, stepReference } from "./step-view.ts";

const options = {
  occurrenceCountMin: {
    default: 2,
    description: "Steps at which a rule must be broken before the contract is violated.",
  },
  zeroRateStepCountMin: {
    default: 3,
    description: "Steps of the optimizer that must all have a learning rate of 0.",
  },
};

/** A scale of 65,536 is halved at each step that is skipped, and at 1 after sixteen of them. */
const skippedStepCountMin = 20;

/** A rule that steps broke. */
interface Breach {
  readonly title: string;
  readonly expected: string;
  readonly at: readonly PlacedStep[];
  readonly fix: string;
  readonly countMin: number;
  quote(place: PlacedStep): string;
}

export const stepOrder: Contract = defineContract({
  id: "training/step-order",
  version: 4,
  boundary: "dataset-loss",
  promise:
    "Every step of training clears gradients before it makes new ones, runs in training mode, and changes the parameters that require gradients.",
  reads: ["training"],
  options,
  check: (snapshot, settled, found) =>
    evidenceOfKind(snapshot, "training").flatMap((run) => {
      const stale = [...staleParameters(run, settled.occurrenceCountMin), ...stillParameters(run)];
      const breaches = breachesOf(run, settled);
      const violations = breaches
        .filter(({ at, countMin }) => at.length >= countMin)
        .map((breach) => violationOf(run, breach));
      const violated = [...violations, ...stale.filter(({ verdict }) => verdict === "violated")];
      if (violated.length > 0) return violated.map(found);
      if (stale.length > 0) return stale.map(found);
      return [found({ subject: runSubject(run.content), ...quietVerdict(run, breaches) })];
    }),
});

function violationOf(run: EvidenceOf<"training">, breach: Breach): FindingParts {
  const [first] = breach.at;
  return {
    subject: runSubject(run.content),
    verdict: "violated",
    title: breach.title,
    expected: breach.expected,
    actual: `${plural(breach.at.length, "step")} of ${run.content.steps.length}, the first of them step ${first?.step.step ?? 0}${first === undefined ? "" : `: ${breach.quote(first)}`}.`,
    causeKind: "change",
    measures: { stepCount: run.content.steps.length, brokenStepCount: breach.at.length },
    evidence: breach.at.slice(0, 3).map((place) => stepReference(run, place, breach.quote(place))),
    fixes: [{ description: breach.fix, cost: 1 }],
  };
}

function breachesOf(
  run: EvidenceOf<"training">,
  options: { readonly occurrenceCountMin: number; readonly zeroRateStepCountMin: number },
): Breach[] {
  const steps = placedSteps(run.content);
  const order = brokenOrder(steps);
  const applied = steps.filter(({ step }) => isApplied(step));
  const countMin = options.occurrenceCountMin;
  const callsOf = ({ step }: PlacedStep): string => (step.calls ?? []).join(", ");
  const window =
    (run.content.accumulationSteps ?? 1) > 1 ? (run.content.accumulationSteps ?? 1) : 1;
  const breaches: Breach[] = [
    {
      title: "Gradients are not cleared between steps of the optimizer, and add up",
      expected: "zero_grad between a step of the optimizer and the next backward pass.",
      at: order.uncleared,
      fix: "Call optimizer.zero_grad() before the backward pass of each step.",
      countMin: countMin * window,
      quote: callsOf,
    },
    {
      title: "Gradients are cleared between the backward pass and the step of the optimizer",
      expected: "The optimizer steps on the gradients of the backward pass before it.",
      at: order.cleared,
      fix: "Move zero_grad before the backward pass, or behind the step.",
      countMin,
      quote: callsOf,
    },
    {
      title: "The optimizer steps while the model is in evaluation mode",
      expected: "Training mode, unless the run declares that it trains in evaluation mode.",
      at:
        run.content.trainsInEvalMode === true
          ? []
          : applied.filter(({ step }) => step.mode === "eval" && step.calls?.includes("backward")),
      fix: "Call model.train() before training, and again after each evaluation.",
      countMin,
      quote: () => "mode eval",
    },
    {
      title: "The model is evaluated in training mode",
      expected: "Evaluation mode in passes that evaluate.",
      at: steps.filter(({ step }) => step.phase === "eval" && step.mode === "train"),
      fix: "Call model.eval() before evaluation.",
      countMin,
      quote: () => "phase eval, mode train",
    },
  ];
  return [
    ...breaches,
    ...wholeRunBreaches(steps, options.zeroRateStepCountMin),
    ...unusedGradients(steps, window),
    ...rateBreaches(steps, countMin),
  ];
}

/** From so many steps on a schedule is one, and not what happened at the start. */
const scheduledStepCountMin = 5;
const faintStepCountMin = 20;

function rateBreaches(steps: readonly PlacedStep[], countMin: number): Breach[] {
  return [
    {
      title:
        "The scheduler goes on before the optimizer steps, so that every rate is that of the next step",
      expected: "The optimizer's step first, then the scheduler's: the first rate is used as well.",
      at: earlySchedules(steps),
      fix: "Call scheduler.step() behind optimizer.step().",
      countMin: Math.max(countMin, scheduledStepCountMin),
      quote: ({ step }) => (step.calls ?? []).join(", "),
    },
    {
      title: "The learning rate is next to nothing for at least half of the run, up to its end",
      expected: "A learning rate above nothing until the run ends.",
      at: faintRest(steps),
      fix: "Correct the schedule of the learning rate: whether it counts steps or epochs, and how many of them.",
      countMin: faintStepCountMin,
      quote: ({ step }) => `learning rates ${step.learningRates?.join(", ") ?? ""}`,
    },
  ];
}

/** Passes behind which an optimizer must have stepped, as many times over as it gathers gradients. */
const unusedPassCountMin = 20;
const unusedWindowCountMin = 4;

/** Gradients are made and add up, and no optimizer that holds parameters of the model steps on them, ever. */
function unusedGradients(steps: readonly PlacedStep[], window: number): Breach[] {
  const isStepped = steps.some(({ step }) =>
    step.calls?.some((call) => call === "step" || call === "skipped_step"),
  );
  const passes = steps.filter(
    ({ step }) =>
      step.calls?.includes("backward") === true && step.phase !== "eval" && step.mode !== "eval",
  );
  const isGathered = passes
    .slice(1)
    .every(({ step }) => (numberOf(step.gradientNormBefore) ?? 0) > 0);
  if (isStepped || !isGathered) return [];
  return [
    {
      title: "No optimizer steps on the gradients of the model, which add up",
      expected: "An optimizer that holds the parameters of the model, and steps.",
      at: passes,
      fix: "Give the optimizer the parameters of the model that is trained: those of before it was copied, moved or wrapped are others.",
      countMin: Math.max(unusedPassCountMin, unusedWindowCountMin * window),
      quote: ({ step }) =>
        `${(step.calls ?? []).join(", ")}; the gradients of before have a norm of ${step.gradientNormBefore ?? 0}`,
    },
  ];
}

/** What is wrong only where it is so at every step of the optimizer. */
function wholeRunBreaches(steps: readonly PlacedStep[], zeroRateStepCountMin: number): Breach[] {
  const breaches: Breach[] = [];
  const tried = steps.filter(({ step }) =>
    step.calls?.some((call) => call.endsWith("step") && call !== "scheduler_step"),
  );
  const skipped = tried.filter(({ step }) => step.calls?.includes("step") !== true);
  if (skipped.length === tried.length) {
    breaches.push({
      title: "Mixed precision skips every step of the optimizer, so that nothing is learned",
      expected: "A scale of the loss at which gradients are finite, after the first steps.",
      at: skipped,
      fix: "Look for the first layer whose output is no finite number in this precision, and run it in float32 or bfloat16.",
      countMin: skippedStepCountMin,
      quote: ({ step }) => (step.calls ?? []).join(", "),
    });
  }
  const rated = steps.filter(
    ({ step }) => isApplied(step) && (step.learningRates ?? []).length > 0,
  );
  const zero = rated.filter(({ step }) => step.learningRates?.every((rate) => rate === 0));
  if (zero.length === rated.length) {
    breaches.push({
      title: "The learning rate is 0 at every step, so that nothing is learned",
      expected: "A learning rate above 0 after the first steps.",
      at: zero,
      fix: "Correct the schedule of the learning rate, and its number of steps.",
      countMin: Math.max(1, zeroRateStepCountMin),
      quote: ({ step }) => `learning rates ${step.learningRates?.join(", ") ?? ""}`,
    });
  }
  return breaches;
}

/**
 * Gradients are cleared, made by a backward pass, used by a step, added to used ones, or were cleared before they were used.
 * Used ones to which others are added do no harm until a step uses them: the generator's loss makes such in a discriminator.
 */
type GradientState = "unknown" | "clear" | "made" | "used" | "mixed" | "lost";

/** Steps whose calls break the order of gradients. What was cleared before the record began is not known. */
function brokenOrder(steps: readonly PlacedStep[]): {
  uncleared: PlacedStep[];
  cleared: PlacedStep[];
} {
  const uncleared: PlacedStep[] = [];
  const cleared: PlacedStep[] = [];
  let goneCount = 0;
  let keptCount = 0;
  let state: GradientState = "unknown";
  for (const place of steps) {
    for (const call of place.step.calls ?? []) {
      // Gradients may be taken away without a call.
      const isGone = numberOf(place.step.gradientNormBefore) === 0;
      if (call === "backward" && state === "used") {
        if (isGone) goneCount += 1;
        else if (place.step.gradientNormBefore !== undefined) keptCount += 1;
      }
      const isStale = call === "step" && state === "mixed";
      if (isStale && uncleared.at(-1) !== place) uncleared.push(place);
      const isLost = call === "step" && state === "lost";
      if (isLost && cleared.at(-1) !== place) cleared.push(place);
      state = call === "backward" && isGone ? "made" : stateAfter(state, call);
    }
  }
  // Where gradients were looked at and always found gone, they are gone at the other steps as well.
  return { uncleared: goneCount > 0 && keptCount === 0 ? [] : uncleared, cleared };
}

function stateAfter(state: GradientState, call: TrainingCall): GradientState {
  switch (call) {
    case "zero_grad":
      return state === "made" ? "lost" : "clear";
    case "backward":
      return state === "used" || state === "mixed" ? "mixed" : "made";
    case "step":
      // What was cleared before the step is still clear after it.
      return state === "lost" || state === "clear" ? "clear" : "used";
    case "skipped_step":
      return "used";
    case "forward":
    case "loss":
    case "scheduler_step":
      return state;
  }
}

function quietVerdict(
  run: EvidenceOf<"training">,
  breaches: readonly Breach[],
): Omit<FindingParts, "subject"> {
  const broken = breaches.filter(({ at }) => at.length > 0);
  const orderedCount = run.content.steps.filter(({ calls }) => calls?.includes("step")).length;
  const modeCount = run.content.steps.filter(({ mode }) => mode !== undefined).length;
  const changeCount = run.content.steps.filter(({ parameters = [] }) =>
    parameters.some(
      ({ updateNorm, hasChanged }) => (numberOf(updateNorm) ?? 0) > 0 || hasChanged === true,
    ),
  ).length;
  const missing = [
    ...(orderedCount > 1
      ? []
      : ["The calls of at least two steps of the optimizer, in their order."]),
    ...(modeCount > 0 ? [] : ["The mode of the model at each step."]),
    ...(changeCount > 0 ? [] : ["How far each parameter changed at each step."]),
    ...broken.map(({ title, at }) => `More steps: ${title} at ${plural(at.length, "step")} only.`),
  ];
  if (missing.length > 0) {
    return {
      verdict: "inconclusive",
      title: "Whether the steps of training are in order cannot be told from what is recorded",
      actual: `Of ${plural(run.content.steps.length, "step")}, ${orderedCount} have the optimizer's step among their calls, ${modeCount} a mode, ${changeCount} changes of parameters.`,
      missing,
    };
  }
  return {
    verdict: "holds",
    title: "The steps of training are in order",
    actual: `${plural(orderedCount, "step")} of the optimizer follow the order, and parameters change.`,
  };
}
