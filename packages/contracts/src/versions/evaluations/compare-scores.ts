/** How the scores of two variants differ: case by case where both had the same cases, else as two populations. */

import { chanceOfShares } from "../../statistics/fisher-exact.ts";
import { twoSidedQuantile, upperQuantile } from "../../statistics/normal-quantile.ts";
import { pairedPermutation } from "../../statistics/paired-permutation.ts";
import { sortedNumbers } from "../../statistics/quantiles.ts";
import { rankSumOf } from "../../statistics/rank-sum.ts";
import { compareText } from "../../text/compare-text.ts";
import type { EvaluationArm } from "./arms.ts";

export interface ScoreEffect {
  readonly metric: string;
  readonly isLowerBetter: boolean;
  readonly isPaired: boolean;
  /** Cases that both sides have. */
  readonly sharedCount: number;
  /** Cases of both, or of each. */
  readonly counts: readonly [baseline: number, candidate: number];
  readonly baseline: number;
  readonly candidate: number;
  /** Below zero where the candidate is worse, as a share of the range of the metric. */
  readonly gain: number;
  readonly chance: number;
  /** A loss below this share of the range would hardly have been seen. */
  readonly lossUnseen: number;
  /** Cases that are worse under the candidate, the worst first. */
  readonly worseIds: readonly string[];
}

/** The means of cases by metric, where a case was tried several times. */
export type ScoreTable = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** A case that could not be scored is left out of its scores; of what passed or failed it failed. */
export function scoresOf({ evidence, cases }: EvaluationArm): ScoreTable {
  const sums = new Map<string, Map<string, [sum: number, count: number]>>();
  for (const place of cases) {
    const item = evidence.content.cases[place];
    if (item === undefined) continue;
    for (const [metric, score] of Object.entries(item.scores)) {
      const known = sums.get(metric) ?? new Map<string, [number, number]>();
      sums.set(metric, known);
      const [sum, count] = known.get(item.id) ?? [0, 0];
      known.set(item.id, [sum + score, count + 1]);
    }
  }
  return new Map(
    [...sums].map(([metric, own]) => [
      metric,
      new Map([...own].map(([id, [sum, count]]) => [id, sum / count])),
    ]),
  );
}

/** Less of these is better. */
const lowerIsBetter =
  /toxic|bias|hallucinat|harmful|malicious|perplex|loss$|error|(?:^|[^a-z])(?:wer|cer|ter|bpb|mse|mae|rmse)(?:$|[^a-z])|latency|duration|elapsed|distance|cost|price|noise_?sensitivity|leak|refus|violation|(?:^|[^a-z])(?:ms|millis|seconds|secs|time|usd)(?:$|[^a-z])/i;
/** Sizes and places, of which neither more nor less is better. */
const noScore =
  /(?:^|[^a-z])(?:tokens|length|len|count|number|num|size|index|seed|step|epoch|attempts?)$|(?:Tokens|Count|Length|Size|Index)$/;

/** Whether more or less of a metric is better. */
export function isScore(metric: string): boolean {
  return !noScore.test(metric);
}

/** Of the cases of the smaller side, so many must be those of the other for pairs to stand for it. */
const pairedShareMin = 0.5;
const power = 0.8;
const worseCountMax = 5;

/** Metrics that both variants have for enough cases. */
export function metricsOf(
  tables: readonly [ScoreTable, ScoreTable],
  caseCountMin: number,
): string[] {
  return [...tables[0].keys()]
    .filter((metric) => tables.every((table) => (table.get(metric)?.size ?? 0) >= caseCountMin))
    .sort(compareText);
}

/** Compares one metric; `chance` is that of an error in this one test. */
export function effectOf(
  metric: string,
  tables: readonly [ScoreTable, ScoreTable],
  chanceMax: number,
): ScoreEffect {
  const [first = new Map<string, number>(), second = new Map<string, number>()] = [
    tables[0].get(metric),
    tables[1].get(metric),
  ];
  const isLowerBetter = lowerIsBetter.test(metric);
  const sign = isLowerBetter ? -1 : 1;
  const range = rangeOf(first, second);
  const ids = [...first.keys()].filter((id) => second.has(id)).sort(compareText);
  const isPaired = ids.length >= pairedShareMin * Math.min(first.size, second.size);
  const part = { metric, isLowerBetter, isPaired, sharedCount: ids.length };
  const quantiles = twoSidedQuantile(chanceMax) + upperQuantile(1 - power);
  if (!isPaired) {
    const [values, others] = [[...first.values()], [...second.values()]];
    const [baseline, candidate] = [meanOf(values), meanOf(others)];
    const isShare = areShares(values) && areShares(others);
    const spreadOf = isShare ? shareVarianceOf : varianceOf;
    const spread = Math.sqrt(spreadOf(values) / values.length + spreadOf(others) / others.length);
    return {
      ...part,
      counts: [values.length, others.length],
      baseline,
      candidate,
      gain: (sign * (candidate - baseline)) / range,
      chance: unpairedChance(values, others),
      lossUnseen: (quantiles * spread) / range,
      worseIds: [],
    };
  }
  const differences = ids.map((id) => sign * ((second.get(id) ?? 0) - (first.get(id) ?? 0)));
  const { mean, deviation, chance } = pairedPermutation(differences);
  return {
    ...part,
    counts: [ids.length, ids.length],
    baseline: meanOf(ids.map((id) => first.get(id) ?? 0)),
    candidate: meanOf(ids.map((id) => second.get(id) ?? 0)),
    gain: mean / range,
    chance,
    // Where no case differs, one that would is the least that could have been seen.
    lossUnseen: Math.max((quantiles * deviation) / range, 1 / ids.length),
    worseIds: ids
      .map((id, at) => ({ id, difference: differences[at] ?? 0 }))
      .filter(({ difference }) => difference < 0)
      .sort((left, right) => left.difference - right.difference || compareText(left.id, right.id))
      .slice(0, worseCountMax)
      .map(({ id }) => id),
  };
}

/** Scores between 0 and 1 have that range; whole points up to a round number of them, and others what was seen. */
function rangeOf(first: ReadonlyMap<string, number>, second: ReadonlyMap<string, number>): number {
  let [least, most] = [Infinity, -Infinity];
  let areWhole = true;
  for (const values of [first, second])
    for (const value of values.values()) {
      least = Math.min(least, value);
      most = Math.max(most, value);
      areWhole &&= Number.isInteger(value);
    }
  if (least >= 0 && most <= 1) return 1;
  for (const points of [5, 10, 100]) if (areWhole && least >= 0 && most <= points) return points;
  return Math.max(most - least, 1e-12);
}

function unpairedChance(values: readonly number[], others: readonly number[]): number {
  if (!areShares(values) || !areShares(others))
    return rankSumOf(sortedNumbers(values), sortedNumbers(others)).chance;
  const marked = (all: readonly number[]): number => all.reduce((sum, value) => sum + value, 0);
  return chanceOfShares({
    marked: marked(values),
    all: values.length,
    otherMarked: marked(others),
    otherAll: others.length,
  });
}

function areShares(values: readonly number[]): boolean {
  return values.every((value) => value === 0 || value === 1);
}

/** As if one more had passed and one more had failed: where none failed, it is not sure that none ever does. */
function shareVarianceOf(values: readonly number[]): number {
  const share = (values.reduce((sum, value) => sum + value, 0) + 1) / (values.length + 2);
  return share * (1 - share);
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return values.length < 2 ? 0 : square / (values.length - 1);
}
