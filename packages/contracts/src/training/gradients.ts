/** Losses and gradients that are used are finite numbers, and gradients neither vanish nor explode. */

import { defineContract } from "../model/define-contract.ts";
import type { Contract } from "../model/contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { evidenceOfKind, type EvidenceOf } from "../model/snapshot.ts";
import { plural } from "../text/plural.ts";
import { courseOf } from "./gradient-course.ts";
import { isNotFinite } from "./measured.ts";
import { oversizedUpdates } from "./update-size.ts";
import { isApplied, type PlacedStep, placedSteps, runSubject, stepReference } from "./step-view.ts";

const options = {
  occurrenceCountMin: {
    default: 2,
    description:
      "Steps with a loss or gradient that is no finite number before the contract is violated.",
  },
  normCountMin: {
    default: 20,
    description: "Norms of gradients before anything is said of their course.",
  },
  explosionFactorMin: {
    default: 100,
    description:
      "How many times the norm of the first half the gradients at the end must be to explode.",
  },
  vanishingShareMax: {
    default: 0.00001,
    description:
      "Share of the first norms, or of those of other layers, up to which gradients have vanished.",
  },
};
type Options = { readonly [Name in keyof typeof options]: number };

export const finiteGradients: Contract = defineContract({
  id: "training/gradients",
  version: 3,
  boundary: "dataset-loss",
  promise:
    "The optimizer steps on losses and gradients that are finite numbers, and gradients reach the parameters, neither vanishing nor exploding.",
  reads: ["training"],
  options,
  check: (snapshot, settled, found) =>
    evidenceOfKind(snapshot, "training").map((run) => found(verdictOf(run, settled))),
});

function verdictOf(run: EvidenceOf<"training">, settled: Options): FindingParts {
  const subject = runSubject(run.content);
  // A step that mixed precision skipped used nothing.
  const applied = placedSteps(run.content).filter(({ step }) => isApplied(step));
  const measured = applied.filter(
    ({ step }) => step.loss !== undefined || step.gradientNorm !== undefined,
  );
  const broken = applied.flatMap((place): [PlacedStep, string][] => {
    const words = brokenWords(place);
    return words === undefined ? [] : [[place, words]];
  });
  const [first] = broken;
  const isViolated = broken.length >= Math.max(1, settled.occurrenceCountMin);
  if (first !== undefined) {
    const [place, words] = first;
    return {
      subject,
      verdict: isViolated ? "violated" : "inconclusive",
      title: `From step ${place.step.step} on, ${words}, and the optimizer steps on it`,
      actual: `${plural(broken.length, "step")} of ${applied.length}; at step ${place.step.step}: ${words}.`,
      causeKind: isViolated ? "data" : "none",
      measures: { stepCount: applied.length, brokenStepCount: broken.length },
      evidence: [stepReference(run, place, words)],
      missing: isViolated ? [] : ["More steps: it was seen once."],
      nextChecks: [
        `Look at the data, the learning rate and the largest activations of step ${place.step.step}.`,
      ],
    };
  }
  const course = courseOf(run, settled) ?? oversizedUpdates(run);
  if (course !== undefined) return { subject, ...course };
  if (measured.length === 0) {
    return {
      subject,
      verdict: "inconclusive",
      title: "Neither losses nor gradients are recorded",
      actual: `${plural(applied.length, "step")} of the optimizer without either.`,
      missing: ["The loss and the norm of the gradients at each step of the optimizer."],
    };
  }
  return {
    subject,
    verdict: "holds",
    title: "Losses and gradients are finite",
    actual: `${plural(measured.length, "step")} of the optimizer with finite numbers.`,
    measures: { stepCount: measured.length },
  };
}

function brokenWords({ step }: PlacedStep): string | undefined {
  if (isNotFinite(step.loss)) return `the loss is ${step.loss}`;
  if (isNotFinite(step.gradientNorm)) return `the norm of the gradients is ${step.gradientNorm}`;
  const [parameter] = (step.parameters ?? [])
    .filter(({ gradientNorm, norm }) => isNotFinite(gradientNorm) || isNotFinite(norm))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  if (parameter === undefined) return undefined;
  return isNotFinite(parameter.gradientNorm)
    ? `the gradient of ${parameter.name} is ${parameter.gradientNorm}`
    : `the norm of ${parameter.name} itself is ${parameter.norm}`;
}
