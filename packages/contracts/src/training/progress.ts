/** The loss of a run falls: as that of a healthy run does, below what knowing nothing gives, and not without end upwards. */

import { defineContract } from "../model/define-contract.ts";
import type { Contract } from "../model/contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { evidenceOfKind, type EvidenceOf } from "../model/snapshot.ts";
import { laggingBehind } from "./baseline-progress.ts";
import { type LossLevel, levelOf } from "./loss-level.ts";
import {
  chanceOfTrend,
  endsOf,
  isWarmingUp,
  lossesOf,
  type LossSeries,
  riseOf,
  spanOf,
} from "./loss-series.ts";
import { medianOf } from "../statistics/quantiles.ts";
import { runSubject, stepReference } from "./step-view.ts";
import { significant } from "../text/number-words.ts";

const options = {
  lossCountMin: {
    default: 20,
    description: "Losses of steps that train before anything is said of their course.",
  },
  flatStepCountMin: {
    default: 100,
    description:
      "Steps over which the loss must stay at what knowing nothing gives before the contract is violated.",
  },
  levelShareMax: {
    default: 0.02,
    description: "Distance below that level, as a share of it, that counts as being at it.",
  },
  riseFactorMin: {
    default: 100,
    description: "How many times larger the loss must have become to count as one without end.",
  },
  fallShareMin: {
    default: 0.2,
    description:
      "Share of the healthy run's fall below which the loss counts as one that does not fall.",
  },
  chanceMax: {
    default: 0.0001,
    description: "Chance of as clear a course without a cause, up to which it is believed.",
  },
};
type Options = { readonly [Name in keyof typeof options]: number };
type Run = EvidenceOf<"training">;
type Judged = Omit<FindingParts, "subject">;

/** The share of its level by which a loss over classes must exceed it to be worse than knowing nothing. */
const worseThanNothing = 1.5;
/** How far above the level a loss may lie that stays at it, as a share of it. */
const aboveShareMax = 0.005;
/** The chance above which a flat course is not said to fall. */
const flatChanceMin = 0.01;

export const progress: Contract = defineContract({
  id: "training/progress",
  version: 1,
  boundary: "dataset-loss",
  promise:
    "The loss falls as that of a healthy run does, does not stay at what knowing nothing gives, and does not rise without end.",
  reads: ["training"],
  options,
  check: (snapshot, settled, found) => {
    const runs = evidenceOfKind(snapshot, "training");
    const baselines = runs.filter(({ content }) => content.role === "baseline");
    return runs.flatMap((run) => {
      const losses = lossesOf(run.content);
      const isTold = losses.places.length > 0 || run.content.steps.some(isOfTraining);
      if (!isTold) return [];
      return [
        found({
          subject: runSubject(run.content),
          ...judge(run, losses, { settled, baselines }),
        }),
      ];
    });
  },
});

function isOfTraining({ calls = [] }: Run["content"]["steps"][number]): boolean {
  return calls.includes("step") || calls.includes("backward");
}

function judge(
  run: Run,
  losses: LossSeries,
  { settled, baselines }: { settled: Options; baselines: readonly Run[] },
): Judged {
  const count = losses.values.length;
  if (count < Math.max(4, settled.lossCountMin)) {
    return {
      verdict: "inconclusive",
      title: "Too few losses are recorded to tell their course",
      actual: `Finite losses of steps that train: ${count}.`,
      measures: { lossCount: count },
      missing: [`The loss of at least ${settled.lossCountMin} steps that train.`],
    };
  }
  const level = levelOf(run.content);
  return (
    endlessRise(run, losses, settled) ??
    worseThanChance(run, losses, { settled, level }) ??
    stayingAtLevel(run, losses, { settled, level }) ??
    (run.content.role === "baseline"
      ? undefined
      : laggingBehind(run, losses, { settled, baselines })) ??
    quiet(losses, { settled, baselines, level })
  );
}

function measuresOf({ values }: LossSeries): NonNullable<Judged["measures"]> {
  const { first, last } = endsOf(values);
  return {
    lossCount: values.length,
    lossFirstQuarter: medianOf(first),
    lossLastQuarter: medianOf(last),
  };
}

/** The loss has become many times what it was, all of its last quarter lies beyond its first, and it does not come back. */
function endlessRise(run: Run, losses: LossSeries, settled: Options): Judged | undefined {
  const { values, places } = losses;
  const { first, last } = endsOf(values);
  const largest = first.reduce((most, value) => Math.max(most, value), -Infinity);
  const least = last.reduce((most, value) => Math.min(most, value), Infinity);
  const start = medianOf(first);
  const rise = riseOf(values);
  if (!(start > 0) || least < largest * settled.riseFactorMin || rise === undefined)
    return undefined;
  if (rise.chance > settled.chanceMax) return undefined;
  const place = places[rise.index] ?? places[0];
  if (place === undefined) return undefined;
  return {
    verdict: "violated",
    title: `From step ${place.step.step} on the loss rises without end`,
    actual: `The loss is ${words(start)} in the first quarter and ${words(medianOf(last))} in the last, every one of which is more than ${settled.riseFactorMin} times all before; the chance of that without a cause is ${rise.chance.toExponential(1)}.`,
    causeKind: "data",
    measures: { ...measuresOf(losses), stepOfRise: place.step.step },
    evidence: [
      stepReference(run, place, `loss ${place.step.loss ?? ""}`),
      ...lastReference(run, losses),
    ],
    nextChecks: [
      `Look at the learning rate, the gradients and the data of step ${place.step.step}.`,
    ],
  };
}

