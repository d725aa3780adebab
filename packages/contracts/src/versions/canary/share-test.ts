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
const stepShareMin = 0.75;
const slopeShareMax = 0.4;

/**
 * Versions that served one after the other differ by a step where they meet. What comes and goes with the time, as load does, differs
 * within each of them as well.
 */
function isStep(sample: Sample, { indices, marks }: Marked, rise: number): boolean {
  const halves = [0, 1].map((side) => {
    const own = indices
      .map((at, index) => ({ at, mark: marks[index] ?? 0 }))
      .filter(({ at }) => sample.isSecond[at] === side)
      .sort((left, right) => (sample.times[left.at] ?? 0) - (sample.times[right.at] ?? 0));
    const middle = Math.floor(own.length / 2);
    return {
      from: sample.times[own[0]?.at ?? 0] ?? 0,
      to: sample.times[own.at(-1)?.at ?? 0] ?? 0,
      early: shareOf(own.slice(0, middle)),
      late: shareOf(own.slice(middle)),
    };
  });
  const [first, second] = halves;
  if (first === undefined || second === undefined) return false;
  const isAfter = second.from >= first.from;
  const gap = isAfter ? second.from - first.to : first.from - second.to;
  // What was not seen for longer than either served may hold anything.
  if (gap > Math.max(first.to - first.from, second.to - second.from)) return false;
  const atChange = isAfter ? second.early - first.late : second.late - first.early;
  const within = Math.max(Math.abs(first.late - first.early), Math.abs(second.late - second.early));
  return (
    Math.sign(atChange) === Math.sign(rise) &&
    Math.abs(atChange) >= stepShareMin * Math.abs(rise) &&
    within <= slopeShareMax * Math.abs(rise)
  );
}

function shareOf(items: readonly { readonly mark: number }[]): number {
  return items.length === 0 ? 0 : items.reduce((sum, { mark }) => sum + mark, 0) / items.length;
}
