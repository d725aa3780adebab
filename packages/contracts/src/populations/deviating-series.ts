/** Which series depart from what they were: where each of them changes by itself, or from a moment that is known. */

import { adjustForMany } from "../statistics/benjamini-hochberg.ts";
import { countScore } from "./count-score.ts";
import { type Deviation, deviationAt, deviationOf } from "./deviation.ts";
import { quantileOf, sortedNumbers } from "../statistics/quantiles.ts";
import type { ObservedSeries } from "./observed-series.ts";
import { isRare, rareChangeAt, rareChangeIn } from "./rare-change.ts";

export interface RankingOptions {
  readonly pointCountMin: number;
  /** The false discovery rate. */
  readonly errorRateMax: number;
  readonly scoreMin: number;
  readonly relativeChangeMin: number;
}

export interface DeviatingSeries {
  readonly series: ObservedSeries;
  readonly deviation: Deviation;
  readonly onsetMicros: number;
  /** The chance, adjusted for how many series were looked at. */
  readonly chance: number;
  /** The chance is within the error rate. */
  readonly isSure: boolean;
  /** Sure, and large enough to matter. */
  readonly isLarge: boolean;
}

/** Series that change somewhere, each at its own time; those alone that surely do. */
export function changesIn(
  judged: readonly ObservedSeries[],
  options: RankingOptions,
): DeviatingSeries[] {
  const found = judged.map((series) => {
    if (series.counted?.isProving === false) return undefined;
    const { values, counted } = series;
    const deviation = deviationOf(values, options.pointCountMin);
    return counted === undefined
      ? rareOr(deviation, values)
      : byCount(deviation, values, counted.usual);
  });
  return rated(judged, found, options).filter(
    ({ isSure, deviation }) => isSure && deviation.score >= options.scoreMin / 2,
  );
}

/** How every series departs from a moment on, the unsure ones as well: they can be ranked, and prove nothing. */
export function departuresFrom(
  micros: number,
  all: readonly ObservedSeries[],
  options: RankingOptions & { readonly isJudged?: boolean },
): DeviatingSeries[] {
  const splits = all.map(({ timesMicros }) => placeOf(timesMicros, micros));
  // Whether the time before the moment was recorded at all, by whatever series.
  const isBeforeKnown = all.some((series, at) => {
    const split = splits[at] ?? 0;
    return startOfRecording(series, split) < split;
  });
  const found = all.map((series, at) => {
    const split = splits[at] ?? 0;
    const deviation = departureAt(series, split, options);
    if (deviation === undefined || !isBeforeKnown || !hasOthers(series, split)) return deviation;
    const since = sinceMoment(deviation, series, split);
    const whole = wholeDeparture(series, split, options);
    return whole !== undefined && whole.score > since.score ? whole : since;
  });
  return rated(all, found, options);
}

function departureAt(
  series: ObservedSeries,
  split: number,
  { pointCountMin, isJudged }: RankingOptions & { readonly isJudged?: boolean },
): Deviation | undefined {
  const { values } = series;
  const end = endOfRecording(series, split);
  // What was recorded at another time, before or after, is what is usual.
  const apart = values.length - end;
  const orderly = (all: Float64Array): Float64Array =>
    apart === 0 ? all : Float64Array.from([...all.subarray(end), ...all.subarray(0, end)]);
  const usual = series.counted === undefined ? undefined : orderly(series.counted.usual);
  const isProving = isJudged !== false && series.counted?.isProving !== false;
  const whole = orderly(values);
  const found = deviationAt(whole, split + apart, isProving);
  const placed = found && { ...found, index: split + apart };
  const deviation = usual === undefined ? rareAt(placed, whole) : byCount(placed, whole, usual);
  if (deviation === undefined) return undefined;
  const index = (found?.index ?? 0) - apart;
  const chance = values.length < pointCountMin ? 1 : deviation.chance;
  return { ...deviation, index, endIndex: end - 1, chance };
}

/** Of counts, what departs is measured by how much there was to count. */
function byCount(
  deviation: Deviation | undefined,
  values: Float64Array,
  usual: Float64Array | undefined,
): Deviation | undefined {
  if (deviation === undefined || usual === undefined) return deviation;
  const { score, isMore } = countScore(values, usual, deviation.index);
  return { ...deviation, score, direction: isMore ? "up" : "down" };
}

/** A change of what was nearly always zero is told by how often it is not; the places where values jump do not tell of it. */
function rareOr(found: Deviation | undefined, values: Float64Array): Deviation | undefined {
  if (found?.direction === "down") return ceased(found, values);
  const rare = rareChangeIn(values);
  if (rare === undefined) {
    return found !== undefined && isRare(values, found.index) ? undefined : found;
  }
  const told = found ?? deviationAt(values, rare.index, false);
  return told && { ...told, chance: rare.chance, score: Math.max(told.score, rare.score) };
}

/** What happened for a while at the beginning, and hardly since, is as little a level as what happens at the end. */
function ceased(found: Deviation, values: Float64Array): Deviation | undefined {
  const backwards = values.toReversed();
  const index = values.length - found.index;
  if (!isRare(backwards, index)) return found;
  const rare = rareChangeAt(backwards, index);
  return rare && { ...found, chance: Math.min(1, rare.chance * values.length) };
}

/** The same at a place that is known; what is too little to prove it still ranks. */
function rareAt(found: Deviation | undefined, values: Float64Array): Deviation | undefined {
  if (found === undefined || !isRare(values, found.index)) return found;
  const rare = rareChangeAt(values, found.index);
  return { ...found, chance: rare?.chance ?? 1, score: Math.max(found.score, rare?.score ?? 0) };
}

