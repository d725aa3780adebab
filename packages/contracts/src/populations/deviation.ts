/** How a series departs from what it was before: when, how surely, and how deep measured by its own noise. */

import { fitPieces } from "../statistics/piecewise-fit.ts";
import { middleAndSpread, quantileOf, sortedNumbers } from "../statistics/quantiles.ts";
import { chanceAtSplit, changePointOf } from "../statistics/rank-change-point.ts";

export interface Deviation {
  /** The chance of as sharp a change in a series that has none; of one series alone, not corrected for many. */
  readonly chance: number;
  /** The first value that belongs to the new behaviour, and the last that does. */
  readonly index: number;
  readonly endIndex: number;
  readonly direction: "up" | "down";
  readonly shape: "step" | "ramp";
  /** The median before, and what stands for the level after: the median of a step, the end of a ramp. */
  readonly before: number;
  readonly after: number;
  /** Of the new behaviour's distance from the old median, in robust deviations: between its median and its largest. */
  readonly score: number;
}

/** A jump that a straight line explains nearly as well is a trend, not a change. */
const lineErrorShareMin = 0.8;
/** Fewer values at the end than these are outliers, not a level. */
const laterCountMin = 4;
/** Of what is nearly always the same, as a count of errors is, so many; single events come in runs by chance. */
const quietLaterCountMin = 8;
/** A ramp is told from a jump when it leaves at most this share of the jump's error. */
const rampErrorShareMax = 0.5;
/** What follows the peak of a ramp, as after a restart, is at most this share of the series. */
const tailShareMax = 0.3;

/** The deviation of a series, or `undefined` where it has none or is too short to tell. */
export function deviationOf(values: Float64Array, pointCountMin: number): Deviation | undefined {
  if (values.length < Math.max(4, pointCountMin)) return undefined;
  return rampOf(values) ?? stepOf(values);
}

/** Of fewer values before a moment no spread can be told; a tenth of what they were stands for it. */
const spreadCountMin = 4;
const unknownSpreadShare = 0.1;
/** Neighbours beyond the usual by which the beginning of a deviation is told from a single outlier. */
const onsetRunLength = 3;

/**
 * How the values from a place that is known beforehand depart from those before it, be it surely or not; `undefined` where
 * there is nothing to compare. Where it need not be judged, the chance is 1. What was usual before is taken off: a peak counts by how far it lies beyond the old ones.
 */
export function deviationAt(
  values: Float64Array,
  split: number,
  isJudged = true,
): Deviation | undefined {
  if (split < 1 || split >= values.length) return undefined;
  const whole = values.subarray(0, split);
  const early = thinned(whole);
  const later = thinned(values.subarray(split));
  const { median, scale, isStill } = levelOf(early, rangeOf(values));
  const middle = quantileOf(sortedNumbers(later), 0.5);
  const usual = sortedNumbers(early.map((value) => Math.abs(value - median)));
  const distances = sortedNumbers(later.map((value) => Math.abs(value - median)));
  // Of what was always zero, a level is no peak: whatever most values are by far is another one.
  const levelScale = isStill && median === 0 ? zeroLevelShare * scale : scale;
  const level = Math.abs(middle - median) / levelScale;
  const peak = (quantileOf(distances, peakShare) - quantileOf(usual, peakShare)) / scale;
  const after = level > 0 ? middle : farthestOf(later, median);
  return {
    chance:
      !isJudged || isDrift(values, split)
        ? 1
        : chanceAtSplit(values, split, correlationOf(whole, median)),
    index: onsetFrom(values, split, { median, scale }),
    endIndex: values.length - 1,
    direction: after >= median ? "up" : "down",
    shape: "step",
    before: median,
    after,
    score: Math.max(0, level, peak * peakWeight),
  };
}

/** Values by which a level and its spread are told; of more, every so manyth is enough. */
const levelCountMax = 2_000;

