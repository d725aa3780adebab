/** Which services depart from what they were, by the metrics, the traces and the logs of a snapshot. */

import type { Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { alertWeightOf } from "./alert-weight.ts";
import { type CallGraph, callGraphOf } from "./call-graph.ts";
import {
  changesIn,
  departuresFrom,
  hasGap,
  type DeviatingSeries,
  intervalOf,
  type RankingOptions,
} from "./deviating-series.ts";
import { type IncidentMoments, incidentMomentsOf } from "./incident-moment.ts";
import { logSeriesOf } from "./log-series.ts";
import { LoggedCallees } from "./logged-callees.ts";
import { type ObservedSeries, observedSeriesOf } from "./observed-series.ts";
import { type RankedService, serviceOrder } from "./service-order.ts";
import { sharedCourses } from "./shared-course.ts";
import { spanSeriesOf } from "./span-series.ts";

export interface Ranking {
  /** Services that surely and largely depart. */
  readonly services: readonly RankedService[];
  /** Behind them those that may depart, as far as a moment is known from which to look; they prove nothing. */
  readonly candidates: readonly RankedService[];
  readonly seriesCount: number;
  /** Series with enough points to tell. */
  readonly judgedCount: number;
  readonly graph: CallGraph;
  /** The longest distance between neighbouring points of the deviating series. */
  readonly intervalMicros: number;
  /** The moment from which the series were compared, where one is known. */
  readonly momentMicros: number | undefined;
}

/** Ranks the services of a snapshot by its metrics, and by what its traces give of them. */
export function rankServices(snapshot: Snapshot, options: RankingOptions): Ranking {
  const moments = incidentMomentsOf(snapshot);
  const logged = logSeriesOf(snapshot, moments.beganMicros);
  const all = [
    ...observedSeriesOf(snapshot),
    ...spanSeriesOf(snapshot, moments.beganMicros),
    ...logged.series,
  ];
  const judged = all.filter(({ values }) => values.length >= options.pointCountMin);
  const recorded = callGraphOf(snapshot);
  const callees = new LoggedCallees(logged.failedCalls, all, recorded);
  const { graph } = callees;
  const departures = deviatingOf(moments, { all, judged }, options);
  const { momentMicros, commonMicros } = departures;
  const series = callees.withTold(departures.series.map(owned));
  const services = serviceOrder(series, ({ isLarge }) => isLarge, { graph, commonMicros });
  const sure = new Set(services.map(({ name }) => name));
  const courses = sure.size > 0 ? new Map<string, number>() : sharedCourses(all, moments, graph);
  const others = serviceOrder(
    series.filter((item) => !sure.has(item.series.service)),
    (item) =>
      item.deviation.score >= candidateScoreMin || (courses.get(item.series.service) ?? 0) > 0,
    { graph, commonMicros },
  );
  const large = series.filter(({ isSure }) => isSure);
  const unsure =
    services.length > 0 ? others : byCourse(others, sharedCourses(all, moments, graph));
  return {
    services,
    candidates: together(services, unsure, (service) => alertWeightOf(service, moments, graph)),
    seriesCount: all.length,
    judgedCount: judged.length,
    graph,
    intervalMicros: large.reduce((most, item) => Math.max(most, intervalOf(item.series)), 0),
    momentMicros,
  };
}

/** Where nothing is sure, those that share the course of what was noticed come before all others. */
function byCourse(
  others: readonly RankedService[],
  courses: ReadonlyMap<string, number>,
): readonly RankedService[] {
  const most = Math.max(0, ...courses.values());
  if (!(most > 0)) return others;
  const deepest = others.reduce((depth, service) => Math.max(depth, service.depth), 0);
  return others.map((service) => ({
    ...service,
    depth: service.depth + (courseWeight * deepest * (courses.get(service.name) ?? 0)) / most,
  }));
}

const courseWeight = 10;

/** What lies between two services is told of the one at whose end it departs. */
function owned(item: DeviatingSeries): DeviatingSeries {
  const { ownedFrom } = item.series;
  return ownedFrom === undefined ? item : { ...item, series: ownedFrom(item.onsetMicros) };
}

/** What departs without being sure counts so much beside what surely departs. */
const unsureWeight = 0.75;

/** All candidates in one order: what departs far deeper than the sure ones is the likelier origin, and proves nothing. */
function together(
  services: readonly RankedService[],
  others: readonly RankedService[],
  weightOf: (service: RankedService) => number,
): RankedService[] {
  const all = [
    ...services,
    ...others.map((service) => ({
      ...service,
      depth: service.depth * unsureWeight * weightOf(service),
    })),
  ].sort((left, right) => right.depth - left.depth || compareText(left.name, right.name));
  const most = all[0]?.depth ?? 0;
  return all.map((service) => ({ ...service, weight: service.depth / Math.max(most, 1e-12) }));
}

/** Distance from the median before from which a service may be a candidate at all. */
const candidateScoreMin = 1.5;

interface Departures {
  readonly series: readonly DeviatingSeries[];
  /** The moment that is known from elsewhere. */
  readonly momentMicros?: number;
  /** The moment that the series themselves tell. */
  readonly commonMicros?: number;
}

function deviatingOf(
  { beganMicros, alertedMicros }: IncidentMoments,
  { all, judged }: Readonly<Record<"all" | "judged", readonly ObservedSeries[]>>,
  options: RankingOptions,
): Departures {
  if (beganMicros !== undefined) {
    return { series: departuresFrom(beganMicros, all, options), momentMicros: beganMicros };
  }
  const isApart = alertedMicros !== undefined && all.some(hasGap);
  const changes = isApart ? [] : changesIn(judged, options);
  const large = changes.filter(({ isLarge }) => isLarge);
  if (large.length > 0) {
    const commonMicros = sharedOnsetOf(large);
    return { series: comparedFrom(commonMicros, changes, { all, options }), commonMicros };
  }
  if (alertedMicros === undefined) return { series: changes };
  // A point tells of the time before it or after it; an alert comes at the end of what it saw.
  const momentMicros = alertedMicros - usualIntervalOf(all);
  return { series: departuresFrom(momentMicros, all, options), momentMicros };
}

/** The interval that is usual among series: one that has a point a day says nothing of when the others are measured. */
function usualIntervalOf(all: readonly ObservedSeries[]): number {
  const intervals = all.map(intervalOf).sort((left, right) => left - right);
  return intervals[Math.floor(intervals.length / 2)] ?? 0;
}

/**
 * Each series changes at a time of its own, which noise moves about. One incident has one moment: the one around which the
 * deepest changes lie. How deep every series departs is measured from there on, so that what is compared is of the same
 * time; how sure it is, and climbs that are no steps, stay as they were found.
 */
function comparedFrom(
  moment: number,
  changes: readonly DeviatingSeries[],
  { all, options }: { readonly all: readonly ObservedSeries[]; readonly options: RankingOptions },
): DeviatingSeries[] {
  const known = new Map(changes.map((change) => [change.series, change]));
  return departuresFrom(moment, all, { ...options, isJudged: false }).map((departure) => {
    const change = known.get(departure.series);
    if (change === undefined) return { ...departure, isSure: false, isLarge: false };
    const isStep = change.deviation.shape === "step";
    const isSame = change.deviation.direction === departure.deviation.direction;
    if (!isStep || !isSame) return change;
    const { isSure, isLarge, chance } = change;
    // What changed before the others did drifted, or follows something else.
    const onsetMicros = Math.max(moment, change.onsetMicros);
    return { ...departure, isSure, isLarge, chance, onsetMicros };
  });
}

/** One change counts no more than this deep in saying when. */
const scoreMax = 50;

/** The middle of the onsets, each as heavy as its change is deep. */
function sharedOnsetOf(changes: readonly DeviatingSeries[]): number {
  const sorted = changes.toSorted((left, right) => left.onsetMicros - right.onsetMicros);
  const weightOf = ({ deviation }: DeviatingSeries): number => Math.min(scoreMax, deviation.score);
  const total = sorted.reduce((sum, change) => sum + weightOf(change), 0);
  let sum = 0;
  for (const change of sorted) {
    sum += weightOf(change);
    if (sum * 2 >= total) return change.onsetMicros;
  }
  return sorted.at(-1)?.onsetMicros ?? 0;
}