/** A loss over classes that has become far worse than that of a model that knows nothing, and was better before. */
function worseThanChance(
  run: Run,
  losses: LossSeries,
  { settled, level }: { settled: Options; level: LossLevel | undefined },
): Judged | undefined {
  const { values, places } = losses;
  const { first, last } = endsOf(values);
  if (level === undefined || medianOf(last) < worseThanNothing * level.value) return undefined;
  const rise = riseOf(values);
  if (rise === undefined || rise.chance > settled.chanceMax) return undefined;
  if (medianOf(last) < worseThanNothing * medianOf(first)) return undefined;
  const place = places[rise.index] ?? places[0];
  if (place === undefined) return undefined;
  return {
    verdict: "violated",
    title: `From step ${place.step.step} on the loss is worse than that of a model that knows nothing`,
    actual: `It is ${words(medianOf(first))} in the first quarter and ${words(medianOf(last))} in the last, and ${level.words}.`,
    causeKind: "data",
    measures: { ...measuresOf(losses), stepOfRise: place.step.step },
    evidence: [
      stepReference(run, place, `loss ${place.step.loss ?? ""}`),
      ...lastReference(run, losses),
    ],
    nextChecks: [
      `Look at the learning rate, the gradients and the data of step ${place.step.step}.`,
    ],
  };
}

/** The later half stays at the level of knowing nothing, and does not fall. */
function stayingAtLevel(
  run: Run,
  losses: LossSeries,
  { settled, level }: { settled: Options; level: LossLevel | undefined },
): Judged | undefined {
  if (level === undefined) return undefined;
  const half = Math.floor(losses.values.length / 2);
  const [values, places] = [losses.values.slice(half), losses.places.slice(half)];
  const distance = (medianOf(values) - level.value) / level.value;
  // What is further above has not even learned how frequent each class is: it is still on its way, or its rate is small.
  if (distance < -settled.levelShareMax || distance > aboveShareMax) return undefined;
  if (chanceOfTrend(values, "down") < flatChanceMin) return undefined;
  const [first] = places;
  if (first === undefined) return undefined;
  const base = {
    title: `The loss stays at ${words(level.value)}, as if the model knew nothing`,
    actual: `Over the last ${values.length} losses, from step ${first.step.step} on, its median is ${words(medianOf(values))} and it does not fall; ${level.words}.`,
    measures: { ...measuresOf(losses), levelLoss: level.value, flatStepCount: spanOf(places) },
    evidence: [
      stepReference(run, first, `loss ${first.step.loss ?? ""}`),
      ...lastReference(run, losses),
    ],
  };
  const isShort = spanOf(places) < settled.flatStepCountMin;
  const isWarm = isWarmingUp(places);
  if (isShort || isWarm) {
    return {
      ...base,
      verdict: "inconclusive",
      missing: [
        isWarm
          ? "Steps after the warm-up of the learning rate."
          : `The course of the loss over at least ${settled.flatStepCountMin} steps of this kind.`,
      ],
    };
  }
  return {
    ...base,
    verdict: "violated",
    expected: `A loss that falls below ${words(level.value)}.`,
    causeKind: "data",
    nextChecks: [
      "Whether gradients reach the first layers, whether the optimizer holds the parameters of this model, and whether targets belong to their inputs.",
    ],
  };
}

function quiet(
  losses: LossSeries,
  {
    settled,
    baselines,
    level,
  }: { settled: Options; baselines: readonly Run[]; level: LossLevel | undefined },
): Judged {
  const { first, last } = endsOf(losses.values);
  const falls =
    chanceOfTrend(losses.values, "down") <= settled.chanceMax && medianOf(last) < medianOf(first);
  const measures = measuresOf(losses);
  const course = `The median of the loss is ${words(medianOf(first))} in the first quarter of ${losses.values.length} losses and ${words(medianOf(last))} in the last`;
  if (falls) {
    return { verdict: "holds", title: "The loss falls", actual: `${course}.`, measures };
  }
  const isBelow = level !== undefined && medianOf(last) < 0.8 * level.value;
  if (isBelow) {
    return {
      verdict: "holds",
      title: "The loss is below that of a model that knows nothing, and does not rise",
      actual: `${course}; ${level.words}.`,
      measures,
    };
  }
  return {
    verdict: "inconclusive",
    title: "The loss does not fall, and whether it should cannot be told",
    actual: `${course}, without a trend downwards.`,
    measures,
    missing: [
      baselines.length === 0
        ? "A healthy run to compare with, marked as the baseline."
        : "A healthy run whose loss falls over the same steps.",
      ...(level === undefined ? ["What its losses were given, one for each step."] : []),
    ],
  };
}

function lastReference(run: Run, { places }: LossSeries): ReturnType<typeof stepReference>[] {
  const last = places.at(-1);
  return last === undefined ? [] : [stepReference(run, last, `loss ${last.step.loss ?? ""}`)];
}

function words(value: number): string {
  return significant(value, 4);
}
