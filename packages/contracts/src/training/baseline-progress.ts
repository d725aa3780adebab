/** Whether the loss of a run stays where that of a healthy run falls. */

import type { FindingParts } from "../model/make-finding.ts";
import type { EvidenceOf } from "../model/snapshot.ts";
import { rankSumOf } from "../statistics/rank-sum.ts";
import { quantileOf, sortedNumbers } from "../statistics/quantiles.ts";
import { chanceOfTrend, endsOf, isWarmingUp, lossesOf, type LossSeries } from "./loss-series.ts";
import { medianOf } from "../statistics/quantiles.ts";
import { stepReference } from "./step-view.ts";
import { significant } from "../text/number-words.ts";

type Run = EvidenceOf<"training">;

/** How alike the first losses of two runs must be for the runs to be of one task. */
const startShareMax = 0.5;
/** How many times the spread of its own losses a healthy run must have fallen. */
const fallSpreadMin = 4;
/** How probable a loss of the run must be larger than one of the healthy run, in the last quarter. */
const superiorityMin = 0.95;

/** A finding where every healthy run of the task falls over the same steps, and this one does not. */
export function laggingBehind(
  run: Run,
  losses: LossSeries,
  {
    settled,
    baselines,
  }: {
    settled: { lossCountMin: number; fallShareMin: number; chanceMax: number };
    baselines: readonly Run[];
  },
): Omit<FindingParts, "subject"> | undefined {
  const compared = baselines.flatMap((baseline) => {
    const told = compare(losses, lossesOf(baseline.content), settled);
    return told === undefined ? [] : [{ baseline, ...told }];
  });
  const [first] = compared;
  if (first === undefined || !compared.every(({ isBehind }) => isBehind)) return undefined;
  const [start] = first.own.places;
  const last = first.own.places.at(-1);
  const lastOfOther = first.other.places.at(-1);
  if (start === undefined || last === undefined || lastOfOther === undefined) return undefined;
  const isWarm = isWarmingUp(first.own.places) && !isWarmingUp(first.other.places);
  return {
    verdict: isWarm ? "inconclusive" : "violated",
    title: `The loss does not fall where that of the healthy run ${first.baseline.content.run} does`,
    expected: `A fall like that of the healthy run, from ${words(first.otherFirst)} to ${words(first.otherLast)} over the same steps.`,
    actual: `From step ${start.step.step} to step ${last.step.step} the median of a quarter of the losses goes from ${words(first.ownFirst)} to ${words(first.ownLast)}; the chance of such losses in the healthy run is ${first.chance.toExponential(1)}.`,
    causeKind: isWarm ? "none" : "data",
    measures: {
      lossCount: first.own.values.length,
      lossLastQuarter: first.ownLast,
      baselineLossLastQuarter: first.otherLast,
    },
    evidence: [
      stepReference(run, last, `loss ${last.step.loss ?? ""}`),
      stepReference(first.baseline, lastOfOther, `loss ${lastOfOther.step.loss ?? ""}`),
    ],
    missing: isWarm ? ["Steps after the warm-up of the learning rate."] : [],
    nextChecks: ["What else differs between the two runs: training/learned-invariants tells."],
  };
}

interface Compared {
  readonly isBehind: boolean;
  readonly own: LossSeries;
  readonly other: LossSeries;
  readonly ownFirst: number;
  readonly ownLast: number;
  readonly otherFirst: number;
  readonly otherLast: number;
  readonly chance: number;
}

/** Two runs over the steps that both have; nothing where they are not of one task or the healthy one does not fall. */
function compare(
  losses: LossSeries,
  others: LossSeries,
  settled: { lossCountMin: number; fallShareMin: number; chanceMax: number },
): Compared | undefined {
  const [from, to] = [
    Math.max(firstStepOf(losses), firstStepOf(others)),
    Math.min(lastStepOf(losses), lastStepOf(others)),
  ];
  const [own, other] = [between(losses, from, to), between(others, from, to)];
  if (own.values.length < settled.lossCountMin || other.values.length < settled.lossCountMin) {
    return undefined;
  }
  const [ownEnds, otherEnds] = [endsOf(own.values), endsOf(other.values)];
  const [ownFirst, ownLast] = [medianOf(ownEnds.first), medianOf(ownEnds.last)];
  // Within the first quarter a healthy run has fallen a good way already: its beginning is where both begin.
  const otherFirst = medianOf(otherEnds.first.slice(0, Math.max(3, otherEnds.first.length >> 2)));
  const ownStart = medianOf(ownEnds.first.slice(0, Math.max(3, ownEnds.first.length >> 2)));
  const otherLast = medianOf(otherEnds.last);
  const isOneTask = Math.abs(ownStart - otherFirst) <= startShareMax * Math.abs(otherFirst);
  const fall = otherFirst - otherLast;
  const falls =
    fall > fallSpreadMin * spreadOf(otherEnds.last) &&
    chanceOfTrend(other.values, "down") <= settled.chanceMax;
  if (!isOneTask || !falls) return undefined;
  const { chance, superiority } = rankSumOf(
    sortedNumbers(ownEnds.last),
    sortedNumbers(otherEnds.last),
  );
  const isBehind =
    ownStart - ownLast < settled.fallShareMin * fall &&
    superiority >= superiorityMin &&
    chance <= Math.max(settled.chanceMax, leastChance(ownEnds.last.length, otherEnds.last.length));
  return { isBehind, own, other, ownFirst, ownLast, otherFirst, otherLast, chance };
}

/** Of few values even the clearest order is not so improbable: then only the clearest counts. */
function leastChance(count: number, otherCount: number): number {
  return (
    rankSumOf(
      Float64Array.from({ length: count }, (_, index) => index + otherCount),
      Float64Array.from({ length: otherCount }, (_, index) => index),
    ).chance * 1.000_001
  );
}

function firstStepOf({ places }: LossSeries): number {
  return places[0]?.step.step ?? 0;
}

function lastStepOf({ places }: LossSeries): number {
  return places.at(-1)?.step.step ?? 0;
}

function between({ places, values }: LossSeries, from: number, to: number): LossSeries {
  const isIn = (index: number): boolean => {
    const step = places[index]?.step.step ?? -1;
    return step >= from && step <= to;
  };
  return {
    places: places.filter((_place, index) => isIn(index)),
    values: values.filter((_value, index) => isIn(index)),
  };
}

function spreadOf(values: readonly number[]): number {
  const sorted = sortedNumbers(values);
  return quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25);
}

function words(value: number): string {
  return significant(value, 4);
}
