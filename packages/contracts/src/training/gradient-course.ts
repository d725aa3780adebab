/** Gradients that vanish, explode or never reach the parameters, told from their norms over the steps of a run. */

import type { FindingParts } from "../model/make-finding.ts";
import type { EvidenceOf } from "../model/snapshot.ts";
import { plural } from "../text/plural.ts";
import { medianOf } from "../statistics/quantiles.ts";
import { chanceOfTrend, endsOf, lossesOf } from "./loss-series.ts";
import { numberOf } from "./measured.ts";
import { isApplied, type PlacedStep, placedSteps, stepReference } from "./step-view.ts";
import { significant } from "../text/number-words.ts";

type Run = EvidenceOf<"training">;
type Judged = Omit<FindingParts, "subject">;

export interface CourseOptions {
  readonly normCountMin: number;
  readonly explosionFactorMin: number;
  readonly vanishingShareMax: number;
}

/** So many steps at the end must all be far beyond the beginning. */
const endCountMin = 3;
/** Growth beyond which even a run without losses is not healthy. */
const sureFactor = 1e4;
/** What the loss must at least have grown by beside the gradients. */
const lossFactorMin = 2;
/** A trend of the loss with a chance above this is none. */
const flatChanceMin = 0.01;
const namesListedMax = 10;
/** So many steps, and so large a share of the parameters, must be without gradients. */
const bareStepCountMin = 10;
const bareShareMin = 0.5;

/** What is wrong, or suspicious, with the course of the norms; nothing where they tell nothing of that kind. */
export function courseOf(run: Run, options: CourseOptions): Judged | undefined {
  const applied = placedSteps(run.content).filter(({ step }) => isApplied(step));
  return (
    noGradients(run, applied, options) ??
    exploding(run, applied, options) ??
    vanishing(run, applied, options) ??
    vanishingLayers(run, applied, options) ??
    bareParameters(run, applied)
  );
}

interface Norms {
  readonly places: readonly PlacedStep[];
  readonly values: readonly number[];
}

function normsOf(applied: readonly PlacedStep[]): Norms {
  const places = applied.filter(({ step }) => Number.isFinite(numberOf(step.gradientNorm)));
  return { places, values: places.map(({ step }) => numberOf(step.gradientNorm) ?? 0) };
}

/** Every gradient is 0, and the loss is not: nothing can be learned. */
function noGradients(
  run: Run,
  applied: readonly PlacedStep[],
  { normCountMin }: CourseOptions,
): Judged | undefined {
  const { places, values } = normsOf(applied);
  const [first] = places;
  // Some trainers write 0 for norms that they do not know: where the loss falls, it is no finding.
  const isLost =
    places.every(({ step }) => Math.abs(numberOf(step.loss) ?? 0) > 0) &&
    hasFallen(lossesOf(run.content).values) !== true;
  if (first === undefined || !isLost || values.some((value) => value !== 0)) return undefined;
  const isViolated = values.length >= Math.min(endCountMin, normCountMin);
  return {
    verdict: isViolated ? "violated" : "inconclusive",
    title: "No gradient reaches the parameters: all of them are 0, and the loss is not",
    actual: `The norm of the gradients is 0 at all ${plural(values.length, "step")} of the optimizer that have one.`,
    causeKind: isViolated ? "change" : "none",
    measures: { stepCount: values.length },
    evidence: places.slice(0, 3).map((place) => normReference(run, place)),
    missing: isViolated ? [] : ["More steps of the optimizer."],
    nextChecks: [
      "Where the graph is cut: detach, no_grad, .item(), or an activation that is dead.",
    ],
  };
}

