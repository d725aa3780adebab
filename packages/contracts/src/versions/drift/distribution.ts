/** Whether one feature is distributed alike in two windows or versions. */

import { jensenShannon } from "../../statistics/jensen-shannon.ts";
import { populationStability } from "../../statistics/population-stability.ts";
import { quantileOf, sortedNumbers } from "../../statistics/quantiles.ts";
import { roundPercent } from "../../text/number-words.ts";

/** A value and when it was seen. */
export interface Observation {
  readonly value: number | string;
  readonly micros: number;
  /** Observations of one conversation count together as one. */
  readonly cluster: string;
}

export interface Difference {
  /** What each bin is called: a word, or a range of numbers. */
  readonly bins: readonly string[];
  readonly counts: readonly number[];
  readonly others: readonly number[];
  /** The index less what it is on average when both are alike. */
  readonly index: number;
  readonly divergenceBits: number;
  /** The larger of the chances of both measures. */
  readonly chance: number;
  /** The same index between the halves of each side: what moves within a window is no drift between both. */
  readonly indexWithin: number;
}

/** Bins of numbers, and words that are told apart. */
const binCountMax = 10;
const wordCountMax = 12;
/** A bin that is expected to have fewer on one side goes to the rest: of fewer, the chance would be wrong. */
const expectedCountMin = 5;

/** Compares two sides; nothing where they have no two bins. */
export function differenceOf(
  first: readonly Observation[],
  second: readonly Observation[],
): Difference | undefined {
  const binning = binningOf(first, second);
  if (binning === undefined) return undefined;
  const { bins, binOf } = binning;
  const count = (side: readonly Observation[]): number[] => {
    const counts = bins.map(() => 0);
    // Calls of one conversation are alike: together they tell no more than one.
    const weight = new Set(side.map(({ cluster }) => cluster)).size / Math.max(1, side.length);
    for (const { value } of side) {
      const bin = binOf(value);
      counts[bin] = (counts[bin] ?? 0) + weight;
    }
    return counts;
  };
  const [counts, others] = [count(first), count(second)];
  const stability = populationStability(counts, others);
  const divergence = jensenShannon(counts, others);
  const within = [first, second].map((side) => {
    const inTime = side.toSorted((left, right) => left.micros - right.micros);
    const middle = Math.floor(inTime.length / 2);
    const { index, expected } = populationStability(
      count(inTime.slice(0, middle)),
      count(inTime.slice(middle)),
    );
    return index - expected;
  });
  return {
    bins,
    counts,
    others,
    index: Math.max(0, stability.index - stability.expected),
    divergenceBits: divergence.bits,
    chance: Math.max(stability.chance, divergence.chance),
    indexWithin: Math.max(0, ...within),
  };
}

interface Binning {
  readonly bins: readonly string[];
  readonly binOf: (value: number | string) => number;
}

function binningOf(
  first: readonly Observation[],
  second: readonly Observation[],
): Binning | undefined {
  const all = [...first, ...second];
  const shareMin = expectedCountMin / Math.max(1, Math.min(first.length, second.length));
  const binning = all.every(({ value }) => typeof value === "number")
    ? numberBins(all, shareMin)
    : wordBins(all, shareMin);
  return binning.bins.length < 2 ? undefined : binning;
}

/** Bins of about as many each; a number that comes often has one to itself. */
function numberBins(all: readonly Observation[], shareMin: number): Binning {
  const sorted = sortedNumbers(all.map(({ value }) => Number(value)));
  const binCount = Math.max(1, Math.min(binCountMax, Math.floor(1 / shareMin)));
  const edges: number[] = [];
  for (let bin = 1; bin < binCount; bin += 1) {
    const edge = quantileOf(sorted, bin / binCount);
    if (edge > (edges.at(-1) ?? sorted[0] ?? 0)) edges.push(edge);
  }
  const words = (edge: number): string => String(Number(edge.toPrecision(3)));
  const bins = Array.from({ length: edges.length + 1 }, (_, at) => {
    const [low, high] = [edges[at - 1], edges[at]];
    if (low === undefined) return `below ${words(high ?? 0)}`;
    return high === undefined ? `from ${words(low)}` : `${words(low)} to ${words(high)}`;
  });
  return { bins, binOf: (value) => edges.filter((edge) => Number(value) >= edge).length };
}

function wordBins(all: readonly Observation[], shareMin: number): Binning {
  const counts = new Map<string, number>();
  for (const { value } of all) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const frequent = [...counts]
    .filter(([, count]) => count >= shareMin * all.length)
    .sort(([left, count], [right, other]) => other - count || (left < right ? -1 : 1))
    .slice(0, wordCountMax)
    .map(([word]) => word);
  const places = new Map(frequent.map((word, at) => [word, at]));
  const rest = all.length - frequent.reduce((sum, word) => sum + (counts.get(word) ?? 0), 0);
  // A rest that is too rare for a bin of its own is counted with the rarest word.
  const hasRest = rest >= shareMin * all.length || frequent.length === 0;
  const bins = hasRest ? [...frequent, "others"] : frequent;
  return { bins, binOf: (value) => places.get(String(value)) ?? bins.length - 1 };
}

/** The bins whose shares changed most: `tool_calls 12 % → 41 %`. */
export function changesOf({ bins, counts, others }: Difference, listedCountMax: number): string {
  const all = counts.reduce((sum, count) => sum + count, 0);
  const otherAll = others.reduce((sum, count) => sum + count, 0);
  return bins
    .map((bin, at) => ({
      bin,
      before: (counts[at] ?? 0) / all,
      after: (others[at] ?? 0) / otherAll,
    }))
    .toSorted(
      (left, right) => Math.abs(right.after - right.before) - Math.abs(left.after - left.before),
    )
    .slice(0, listedCountMax)
    .map(({ bin, before, after }) => `${bin} ${roundPercent(before)} → ${roundPercent(after)}`)
    .join(", ");
}
