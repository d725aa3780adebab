/** Parameters that require gradients, get them, and do not change when the optimizer steps. */

import type { FindingParts } from "../model/make-finding.ts";
import type { EvidenceOf } from "../model/snapshot.ts";
import type { ParameterState, TrainingStep } from "../model/training.ts";
import { plural } from "../text/plural.ts";
import { numberOf } from "./measured.ts";
import { isApplied, type PlacedStep, placedSteps, runSubject, stepReference } from "./step-view.ts";

const namesListedMax = 10;

/** Steps with gradients at which nothing changes, from which on that is no start of a loss scale and no warm-up. */
const stillStepCountMin = 10;

/** One finding where a record tells of changes, not how far they went, and no parameter ever changes. */
export function stillParameters(run: EvidenceOf<"training">): FindingParts[] {
  const steps = placedSteps(run.content).filter(
    ({ step }) =>
      isApplied(step) && (step.parameters ?? []).some(({ hasChanged }) => hasChanged !== undefined),
  );
  const told = steps.flatMap(({ step }) => step.parameters ?? []);
  const moving = told.filter(({ requiresGradient }) => requiresGradient !== false);
  const graded = moving.filter(({ hasGradient }) => hasGradient === true);
  const [first] = steps;
  const isStill = moving.every(({ hasChanged }) => hasChanged !== true);
  if (first === undefined || steps.length < stillStepCountMin || graded.length === 0 || !isStill)
    return [];
  const names = new Set(graded.map(({ name }) => name));
  return [
    {
      subject: runSubject(run.content),
      verdict: "violated",
      title: `No parameter changes over ${plural(steps.length, "step")}, though ${names.size === 1 ? "one has a gradient" : `${names.size} have gradients`}`,
      expected: "A step of the optimizer changes the parameters that require gradients.",
      actual: `The values of ${[...names].slice(0, namesListedMax).join(", ")} are the same at each step.`,
      causeKind: "change",
      measures: { parameterCount: names.size, unchangedCount: names.size },
      evidence: [stepReference(run, first, "the values of no parameter change")],
      fixes: [
        {
          description:
            "Give the optimizer the parameters of the model that is trained: those of before it was moved or wrapped are others.",
          cost: 1,
        },
      ],
    },
  ];
}

/** What was seen of one parameter over the steps of the optimizer that should have changed it. */
interface Seen {
  readonly name: string;
  readonly first: PlacedStep;
  stepCount: number;
  changedCount: number;
  isOptimized: boolean;
}

/** One finding on all parameters that never change, or none. */
export function staleParameters(run: EvidenceOf<"training">, stepCountMin: number): FindingParts[] {
  const seen = parametersSeen(run);
  const stale = seen.filter(
    ({ stepCount, changedCount }) => stepCount >= Math.max(1, stepCountMin) && changedCount === 0,
  );
  const [first] = stale;
  if (first === undefined) return [];
  const held = stale.filter(({ isOptimized }) => isOptimized);
  const isNoneChanged = stale.length === seen.length;
  const told = held.length > 0 ? held : stale;
  const names = told.slice(0, namesListedMax).map(({ name }) => name);
  const more = told.length > names.length ? ` and ${told.length - names.length} more` : "";
  const isViolated = held.length > 0 || isNoneChanged;
  return [
    {
      subject: runSubject(run.content),
      verdict: isViolated ? "violated" : "inconclusive",
      title: `${plural(told.length, "parameter")} of ${seen.length} that ${told.length === 1 ? "gets" : "get"} gradients ${told.length === 1 ? "does" : "do"} not change: ${names[0] ?? ""}${told.length > 1 ? " and others" : ""}`,
      expected: "A step of the optimizer changes every parameter that requires gradients.",
      actual: `The change is 0 at every one of ${plural(first.stepCount, "step")} with a gradient and a learning rate above 0: ${names.join(", ")}${more}.`,
      causeKind: isViolated ? "change" : "none",
      measures: { parameterCount: seen.length, unchangedCount: told.length },
      evidence: told
        .slice(0, namesListedMax)
        .map(({ name, first: place }) => stepReference(run, place, `${name} changed by 0`)),
      missing: isViolated
        ? []
        : ["Whether the parameters that no optimizer holds are meant to stay as they are."],
      fixes: isViolated
        ? [
            {
              description:
                "Give the optimizer the parameters of the model that is trained, after its last layer was replaced or moved.",
              cost: 1,
            },
          ]
        : [],
    },
  ];
}

function parametersSeen(run: EvidenceOf<"training">): Seen[] {
  const byName = new Map<string, Seen>();
  for (const place of placedSteps(run.content)) {
    if (!isApplied(place.step)) continue;
    for (const parameter of place.step.parameters ?? []) {
      if (!shouldChange(parameter, place.step)) continue;
      let known = byName.get(parameter.name);
      if (known === undefined) {
        known = {
          name: parameter.name,
          first: place,
          stepCount: 0,
          changedCount: 0,
          isOptimized: false,
        };
        byName.set(parameter.name, known);
      }
      known.stepCount += 1;
      if (numberOf(parameter.updateNorm) !== 0) known.changedCount += 1;
      if (parameter.isOptimized !== false) known.isOptimized = true;
    }
  }
  return [...byName.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

/** Whether a step that was made has to change this parameter, as far as is recorded. */
function shouldChange(parameter: ParameterState, { learningRates }: TrainingStep): boolean {
  const { requiresGradient, gradientNorm, updateNorm, learningRate } = parameter;
  const gradient = numberOf(gradientNorm);
  const isRated =
    learningRate === undefined
      ? learningRates !== undefined &&
        learningRates.length > 0 &&
        learningRates.every((rate) => rate > 0)
      : learningRate > 0;
  return (
    requiresGradient !== false &&
    updateNorm !== undefined &&
    gradient !== undefined &&
    Number.isFinite(gradient) &&
    gradient > 0 &&
    isRated
  );
}