/** The norms at the end lie far beyond those of the beginning, and the loss has grown with them. */
function exploding(
  run: Run,
  applied: readonly PlacedStep[],
  { normCountMin, explosionFactorMin }: CourseOptions,
): Judged | undefined {
  const { places, values } = normsOf(applied);
  if (values.length < normCountMin) return undefined;
  const half = values.slice(0, values.length >> 1);
  const start = medianOf(half);
  // What was reached before, as a spike that passed, is no explosion.
  const bar = explosionFactorMin * start;
  if (!(start > 0) || half.some((value) => value >= bar)) return undefined;
  const from = firstOfTail(values, bar);
  const place = places[from];
  if (place === undefined || values.length - from < endCountMin) return undefined;
  const losses = lossesOf(run.content).values;
  const ends = endsOf(losses);
  const isLossKnown = losses.length >= 4;
  const hasLossGrown =
    isLossKnown &&
    medianOf(losses.slice(-endCountMin)) >= lossFactorMin * Math.abs(medianOf(ends.first));
  const tail = medianOf(values.slice(from));
  const isSure = hasLossGrown || (!isLossKnown && tail >= sureFactor * start);
  const base = {
    title: `From step ${place.step.step} on the gradients explode`,
    actual: `The median of their norm is ${words(start)} in the first half of ${plural(values.length, "step")}, and ${words(tail)} from step ${place.step.step} to the end${hasLossGrown ? `; the loss went from ${words(medianOf(ends.first))} to ${words(medianOf(losses.slice(-endCountMin)))}` : ""}.`,
    measures: { stepCount: values.length, normFirstHalf: start, normAtEnd: tail },
    evidence: [
      normReference(run, place),
      ...lastOf(places).map((last) => normReference(run, last)),
    ],
    nextChecks: [`Look at the learning rate, clipping and the data of step ${place.step.step}.`],
  };
  return isSure
    ? {
        ...base,
        verdict: "violated",
        expected: `Norms below ${explosionFactorMin} times those of the first half.`,
        causeKind: "data",
        fixes: [
          {
            description:
              "Lower the learning rate or warm it up, clip the gradients, or normalise what grows.",
            cost: 1,
          },
        ],
      }
    : {
        ...base,
        verdict: "inconclusive",
        missing: [
          isLossKnown
            ? "Steps after these: the loss has not grown with the gradients."
            : "The loss at these steps.",
        ],
      };
}

/** Where the values begin to be at least `bar` until the end. */
function firstOfTail(values: readonly number[], bar: number): number {
  let from = values.length;
  while (from > 0 && (values[from - 1] ?? 0) >= bar) from -= 1;
  return from;
}

/** The norm of all gradients has become next to nothing, and the loss has not fallen. */
function vanishing(
  run: Run,
  applied: readonly PlacedStep[],
  { normCountMin, vanishingShareMax }: CourseOptions,
): Judged | undefined {
  const { places, values } = normsOf(applied);
  if (values.length < normCountMin) return undefined;
  const { first, last } = endsOf(values);
  const [start, end] = [medianOf(first), medianOf(last)];
  if (!(start > 0) || end > vanishingShareMax * start) return undefined;
  const losses = lossesOf(run.content).values;
  if (hasFallen(losses) === true) return undefined;
  const isViolated = losses.length >= normCountMin;
  return {
    verdict: isViolated ? "violated" : "inconclusive",
    title: "The gradients vanish, and the loss has not fallen",
    actual: `The median of their norm is ${words(start)} in the first quarter of ${plural(values.length, "step")} and ${words(end)} in the last.`,
    causeKind: isViolated ? "data" : "none",
    measures: { stepCount: values.length, normFirstQuarter: start, normLastQuarter: end },
    evidence: [...places.slice(0, 1), ...lastOf(places)].map((place) => normReference(run, place)),
    missing: isViolated
      ? []
      : ["The loss at these steps: where it has fallen, small gradients are its success."],
  };
}

/** The gradients of several layers are next to nothing beside those of others, at all steps. */
function vanishingLayers(
  run: Run,
  applied: readonly PlacedStep[],
  { normCountMin, vanishingShareMax }: CourseOptions,
): Judged | undefined {
  const layers = weightsOf(applied).filter(({ norms }) => norms.length >= normCountMin);
  const largest = layers.reduce((most, { norms }) => Math.max(most, medianOf(norms)), 0);
  const small = layers.filter(
    ({ norms }) => medianOf(norms) <= vanishingShareMax * largest && norms.some((norm) => norm > 0),
  );
  const [first] = small;
  if (first === undefined || small.length < 2 || largest === 0) return undefined;
  const losses = lossesOf(run.content).values;
  const fallen = hasFallen(losses);
  // A model that learns with them, as with attention that is settled, is none to worry about.
  if (fallen === true) return undefined;
  const isViolated = fallen === false && losses.length >= normCountMin;
  return {
    verdict: isViolated ? "violated" : "inconclusive",
    title: `The gradients of ${plural(small.length, "layer")} vanish beside those of the others, and the loss has not fallen`,
    actual: `The median norms of ${small
      .slice(0, namesListedMax)
      .map(({ name, norms }) => `${name} (${words(medianOf(norms))})`)
      .join(", ")} stand beside ${words(largest)} for the largest.`,
    causeKind: isViolated ? "change" : "none",
    measures: { layerCount: layers.length, vanishingLayerCount: small.length },
    evidence: small
      .slice(0, namesListedMax)
      .map(({ name, first: place, norms }) =>
        stepReference(run, place, `gradient of ${name} ${norms[0] ?? ""}`),
      ),
    missing: isViolated ? [] : ["The course of the loss at these steps."],
    fixes: isViolated
      ? [
          {
            description:
              "Use activations that do not saturate, residual connections or normalisation, and initial weights that fit them.",
            cost: 2,
          },
        ]
      : [],
  };
}

