/**
 * Counts that are nearly always zero, as of errors, drops and restarts, have no spread to measure a change with. What tells
 * of them is how often they are not zero, before a place and from it on.
 */

import { chanceOfShares } from "../statistics/fisher-exact.ts";

export interface RareChange {
  /** The first value of the new behaviour. */
  readonly index: number;
  /** The chance of so much more often, when nothing changed; over all places where none was known. */
  readonly chance: number;
  /** The signed root of the likelihood ratio, in deviations. */
  readonly score: number;
}

/** Of the values before, the share that must be zero for the others to be rare. */
const zeroShareMin = 0.75;
/** Fewer values on a side say too little of how often something happens. */
const sideCountMin = 8;
/** In each half of the later time it happens at least by this share as often as in both: what passes by is no departure. */
const halfShareMin = 0.5;
/** Nobody knows how long a run of what never happened before may be: so many values, or this share of all. */
const runLengthLeast = 4;
const runLengthShare = 1 / 40;

/** How much more often something happens from a place on; nothing where it was not rare before. */
export function rareChangeAt(values: Float64Array, index: number): RareChange | undefined {
  const counts = countsOf(values);
  return counts === undefined ? undefined : changeAt(counts, index);
}

/** The place from which on something happens much more often, wherever it is. */
export function rareChangeIn(values: Float64Array): RareChange | undefined {
  const counts = countsOf(values);
  if (counts === undefined) return undefined;
  let [best, bestIndex] = [0, 0];
  for (let index = sideCountMin; index <= values.length - sideCountMin; index += 1) {
    // A departure begins with what departs.
    if (values[index] === 0) continue;
    const ratio = isRareBefore(counts, index) ? ratioAt(counts, index) : 0;
    if (ratio > best) [best, bestIndex] = [ratio, index];
  }
  const found = best === 0 ? undefined : changeAt(counts, bestIndex);
  if (found === undefined) return undefined;
  const places = values.length / runLengthOf(counts, bestIndex);
  return { ...found, chance: Math.min(1, found.chance * places) };
}

/** Whether a series is one of counts that were rare before a place. */
export function isRare(values: Float64Array, index: number): boolean {
  const counts = countsOf(values);
  return counts !== undefined && isRareBefore(counts, index);
}

interface Counts {
  /** Values that are not zero, and runs of them, that begin before each place. */
  readonly seen: Uint32Array;
  readonly runs: Uint32Array;
  /** The longest run that began before each place, as far as it goes before it. */
  readonly longest: Uint32Array;
}

function countsOf(values: Float64Array): Counts | undefined {
  // Most series are never zero, and nothing is made of them.
  if (!hasZeros(values)) return undefined;
  const seen = new Uint32Array(values.length + 1);
  const runs = new Uint32Array(values.length + 1);
  const longest = new Uint32Array(values.length + 1);
  let run = 0;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? 0;
    if (!(value >= 0)) return undefined;
    seen[at + 1] = (seen[at] ?? 0) + (value > 0 ? 1 : 0);
    run = value > 0 ? run + 1 : 0;
    runs[at + 1] = (runs[at] ?? 0) + (run === 1 ? 1 : 0);
    longest[at + 1] = Math.max(longest[at] ?? 0, run);
  }
  return { seen, runs, longest };
}

function hasZeros(values: Float64Array): boolean {
  let count = 0;
  for (const value of values) {
    if (value !== 0) continue;
    count += 1;
    if (count >= zeroShareMin * sideCountMin) return true;
  }
  return false;
}

function isRareBefore({ seen }: Counts, index: number): boolean {
  return (seen[index] ?? 0) <= (1 - zeroShareMin) * index;
}

function changeAt(counts: Counts, index: number): RareChange | undefined {
  const { seen } = counts;
  const count = seen.length - 1;
  const isLong = index >= sideCountMin && count - index >= sideCountMin;
  if (!isLong || !isRareBefore(counts, index) || !isLasting(seen, index)) return undefined;
  const ratio = ratioAt(counts, index);
  if (ratio === 0) return undefined;
  // What comes in runs comes less often than it is counted.
  const run = runLengthOf(counts, index);
  const [before, all] = [seen[index] ?? 0, seen[count] ?? 0];
  return {
    index,
    chance: chanceOfShares({
      marked: Math.floor((all - before) / run),
      all: Math.floor((count - index) / run),
      otherMarked: Math.ceil(before / run),
      otherAll: Math.floor(index / run),
    }),
    score: Math.sqrt(ratio / run),
  };
}

function isLasting(seen: Uint32Array, index: number): boolean {
  const count = seen.length - 1;
  const middle = (index + count) >>> 1;
  const shareOf = (from: number, to: number): number =>
    ((seen[to] ?? 0) - (seen[from] ?? 0)) / Math.max(1, to - from);
  const least = halfShareMin * shareOf(index, count);
  return shareOf(index, middle) >= least && shareOf(middle, count) >= least;
}

/** Twice the logarithm of the likelihood ratio of two shares against one; zero where it does not happen more often. */
function ratioAt({ seen }: Counts, index: number): number {
  const count = seen.length - 1;
  const [before, all] = [seen[index] ?? 0, seen[count] ?? 0];
  const [early, late] = [before / index, (all - before) / (count - index)];
  if (late <= early) return 0;
  const loss = index * entropyOf(early) + (count - index) * entropyOf(late);
  return Math.max(0, 2 * (count * entropyOf(all / count) - loss));
}

function entropyOf(share: number): number {
  if (share <= 0 || share >= 1) return 0;
  return -share * Math.log(share) - (1 - share) * Math.log1p(-share);
}

/**
 * How many values stand for one event: those of the longest run before; and of the later runs, where there are several, by how
 * much they are longer than chance makes them. Of few runs nobody can tell, and some length is believed.
 */
function runLengthOf({ seen, runs, longest }: Counts, index: number): number {
  const count = seen.length - 1;
  const laterSeen = (seen[count] ?? 0) - (seen[index] ?? 0);
  const laterRuns = (runs[count] ?? 0) - (runs[index] ?? 0);
  const believed = Math.max(runLengthLeast, runLengthShare * count);
  const later =
    laterRuns >= laterRunsMin
      ? (laterSeen / laterRuns) * (1 - laterSeen / (count - index))
      : Math.min((seen[count] ?? 0) / Math.max(1, runs[count] ?? 0), believed);
  return Math.max(1, longest[index] ?? 0, later);
}

const laterRunsMin = 5;
