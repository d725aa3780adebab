/** The order of services by how they depart: the first is the one that departs earliest and deepest and that no other explains. */

import { compareText } from "../text/compare-text.ts";
import { type CallGraph, isReached } from "./call-graph.ts";
import { type DeviatingSeries, intervalOf, isSpanTime } from "./deviating-series.ts";
import { isOwnResource, type Signal } from "./signal.ts";

export interface RankedService {
  readonly name: string;
  /** How deep it departs, what other services explain less. */
  readonly depth: number;
  /** Between 0 and 1 of the first service's. */
  readonly weight: number;
  readonly onsetMicros: number;
  /** The deepest first. */
  readonly series: readonly DeviatingSeries[];
  /** Services whose deviation explains this one's. */
  readonly explainedBy: readonly string[];
}

/** A service that follows the first one later than this share of the time seen counts a third. */
const lagShare = 0.1;
/** Each further kind of metric that rises in the same service makes it a likelier origin, up to so many. */
const breadthWeight = 0.15;
const breadthMax = 2;
/** What another service explains counts half. */
const explainedWeight = 0.5;

export interface OrderOptions {
  readonly graph: CallGraph;
  /** The moment that the series themselves tell: what departs long before or after it is another matter. */
  readonly commonMicros: number | undefined;
}

/** Orders services by the series that are given; `isMeant` says which of them decide. */
export function serviceOrder(
  all: readonly DeviatingSeries[],
  isMeant: (series: DeviatingSeries) => boolean,
  { graph, commonMicros }: OrderOptions,
): RankedService[] {
  const byService = [...Map.groupBy(all, ({ series }) => series.service)].filter(([, series]) =>
    series.some(isMeant),
  );
  const meant = byService.flatMap(([, series]) => series.filter(isMeant));
  const intervalMicros = longest(meant.map(({ series }) => intervalOf(series)));
  const spanMicros = Math.max(1, longest(meant.map(({ series }) => spanOf(series.timesMicros))));
  const first = meant.reduce((least, { onsetMicros }) => Math.min(least, onsetMicros), Infinity);
  const distanceOf = (onsetMicros: number): number =>
    Math.max(0, Math.abs(onsetMicros - (commonMicros ?? onsetMicros)) - 2 * intervalMicros);
  const weighed = (item: DeviatingSeries): number =>
    depthOf(item) * Math.exp(-distanceOf(item.onsetMicros) / (lagShare * spanMicros));
  const depthIn = depthAmong(
    byService.map(([, series]) => series),
    weighed,
  );
  const drafts = byService.map(([name, series]): Draft => {
    const deepest = series.toSorted(
      (left, right) =>
        depthOf(right) - depthOf(left) || compareText(left.series.name, right.series.name),
    );
    const onsetMicros = series
      .filter(isMeant)
      .reduce((least, item) => Math.min(least, item.onsetMicros), Infinity);
    // Without a common moment, who departs after the first one follows it.
    const lag = commonMicros === undefined ? Math.max(0, onsetMicros - first - intervalMicros) : 0;
    const depth = depthIn(deepest);
    const breadth = 1 + breadthWeight * Math.min(breadthMax, worseSignals(series, isMeant) - 1);
    return {
      name,
      series: deepest,
      onsetMicros,
      raw: depth * breadth * Math.exp(-lag / (lagShare * spanMicros)),
    };
  });
  return ordered(drafts, { graph, intervalMicros, isMeant });
}

/** Fewer services do not tell how deep one usually departs. */
const usualServiceCountMin = 4;
const spreadMin = 0.3;

/**
 * How deep a service departs. Where metrics, traces and logs tell of the same services, each kind has a noise of its own: in
 * each of them a service counts by how much deeper it departs than the middle one of all services, and the kinds are added.
 */
function depthAmong(
  services: readonly (readonly DeviatingSeries[])[],
  weighed: (item: DeviatingSeries) => number,
): (series: readonly DeviatingSeries[]) => number {
  const deepestIn = (series: readonly DeviatingSeries[], origin: Origin): number =>
    series
      .filter((item) => item.series.origin === origin)
      .reduce((most, item) => Math.max(most, weighed(item)), 0);
  const seen = origins.filter((origin) => services.some((series) => deepestIn(series, origin) > 0));
  if (seen.length < 2)
    return (series) => series.reduce((most, item) => Math.max(most, weighed(item)), 0);
  const usual = seen.map((origin) => {
    const depths = services
      .map((series) => deepestIn(series, origin))
      .filter((depth) => depth > 0)
      .sort((left, right) => left - right);
    const at = (share: number): number => depths[Math.floor(share * (depths.length - 1))] ?? 0;
    return depths.length < usualServiceCountMin
      ? { middle: 0, spread: 1 }
      : { middle: at(0.5), spread: Math.max(spreadMin, at(0.75) - at(0.5)) };
  });
  return (series) =>
    seen.reduce((sum, origin, place) => {
      const { middle, spread } = usual[place] ?? { middle: 0, spread: 1 };
      return sum + Math.max(0, deepestIn(series, origin) - middle) / spread;
    }, 0);
}