function thinned(values: Float64Array): Float64Array {
  const stride = Math.ceil(values.length / levelCountMax);
  if (stride <= 1) return values;
  return Float64Array.from(
    { length: Math.ceil(values.length / stride) },
    (_, at) => values[at * stride] ?? 0,
  );
}

/** Neighbours on both sides of a change by which a jump is told from a drift: this share of the values, and at least so many. */
const nearShare = 0.06;
const nearCountMin = 4;
/** Of the whole change, the share that happens between those neighbours when it is a jump. */
const jumpShareMin = 0.6;

/**
 * Load that goes with the day moves every level slowly. A change is no drift when most of it happens at once, or when the
 * new level lies farther beyond all that was before than that itself reached from end to end.
 */
function isDrift(values: Float64Array, split: number): boolean {
  const near = Math.max(nearCountMin, Math.round(nearShare * values.length));
  const early = sortedNumbers(values.subarray(0, split));
  const middle = quantileOf(sortedNumbers(values.subarray(split)), 0.5);
  const whole = middle - quantileOf(early, 0.5);
  const jump =
    quantileOf(sortedNumbers(values.subarray(split, split + near)), 0.5) -
    quantileOf(sortedNumbers(values.subarray(Math.max(0, split - near), split)), 0.5);
  if (whole * jump > 0 && Math.abs(jump) >= jumpShareMin * Math.abs(whole)) return false;
  const [low, high] = [quantileOf(early, 0.01), quantileOf(early, 0.99)];
  return Math.max(middle - high, low - middle) <= high - low;
}

/** Peaks are the values that a hundredth lies beyond, so that one outlier of many values is none. */
const peakShare = 0.99;
/** What peaks alone show counts less than a level that moved. */
const peakWeight = 0.5;
/** A series that hardly moved before has no noise to measure with; its scale is at least this share of the range. */
const stillShare = 0.1;

/** A level that most values have once it was zero needs so much of the scale by which a peak is measured. */
const zeroLevelShare = 0.2;

interface Level {
  readonly median: number;
  readonly scale: number;
  /** Hardly any value was another. */
  readonly isStill: boolean;
}

function levelOf(values: Float64Array, range: number): Level {
  const { median, quartileRange } = middleAndSpread(sortedNumbers(values));
  const isStill = quartileRange <= 1e-9 * Math.max(Math.abs(median), range);
  const medianShare = values.length < spreadCountMin ? unknownSpreadShare : 0.01;
  const floor = Math.max(medianShare * Math.abs(median), (isStill ? stillShare : 0.002) * range);
  const scale = Math.max(quartileRange / 1.349, floor);
  return { median, scale: scale > 0 ? scale : 1, isStill };
}

function farthestOf(values: Float64Array, from: number): number {
  let farthest = values[0] ?? from;
  for (const value of values)
    if (Math.abs(value - from) > Math.abs(farthest - from)) farthest = value;
  return farthest;
}

/** The first of a few neighbours that mostly lie beyond the usual. */
function onsetFrom(
  values: Float64Array,
  split: number,
  { median, scale }: { median: number; scale: number },
): number {
  for (let at = split; at + onsetRunLength <= values.length; at += 1) {
    let beyond = 0;
    for (let next = at; next < at + onsetRunLength; next += 1)
      if (Math.abs((values[next] ?? median) - median) > 4 * scale) beyond += 1;
    if (beyond * 2 > onsetRunLength) return at;
  }
  return split;
}

/** Of neighbours, corrected for the bias of short series. */
function correlationOf(values: Float64Array, middle: number): number {
  let [product, square] = [0, 0];
  for (let at = 0; at < values.length; at += 1) {
    const here = (values[at] ?? middle) - middle;
    square += here * here;
    if (at > 0) product += here * ((values[at - 1] ?? middle) - middle);
  }
  if (square === 0) return 0;
  const raw = product / square;
  return Math.min(0.95, Math.max(0, raw + (1 + 3 * Math.max(0, raw)) / values.length));
}

