/** Whether a mark is surely more or less frequent in the second of two populations of units. */

import { stratifiedDifference } from "../../statistics/clustered-shares.ts";
import { chanceOfShares, type TwoShares } from "../../statistics/fisher-exact.ts";
import type { Sample } from "./sample.ts";

/** Surely more, surely less, neither, or a difference that time or cohorts explain as well. */
export type Direction = "more" | "less" | "unsure" | "explained";

/** Units that have a mark or not, out of a sample. */
export interface Marked {
  /** Indices into the sample, and whether each is marked. */
  readonly indices: readonly number[];
  readonly marks: Uint8Array;
}

export function countMarks({ isSecond }: Sample, { indices, marks }: Marked): TwoShares {
  const counts = { marked: 0, all: 0, otherMarked: 0, otherAll: 0 };
  indices.forEach((at, index) => {
    const mark = marks[index] ?? 0;
    if (isSecond[at] === 1) {
      counts.otherAll += 1;
      counts.otherMarked += mark;
    } else {
      counts.all += 1;
      counts.marked += mark;
    }
  });
  return counts;
}

/** Of a stratification, so many of the smaller side must have counterparts. */
const comparedShareMin = 0.5;

/**
 * A difference is sure when Fisher's exact test says so, and also the difference within slices of time and within cohorts, with units of
 * one conversation taken together: what explains it otherwise would show in one of these.
 */
export function directionOf(sample: Sample, marked: Marked, chanceMax: number): Direction {
  const counts = countMarks(sample, marked);
  if (chanceOfShares(counts) > chanceMax) return "unsure";
  const rise = counts.otherMarked / counts.otherAll - counts.marked / counts.all;
  const { indices, marks } = marked;
  const isSecond = Uint8Array.from(indices, (at) => sample.isSecond[at] ?? 0);
  const clusters = Int32Array.from(indices, (at) => sample.clusters[at] ?? 0);
  for (const [index, stratification] of sample.stratifications.entries()) {
    const strata = Int32Array.from(indices, (at) => stratification[at] ?? 0);
    const test = stratifiedDifference({ marks, isSecond, strata, clusters });
    const isCompared =
      test.comparedCount >= comparedShareMin * Math.min(counts.all, counts.otherAll);
    if (isCompared && test.chance <= chanceMax && Math.sign(test.difference) === Math.sign(rise))
      continue;
    // The first has one stratum: what is not sure there has too few clusters, and nothing else explains it.
    return index === 0 ? "unsure" : "explained";
  }
  if (!sample.isConcurrent && !isStep(sample, marked, rise)) return "explained";
  return rise > 0 ? "more" : "less";
}

/** Of the whole difference, so much must lie at the change of versions, and at most so much within one of them. */
const stepShareMin = 0.5;
const slopeShareMax = 0.4;
/** Deviations by which the jump must differ from none. */
const jumpDeviationsMin = 2;
/** Deviations by which halves must differ to be unlike. */
const slopeDeviationsMin = 1.6;

interface TimedMark {
  readonly micros: number;
  readonly mark: number;
}

/**
 * Versions that served one after the other differ by a jump where they meet. What comes and goes with the time, as load does, differs
 * within each of them as well, and lines through both meet there.
 */
function isStep(sample: Sample, { indices, marks }: Marked, rise: number): boolean {
  const sideOf = (side: number): TimedMark[] =>
    indices
      .map((at, index) => ({ at, mark: marks[index] ?? 0 }))
      .filter(({ at }) => sample.isSecond[at] === side)
      .map(({ at, mark }) => ({ micros: sample.times[at] ?? 0, mark }))
      .sort((left, right) => left.micros - right.micros);
  const [first, second] = [sideOf(0), sideOf(1)];
  const isAfter = (second[0]?.micros ?? 0) >= (first[0]?.micros ?? 0);
  const [before, after] = isAfter ? [first, second] : [second, first];
  const end = before.at(-1)?.micros ?? 0;
  const begin = after[0]?.micros ?? 0;
  // What was not seen for longer than either served may hold anything.
  if (begin - end > Math.max(lengthOf(before), lengthOf(after))) return false;
  if ([before, after].some((side) => hasSlope(side, slopeShareMax * Math.abs(rise)))) return false;
  const [early, late] = [before, after].map((side) => extrapolated(side, (begin + end) / 2));
  if (early === undefined || late === undefined) return false;
  const jump = (late.value - early.value) * (isAfter ? 1 : -1);
  return (
    Math.sign(jump) === Math.sign(rise) &&
    Math.abs(jump) >= stepShareMin * Math.abs(rise) &&
    Math.abs(jump) >= jumpDeviationsMin * Math.hypot(early.deviation, late.deviation)
  );
}

function lengthOf(side: readonly TimedMark[]): number {
  return (side.at(-1)?.micros ?? 0) - (side[0]?.micros ?? 0);
}

/** Whether the second half of a side differs from the first by more than so much, and by more than chance makes. */
function hasSlope(side: readonly TimedMark[], differenceMax: number): boolean {
  const middle = Math.floor(side.length / 2);
  const [early, late] = [side.slice(0, middle), side.slice(middle)];
  const difference = Math.abs(meanOf(late, "mark") - meanOf(early, "mark"));
  const share = meanOf(side, "mark");
  const deviation = Math.sqrt(share * (1 - share) * (1 / early.length + 1 / late.length));
  return difference > differenceMax && difference > slopeDeviationsMin * deviation;
}

function meanOf(items: readonly TimedMark[], name: keyof TimedMark): number {
  return items.length === 0 ? 0 : items.reduce((sum, item) => sum + item[name], 0) / items.length;
}

/** Where the line through one side lies at a moment, by least squares, and how uncertain that is. */
function extrapolated(
  side: readonly TimedMark[],
  micros: number,
): { readonly value: number; readonly deviation: number } | undefined {
  const count = side.length;
  if (count < 3) return undefined;
  const middle = meanOf(side, "micros");
  const level = meanOf(side, "mark");
  let square = 0;
  let product = 0;
  for (const { micros: at, mark } of side) {
    square += (at - middle) ** 2;
    product += (at - middle) * (mark - level);
  }
  const slope = square === 0 ? 0 : product / square;
  let rest = 0;
  for (const { micros: at, mark } of side) rest += (mark - level - slope * (at - middle)) ** 2;
  const distance = micros - middle;
  const spread = 1 / count + (square === 0 ? 0 : distance ** 2 / square);
  return {
    value: level + slope * distance,
    deviation: Math.sqrt((rest / (count - 2)) * spread),
  };
}
