/** How a series departs from what it was before: when, how surely, and how deep measured by its own noise. */

import { fitPieces } from "../statistics/piecewise-fit.ts";
import { middleAndSpread, quantileOf, sortedNumbers } from "../statistics/quantiles.ts";
import { changePointOf } from "../statistics/rank-change-point.ts";

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
/** A ramp is told from a jump when it leaves at most this share of the jump's error. */
const rampErrorShareMax = 0.5;
/** What follows the peak of a ramp, as after a restart, is at most this share of the series. */
const tailShareMax = 0.3;

/** The deviation of a series, or `undefined` where it has none or is too short to tell. */
export function deviationOf(values: Float64Array, pointCountMin: number): Deviation | undefined {
  if (values.length < Math.max(4, pointCountMin)) return undefined;
  return rampOf(values) ?? stepOf(values);
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
  if (change === undefined) return undefined;
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