/** A flat beginning that turns into a slope, up to its peak or down to its lowest point. */
function rampOf(values: Float64Array): Deviation | undefined {
  const { least, most } = extremesOf(values);
  return slopeTo(values, most) ?? slopeTo(values, least);
}

function slopeTo(values: Float64Array, peak: number): Deviation | undefined {
  const rise = values.subarray(0, peak + 1);
  const tail = values.length - rise.length;
  if (rise.length < 12 || tail > tailShareMax * values.length) return undefined;
  const fit = fitPieces(rise);
  const isRamp =
    fit.hingeIndex >= 4 &&
    rise.length - fit.hingeIndex >= 6 &&
    fit.hinge < rampErrorShareMax * fit.step &&
    fit.hinge < lineErrorShareMin * fit.line;
  if (!isRamp) return undefined;
  const change = changePointOf(rise, fit.correlation);
  return change === undefined
    ? undefined
    : measured(rise, fit.hingeIndex + 1, { chance: change.chance, shape: "ramp" });
}

/** Where the least and the largest value lie; of equal ones the first. */
function extremesOf(values: Float64Array): { least: number; most: number } {
  let least = 0;
  let most = 0;
  for (const [at, value] of values.entries()) {
    if (value < (values[least] ?? value)) least = at;
    if (value > (values[most] ?? value)) most = at;
  }
  return { least, most };
}

function stepOf(values: Float64Array): Deviation | undefined {
  const fit = fitPieces(values);
  if (fit.step > lineErrorShareMin * fit.line) return undefined;
  const change = changePointOf(values, fit.correlation);
  const laterCount = values.length - fit.stepIndex;
  if (change === undefined || laterCount < laterCountMin) return undefined;
  const isQuiet = middleAndSpread(sortedNumbers(values)).quartileRange === 0;
  if (isQuiet && laterCount < quietLaterCountMin) return undefined;
  if (isDrift(values, fit.stepIndex)) return undefined;
  return measured(values, fit.stepIndex, { chance: change.chance, shape: "step" });
}

function measured(
  values: Float64Array,
  found: number,
  { chance, shape }: Pick<Deviation, "chance" | "shape">,
): Deviation | undefined {
  const range = rangeOf(values);
  const index = shape === "step" ? onsetOf(values, found, range) : found;
  if (index < 2 || index >= values.length) return undefined;
  const { median, scale } = baselineOf(values.subarray(0, index), range);
  const later = values.subarray(index);
  const sorted = sortedNumbers(later.map((value) => Math.abs(value - median)));
  const middle = quantileOf(sortedNumbers(later), 0.5);
  const after = shape === "ramp" ? (values.at(-1) ?? middle) : middle;
  return {
    chance,
    index,
    endIndex: values.length - 1,
    direction: after >= median ? "up" : "down",
    shape,
    before: median,
    after,
    score: (quantileOf(sorted, 0.5) + quantileOf(sorted, 1)) / 2 / scale,
  };
}

/** Goes back from a jump over values that are no longer as before, and forward over those that still are. */
function onsetOf(values: Float64Array, found: number, range: number): number {
  const calm = Math.max(2, Math.floor(found * 0.8));
  const { median, scale } = baselineOf(values.subarray(0, calm), range);
  const isBeyond = (at: number): boolean => Math.abs((values[at] ?? median) - median) > 4 * scale;
  let index = found;
  while (index > calm && isBeyond(index - 1)) index -= 1;
  return index;
}

function rangeOf(values: Float64Array): number {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most - least;
}

/** The middle of the calm part and its robust deviation, which a share of the whole range bounds from below. */
function baselineOf(values: Float64Array, range: number): { median: number; scale: number } {
  const { median, quartileRange } = middleAndSpread(sortedNumbers(values));
  const scale = Math.max(quartileRange / 1.349, 0.01 * Math.abs(median), 0.002 * range);
  return { median, scale: scale > 0 ? scale : 1 };
}