type Origin = DeviatingSeries["series"]["origin"];
const origins: readonly Origin[] = ["metrics", "spans", "logs"];

interface Draft {
  readonly name: string;
  readonly onsetMicros: number;
  readonly series: readonly DeviatingSeries[];
  readonly raw: number;
}

interface Surroundings {
  readonly graph: CallGraph;
  readonly intervalMicros: number;
  readonly isMeant: (series: DeviatingSeries) => boolean;
}

function ordered(drafts: readonly Draft[], surroundings: Surroundings): RankedService[] {
  const weighed = drafts.map((draft) => {
    const explainedBy = drafts
      .filter((other) => other !== draft && explains(other, draft, surroundings))
      .map(({ name }) => name)
      .sort(compareText);
    return {
      ...draft,
      explainedBy,
      raw: draft.raw * (explainedBy.length > 0 ? explainedWeight : 1),
    };
  });
  const most = weighed.reduce((sum, { raw }) => Math.max(sum, raw), 1e-12);
  return weighed
    .map(({ raw, ...rest }) => ({ ...rest, depth: raw, weight: raw / most }))
    .sort((left, right) => right.weight - left.weight || compareText(left.name, right.name));
}

/** How deep a series departs, in orders of size, the direction that does no harm and what follows from others less. */
export function depthOf({ series, deviation }: DeviatingSeries): number {
  const { direction, score, before, after } = deviation;
  const isWorse = series.signal === "availability" ? direction === "down" : direction === "up";
  const depth = Math.log1p(score) * (isWorse ? 1 : relievedWeight);
  if (series.signal === "latency" && isWorse && before > 0) {
    // Every caller of a slow service waits as long as it does; it is the slow one that grows most beside what it was.
    return depth * Math.min(1, growthBase + growthWeight * Math.log2(Math.max(1, after / before)));
  }
  if (series.origin === "spans" && series.signal === "network" && isWorse && before > 0) {
    // One call that was on its way for long makes a peak beside hardly any spread; what tells is that they grow.
    return depth * Math.min(1, gapBase + gapWeight * Math.log2(Math.max(1, after / before)));
  }
  return depth * (signalWeights[series.signal] ?? 1);
}

const gapBase = 0.3;
const gapWeight = 0.3;

const relievedWeight = 0.5;
const growthBase = 0.6;
const growthWeight = 0.15;
const signalWeights: { readonly [Name in Signal]?: number } = { traffic: 0.7, other: 0.7 };

/** Kinds of metrics that grow worse in a service; at least one, so that what only falls is not held against it. */
function worseSignals(
  series: readonly DeviatingSeries[],
  isMeant: (series: DeviatingSeries) => boolean,
): number {
  const worse = series.filter(
    (item) =>
      isMeant(item) &&
      (item.series.signal === "availability") === (item.deviation.direction === "down"),
  );
  return Math.max(1, new Set(worse.map((item) => item.series.signal)).size);
}

/** Load runs from callers to those they call; slowness and failure run the other way. */
function explains(other: Draft, draft: Draft, surroundings: Surroundings): boolean {
  const { graph, intervalMicros, isMeant } = surroundings;
  if (other.onsetMicros > draft.onsetMicros + 2 * intervalMicros) return false;
  const hasTraffic = (service: Draft): boolean =>
    service.series.some(
      (item) =>
        isMeant(item) && item.series.signal === "traffic" && item.deviation.direction === "up",
    );
  if (isReached(graph, other.name, draft.name)) {
    const isBusier = hasTraffic(draft);
    const isOnlyBusier =
      isBusier && draft.series.every((item) => !isMeant(item) || item.series.signal === "traffic");
    return isOnlyBusier || (isBusier && hasTraffic(other));
  }
  if (!isReached(graph, draft.name, other.name)) return false;
  const suffers = other.series.some(
    (item) => isMeant(item) && item.series.signal !== "traffic" && item.series.signal !== "limit",
  );
  const hasOwn = draft.series.some(
    (item) =>
      isMeant(item) && isOwnResource(item.series.signal) && item.deviation.direction === "up",
  );
  return suffers && !hasTraffic(other) && !hasOwn && isLongEnough(other, draft);
}

/** Of the time by which a service grew longer, the share that one which explains it must have grown by. */
const explainedShareMin = 0.1;

/**
 * Spans tell how much longer everything took: what one service adds to its own work, or to calls on their way to it, no
 * other explains that hardly took longer.
 */
function isLongEnough(other: Draft, draft: Draft): boolean {
  const [deepest] = draft.series;
  if (deepest === undefined || !isSpanTime(deepest.series)) return true;
  const longest = ({ series }: Draft): number =>
    series
      .filter((item) => isSpanTime(item.series))
      .reduce((most, { deviation }) => Math.max(most, deviation.after - deviation.before), 0);
  const isTimed = other.series.some((item) => isSpanTime(item.series));
  return !isTimed || longest(other) >= explainedShareMin * longest(draft);
}

function spanOf(timesMicros: readonly number[]): number {
  return (timesMicros.at(-1) ?? 0) - (timesMicros[0] ?? 0);
}

function longest(lengths: readonly number[]): number {
  return lengths.reduce((most, length) => Math.max(most, length), 0);
}