interface Layer {
  readonly name: string;
  readonly first: PlacedStep;
  readonly norms: number[];
}

/** Weights with the norms of their gradients. Those of biases may be nothing in healthy models, before a normalisation. */
function weightsOf(applied: readonly PlacedStep[]): Layer[] {
  const layers = new Map<string, Layer>();
  for (const place of applied) {
    for (const { name, gradientNorm } of place.step.parameters ?? []) {
      const norm = numberOf(gradientNorm);
      if (norm === undefined || !Number.isFinite(norm) || !/weight$|kernel$/i.test(name)) continue;
      const known = layers.get(name);
      if (known === undefined) layers.set(name, { name, first: place, norms: [norm] });
      else known.norms.push(norm);
    }
  }
  return [...layers.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

/** At least half of the parameters that the optimizer holds never get a gradient, while others do. */
function bareParameters(run: Run, applied: readonly PlacedStep[]): Judged | undefined {
  const measured = applied.filter(({ step }) =>
    step.parameters?.some(({ gradientNorm }) => gradientNorm !== undefined),
  );
  const [first] = measured;
  if (first === undefined || measured.length < bareStepCountMin) return undefined;
  const reached = new Map<string, boolean>();
  for (const { step } of measured) {
    for (const { name, gradientNorm, requiresGradient, isOptimized } of step.parameters ?? []) {
      if (requiresGradient !== true || isOptimized !== true) continue;
      reached.set(name, (reached.get(name) ?? false) || gradientNorm !== undefined);
    }
  }
  const bare = [...reached]
    .filter(([, isReached]) => !isReached)
    .map(([name]) => name)
    .toSorted();
  if (bare.length === 0) return undefined;
  const isViolated = bare.length >= bareShareMin * reached.size;
  const names = bare.slice(0, namesListedMax).join(", ");
  return {
    verdict: isViolated ? "violated" : "inconclusive",
    title: `${plural(bare.length, "parameter")} of ${reached.size} that the optimizer holds and that require gradients never get one`,
    expected: "A gradient at some step for every parameter that requires one.",
    actual: `No gradient at any of ${plural(measured.length, "step")}: ${names}${bare.length > namesListedMax ? " and others" : ""}.`,
    causeKind: isViolated ? "change" : "none",
    measures: { parameterCount: reached.size, withoutGradientCount: bare.length },
    evidence: [stepReference(run, first, `no gradient of ${bare[0] ?? ""}`)],
    missing: isViolated ? [] : ["Whether these parameters are meant to be used."],
    fixes: isViolated
      ? [
          {
            description:
              "Remove what cuts the graph (detach, no_grad, .data), or leave parameters that are meant to stay out of the optimizer.",
            cost: 1,
          },
        ]
      : [],
  };
}

/** Whether the loss falls over the run; nothing where too few losses are recorded. */
function hasFallen(losses: readonly number[]): boolean | undefined {
  if (losses.length < 10) {
    const [start = 0] = losses;
    return (losses.at(-1) ?? start) < 0.8 * start ? true : undefined;
  }
  const { first, last } = endsOf(losses);
  return chanceOfTrend(losses, "down") < flatChanceMin || medianOf(last) < 0.9 * medianOf(first);
}

function lastOf(places: readonly PlacedStep[]): PlacedStep[] {
  const last = places.at(-1);
  return last === undefined ? [] : [last];
}

function normReference(run: Run, place: PlacedStep): ReturnType<typeof stepReference> {
  return stepReference(run, place, `norm of the gradients ${place.step.gradientNorm ?? ""}`);
}

function words(value: number): string {
  return significant(value, 3);
}