/** Of a departure from another recording, the share that must have happened at the moment to be sure. */
const newShareMin = 0.5;
/** Fewer values just before the moment do not tell surely what the level was then. */
const ownCountMin = 4;

/**
 * A quiet time that was recorded apart may have had another load, or another version: a level that already was another
 * before the moment did not depart at it. Only what was new then counts, and what has few values just before it is not sure.
 */
function sinceMoment(deviation: Deviation, series: ObservedSeries, split: number): Deviation {
  const own = series.values.subarray(startOfRecording(series, split), split);
  if (own.length === 0) return { ...deviation, chance: 1 };
  const { before, after, score, chance } = deviation;
  const level = quantileOf(sortedNumbers(own), 0.5);
  const whole = Math.max(Math.abs(after - before), 1e-12);
  const share = Math.min(1, Math.abs(after - level) / whole);
  const isKnown = own.length >= ownCountMin && share >= newShareMin;
  return { ...deviation, score: score * share, chance: isKnown ? chance : 1 };
}

/** Whether a series tells how long work of a service took, or calls on their way to it, as spans tell it. */
export function isSpanTime({ origin, signal }: ObservedSeries): boolean {
  return origin === "spans" && (signal === "latency" || signal === "network");
}

/** Times that are so many times as long as in a quiet time are no matter of another load. */
const farRatioMin = 4;

/**
 * A moment may be told too late, so that it lies within what departed, and then nothing is new at it. Where spans took far
 * longer in the whole recording than in the quiet ones, that ranks, and proves nothing.
 */
function wholeDeparture(
  series: ObservedSeries,
  split: number,
  options: RankingOptions,
): Deviation | undefined {
  if (!isSpanTime(series)) return undefined;
  const found = departureAt(series, startOfRecording(series, split), options);
  if (found === undefined || !(found.before > 0)) return undefined;
  return found.after >= farRatioMin * found.before ? { ...found, chance: 1 } : undefined;
}

function rated(
  series: readonly ObservedSeries[],
  found: readonly (Deviation | undefined)[],
  { errorRateMax, scoreMin, relativeChangeMin }: RankingOptions,
): DeviatingSeries[] {
  const chances = adjustForMany(found.map((deviation) => deviation?.chance ?? 1));
  return series.flatMap((item, index) => {
    const deviation = found[index];
    const chance = chances[index] ?? 1;
    if (deviation === undefined) return [];
    const onsetMicros = item.timesMicros[deviation.index] ?? 0;
    const isSure = chance <= errorRateMax;
    // Fewer lines that tell of errors are no harm.
    const isHarm = item.counted === undefined || deviation.direction === "up";
    const isLarge =
      isSure &&
      isHarm &&
      deviation.score >= scoreMin &&
      relativeChangeOf(deviation) >= relativeChangeMin;
    return [{ series: item, deviation, onsetMicros, chance, isSure, isLarge }];
  });
}

/** The share by which the level changes, from 0 to 1 where the sign stays. */
export function relativeChangeOf({ before, after }: Deviation): number {
  return Math.abs(after - before) / Math.max(Math.abs(before), Math.abs(after), 1e-12);
}

/** The first point that is not before a moment. */
function placeOf(timesMicros: readonly number[], micros: number): number {
  let low = 0;
  let high = timesMicros.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timesMicros[middle] ?? Infinity) < micros) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Recordings are apart when so many points would have had room between them. */
const gapPointCountMin = 20;

/** The places of the first point, and behind the last one, of the recording in which a moment lies. */
export function recordingAround(
  series: ObservedSeries,
  micros: number,
): readonly [from: number, to: number] {
  const place = Math.min(placeOf(series.timesMicros, micros), series.timesMicros.length - 1);
  return [startOfRecording(series, place), endOfRecording(series, place)];
}

/** The place behind the last point of the recording in which a place lies. */
function endOfRecording(series: ObservedSeries, from: number): number {
  const { timesMicros } = series;
  const gap = gapPointCountMin * intervalOf(series);
  for (let at = from + 1; at < timesMicros.length; at += 1) {
    const isApart = (timesMicros[at] ?? 0) - (timesMicros[at - 1] ?? 0) > gap;
    if (isApart && gap > 0) return at;
  }
  return timesMicros.length;
}

/** The place of the first point of the recording in which a place lies. */
function startOfRecording(series: ObservedSeries, place: number): number {
  const { timesMicros } = series;
  const gap = gapPointCountMin * intervalOf(series);
  for (let at = place; at > 0; at -= 1) {
    const isApart = (timesMicros[at] ?? Infinity) - (timesMicros[at - 1] ?? 0) > gap;
    if (isApart && gap > 0) return at;
  }
  return 0;
}

/** Whether there are recordings beside that in which a place lies. */
function hasOthers(series: ObservedSeries, place: number): boolean {
  return (
    startOfRecording(series, place) > 0 || endOfRecording(series, place) < series.timesMicros.length
  );
}

/** Whether a series is one of several recordings. */
export function hasGap(series: ObservedSeries): boolean {
  return endOfRecording(series, 0) < series.timesMicros.length;
}

/** The usual distance of neighbouring points. */
export function intervalOf({ timesMicros }: ObservedSeries): number {
  const count = timesMicros.length;
  const late = timesMicros.slice(Math.max(0, count - intervalPointCount));
  const gaps = late.slice(1).map((time, at) => time - (late[at] ?? time));
  return gaps.sort((left, right) => left - right)[Math.floor(gaps.length / 2)] ?? 0;
}

/** Points at the end of a series by which its interval is told. */
const intervalPointCount = 50;
