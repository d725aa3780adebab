/**
 * Who moves as the noticed service does. Where an alert names a service and a kind of metric, and nothing surely departs, as
 * of a window with a handful of points and no quiet time beside it, depth says nothing: everything departs from two points.
 * What fails in one service shows, with the same course over the window, in all that wait for it; noise of the others does not.
 */

import { sumOf } from "../statistics/sum.ts";
import { type CallGraph, reachedFrom } from "./call-graph.ts";
import { recordingAround } from "./deviating-series.ts";
import type { IncidentMoments } from "./incident-moment.ts";
import type { ObservedSeries } from "./observed-series.ts";
import type { Signal } from "./signal.ts";

/** Fewer points have a course in common by chance. */
const pointCountMin = 4;
/** Points around the alert that are compared. */
const pointCountMax = 60;
/** The correlation counts to this power: of few points much is alike by chance, and hardly anything nearly equal. */
const correlationPower = 8;
/** So much of its course, a service that is called below it must have to explain it. */
const explainedShareMin = 0.7;
const explainedWeight = 0.5;
/** The largest growth that counts, so that what was nothing before does not count without end. */
const growthMax = 1e9;

/** Services by how much of the noticed course they have, the noticed ones among them; empty where nobody noticed any. */
export function sharedCourses(
  all: readonly ObservedSeries[],
  moments: IncidentMoments,
  graph: CallGraph,
): ReadonlyMap<string, number> {
  const { alertedServices, alertedSignals, alertedMicros } = moments;
  const courses = new Map<string, number[]>();
  if (alertedMicros === undefined || alertedSignals.size === 0) return new Map();
  const told = all.filter(({ origin, signal }) => origin !== "logs" && alertedSignals.has(signal));
  const noticed = alertedSeries(
    told.filter(({ service }) => alertedServices.has(service)),
    moments,
  );
  const byMeasure = Map.groupBy(told, measureOf);
  for (const target of noticed) {
    const near = reachedFrom(graph, target.service);
    for (const series of byMeasure.get(measureOf(target)) ?? []) {
      if (series.service !== target.service && !near.has(series.service)) continue;
      const known = courses.get(series.service) ?? [];
      known.push(courseOf(series, target, alertedMicros));
      courses.set(series.service, known);
    }
  }
  const shares = new Map(
    [...courses].map(([service, list]) => [service, sumOf(list) / list.length] as const),
  );
  return new Map(
    [...shares].map(([service, share]) => {
      const isExplained =
        share > 0 &&
        [...reachedFrom(graph, service)].some(
          (other) => other !== service && (shares.get(other) ?? 0) >= explainedShareMin * share,
        );
      return [service, isExplained ? share * explainedWeight : share];
    }),
  );
}

/** Those that are the metric of an alert, with the statistic that it names; where none is, all. */
function alertedSeries(
  series: readonly ObservedSeries[],
  { alertedMetrics }: IncidentMoments,
): readonly ObservedSeries[] {
  const words = alertedMetrics.map((metric) => wordsOf(metric));
  const exact = series.filter(({ name, variant = "" }) => {
    const own = new Set(wordsOf(`${name} ${variant}`));
    return words.some((asked) => asked.length > 0 && asked.every((word) => own.has(word)));
  });
  return exact.length > 0 ? exact : series;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

function measureOf({ name, variant, origin }: ObservedSeries): string {
  return JSON.stringify([origin, name, variant ?? ""]);
}

/** How far a series has the course of another, times how much it grew: from 0, where it has nothing of it. */
function courseOf(series: ObservedSeries, target: ObservedSeries, micros: number): number {
  const [own, other] = pairsAround(series, target, micros);
  if (own.length < pointCountMin) return 0;
  const correlation = correlationOf(own, other);
  if (!(correlation > 0)) return 0;
  const [least, most] = [Math.min(...own), Math.max(...own)];
  return correlation ** correlationPower * Math.log1p(growthOf(series.signal, least, most));
}

/** Of what is a share of all, by how much it fell; of everything else, how many times it is what it was, as a logarithm. */
function growthOf(signal: Signal, least: number, most: number): number {
  if (signal === "availability") return most - least;
  return least > 0 ? Math.log(Math.min(growthMax, most / least)) : Math.log1p(Math.max(0, most));
}

/** Values of both series at the same times, around a moment, of the recording in which it lies. */
function pairsAround(
  series: ObservedSeries,
  target: ObservedSeries,
  micros: number,
): readonly [own: number[], other: number[]] {
  const values = new Map(
    series.timesMicros.map((time, at) => [time, series.values[at] ?? Number.NaN]),
  );
  const [from, to] = recordingAround(target, micros);
  const pairs = target.timesMicros
    .slice(from, to)
    .flatMap((time, at): (readonly [number, number, number])[] => {
      const own = values.get(time);
      const other = target.values[from + at];
      const isTold = own !== undefined && other !== undefined && Number.isFinite(own);
      return isTold ? [[time, own, other]] : [];
    });
  const near = pairs
    .toSorted(([left], [right]) => Math.abs(left - micros) - Math.abs(right - micros))
    .slice(0, pointCountMax);
  return [near.map(([, own]) => own), near.map(([, , other]) => other)];
}

function correlationOf(left: readonly number[], right: readonly number[]): number {
  const [leftMean, rightMean] = [sumOf(left) / left.length, sumOf(right) / right.length];
  let [product, leftSquare, rightSquare] = [0, 0, 0];
  for (const [at, value] of left.entries()) {
    const [one, two] = [value - leftMean, (right[at] ?? rightMean) - rightMean];
    product += one * two;
    leftSquare += one * one;
    rightSquare += two * two;
  }
  const whole = Math.sqrt(leftSquare * rightSquare);
  return whole > 0 ? product / whole : 0;
}
