/** Steps of the optimizer that change weights by as much as they are, again and again: nothing that was learned stays. */

import type { FindingParts } from "../model/make-finding.ts";
import type { EvidenceOf } from "../model/snapshot.ts";
import { medianOf } from "../statistics/quantiles.ts";
import { plural } from "../text/plural.ts";
import { numberOf } from "./measured.ts";
import { isApplied, type PlacedStep, placedSteps, stepReference } from "./step-view.ts";

/** A change of a weight as a share of it; healthy steps change it by a thousandth or so. */
const shareMin = 1;
/** The last half of the steps counts: weights that begin at nothing change by more than they are. */
const stepCountMin = 20;
const parameterCountMin = 2;

/** What is wrong where half of the weights are replaced at each step; nothing elsewhere. */
export function oversizedUpdates(
  run: EvidenceOf<"training">,
): Omit<FindingParts, "subject"> | undefined {
  const steps = placedSteps(run.content).filter(({ step }) => isApplied(step));
  const measured = steps.filter((place) => sharesOf(place).length >= parameterCountMin);
  const late = measured.slice(Math.floor(measured.length / 2));
  const [first] = late;
  if (first === undefined || measured.length < stepCountMin) return undefined;
  const medians = late.map((place) => medianOf(sharesOf(place)) ?? 0);
  if (!medians.every((share) => share >= shareMin)) return undefined;
  const typical = Number((medianOf(medians) ?? 0).toPrecision(3));
  return {
    verdict: "violated",
    title: "Each step of the optimizer changes the weights by as much as they are",
    expected: "Steps that are small beside what they change.",
    actual: `Over the last ${plural(late.length, "step")} half of the weights change by ${typical} times their norm or more at each step.`,
    causeKind: "configuration",
    measures: { stepCount: measured.length, updateShare: typical },
    evidence: [stepReference(run, first, `half of the weights change by ${typical} of their norm`)],
    fixes: [
      {
        description: "Lower the learning rate by orders of magnitude, and warm it up.",
        cost: 1,
      },
    ],
  };
}

/** The changes of weights at a step, each as a share of the weight. */
function sharesOf({ step }: PlacedStep): number[] {
  return (step.parameters ?? []).flatMap(({ norm, updateNorm, requiresGradient }) => {
    const [size, change] = [numberOf(norm), numberOf(updateNorm)];
    if (size === undefined || change === undefined || requiresGradient === false) return [];
    return size > 0 && Number.isFinite(size) && Number.isFinite(change) ? [change / size] : [];
  });
}
