/** Whether measurements over time drift upwards and stay there, and whether load explains it. */

import { mannKendall } from "../statistics/mann-kendall.ts";
import { quantileOf, sortedNumbers } from "../statistics/quantiles.ts";
import { changePointOf } from "../statistics/rank-change-point.ts";
import { theilSen } from "../statistics/theil-sen.ts";
import type { DriftSeries } from "./drift-parts.ts";

export interface DriftOptions {
  readonly pointCountMin: number;
  readonly ratioMin: number;
  readonly increaseMillisMin: number;
  readonly chanceMax: number;
  readonly loadShareMin: number;
}

export interface Drift {
  readonly isDrift: boolean;
  readonly before: number;
  readonly after: number;
  readonly ratio: number;
  /** The chance of such a change or trend without one. */
  readonly chance: number;
  /** In the unit of the values, of each hour. */
  readonly slopeHour: number;
  /** Where a new level began, when it is no slow trend. */
  readonly changedAtMicros: number | undefined;
}

/** Windows that the measurements are put into; the median of each is one value. */
const windowCountMax = 60;
const pointsPerWindowMin = 4;
const correlationMax = 0.9;
const microsPerHour = 3_600_000_000;

/** Places of measurements in the order of their times: parts of one subject share it. */
export function orderOf(times: readonly number[]): Uint32Array {
  const order = Uint32Array.from(times, (_time, at) => at);
  const isSorted = times.every((time, at) => at === 0 || (times[at - 1] ?? time) <= time);
  return isSorted ? order : order.sort((left, right) => (times[left] ?? 0) - (times[right] ?? 0));
}

/** The drift of measurements in an order, or nothing where there are too few. */
export function driftOf(
  series: DriftSeries,
  order: Uint32Array,
  options: DriftOptions,
): Drift | undefined {
  const sorted = measuredOf(series, order);
  if (sorted.values.length < options.pointCountMin) return undefined;
  const { times, values } = windowsOf(sorted);
  const third = Math.floor(values.length / 3);
  const early = sortedNumbers(values.subarray(0, third));
  const late = sortedNumbers(values.subarray(values.length - third));
  const [before, after] = [quantileOf(early, 0.5), quantileOf(late, 0.5)];
  const change = changePointOf(values, correlationOf(values));
  const trend = mannKendall([...values]);
  const rises = trend.score > 0 ? trend.probability : 1;
  const jumps = change?.direction === "up" ? change.chance : 1;
  const ratio = before > 0 ? after / before : after > 0 ? Number.POSITIVE_INFINITY : 1;
  const isApart = quantileOf(late, 0.1) > quantileOf(early, 0.9);
  const hours = times.map((time) => (time - (times[0] ?? 0)) / microsPerHour);
  return {
    isDrift: isApart && ratio >= options.ratioMin && Math.min(rises, jumps) <= options.chanceMax,
    before,
    after,
    ratio,
    chance: Math.min(rises, jumps),
    slopeHour: theilSen(hours, [...values])?.slope ?? 0,
    changedAtMicros: jumps <= rises ? times[change?.index ?? 0] : undefined,
  };
}

interface SortedSeries {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** What was measured, in order. */
function measuredOf({ times, values }: DriftSeries, order: Uint32Array): SortedSeries {
  const sorted = { times: new Float64Array(order.length), values: new Float64Array(order.length) };
  let count = 0;
  for (const at of order) {
    const value = values[at] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    sorted.times[count] = times[at] ?? 0;
    sorted.values[count] = value;
    count += 1;
  }
  return { times: sorted.times.subarray(0, count), values: sorted.values.subarray(0, count) };
}

function windowsOf(sorted: SortedSeries): { times: number[]; values: Float64Array } {
  const { length } = sorted.values;
  const count = Math.min(windowCountMax, Math.floor(length / pointsPerWindowMin));
  const times: number[] = [];
  const values = new Float64Array(count);
  for (let window = 0; window < count; window += 1) {
    const from = Math.floor((window * length) / count);
    const to = Math.floor(((window + 1) * length) / count);
    times.push(sorted.times[from] ?? 0);
    values[window] = quantileOf(sorted.values.slice(from, to).sort(), 0.5);
  }
  return { times, values };
}

/** What neighbours have in common once one change of level is taken out. */
function correlationOf(values: Float64Array): number {
  const index = changePointOf(values)?.index ?? 0;
  const [left, right] = [values.subarray(0, index), values.subarray(index)];
  const levels = [left, right].map((part) => quantileOf(sortedNumbers(part), 0.5));
  const rest = values.map((value, at) => value - ((at < index ? levels[0] : levels[1]) ?? 0));
  let [products, squares] = [0, 0];
  for (let at = 0; at < rest.length; at += 1) {
    const here = rest[at] ?? 0;
    squares += here * here;
    if (at > 0) products += here * (rest[at - 1] ?? 0);
  }
  return squares === 0 ? 0 : Math.min(Math.max(products / squares, 0), correlationMax);
}

/** How the load of the last third stands to that of the first; nothing where there is too little of it. */
export function loadRatioOf(load: DriftSeries | undefined): number | undefined {
  if (load === undefined || load.values.length < loadCountMin) return undefined;
  const { values } = measuredOf(load, orderOf(load.times));
  const third = Math.floor(values.length / 3);
  const median = (part: Float64Array): number => quantileOf(part.sort(), 0.5);
  const before = median(values.slice(0, third));
  return before > 0 ? median(values.slice(-third)) / before : undefined;
}

const loadCountMin = 6;

/** How often requests came, by the moments at which they did, given in an order. */
export function arrivalsOf(moments: readonly number[], order: Uint32Array): DriftSeries {
  const size = Math.max(2, Math.floor(order.length / windowCountMax));
  const times: number[] = [];
  const values: number[] = [];
  for (let at = size; at < order.length; at += size) {
    const [from, to] = [moments[order[at - size] ?? 0] ?? 0, moments[order[at] ?? 0] ?? 0];
    if (to <= from) continue;
    times.push(to);
    values.push((size * 1_000_000) / (to - from));
  }
  return { times, values };
}
