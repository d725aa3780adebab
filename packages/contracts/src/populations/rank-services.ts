/** Which services depart from what they were, the one first that departs earliest and deepest and is explained by no other. */

import type { Snapshot } from "../model/snapshot.ts";
import { adjustForMany } from "../statistics/benjamini-hochberg.ts";
import { compareText } from "../text/compare-text.ts";
import { type CallGraph, callGraphOf, isReached } from "./call-graph.ts";
import { type Deviation, deviationOf } from "./deviation.ts";
import { type ObservedSeries, observedSeriesOf } from "./observed-series.ts";
import { isOwnResource } from "./signal.ts";
import { spanSeriesOf } from "./span-series.ts";

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
  /** Large enough to matter, and not only to be sure. */
  readonly isLarge: boolean;
}

export interface RankedService {
  readonly name: string;
  /** Between 0 and 1 of the first service's. */
  readonly weight: number;
  readonly onsetMicros: number;
  /** The deepest first. */
  readonly series: readonly DeviatingSeries[];
  /** Services whose deviation explains this one's. */
  readonly explainedBy: readonly string[];
}

export interface Ranking {
  readonly services: readonly RankedService[];
  readonly seriesCount: number;
  /** Series with enough points to tell. */
  readonly judgedCount: number;
  readonly graph: CallGraph;
  /** The longest distance between neighbouring points of the deviating series. */
  readonly intervalMicros: number;
}

/** Ranks the services of a snapshot by its metrics, and by what its traces give of them. */
export function rankServices(snapshot: Snapshot, options: RankingOptions): Ranking {
  const all = [...observedSeriesOf(snapshot), ...spanSeriesOf(snapshot)];
  const judged = all.filter(({ values }) => values.length >= options.pointCountMin);
  const graph = callGraphOf(snapshot);
  const deviating = deviatingOf(judged, options);
  const byService = Map.groupBy(deviating, ({ series }) => series.service);
  const intervalMicros = Math.max(0, ...deviating.map(({ series }) => intervalOf(series)));
  const services = ranked(byService, graph, intervalMicros);
  return { services, seriesCount: all.length, judgedCount: judged.length, graph, intervalMicros };
}

/** The usual distance of neighbouring points. */
function intervalOf({ timesMicros }: ObservedSeries): number {
  const [first = 0] = timesMicros;
  return ((timesMicros.at(-1) ?? first) - first) / Math.max(1, timesMicros.length - 1);
}

function deviatingOf(
  judged: readonly ObservedSeries[],
  options: RankingOptions,
): DeviatingSeries[] {
  const found = judged.map((series) => deviationOf(series.values, options.pointCountMin));
  const chances = adjustForMany(found.map((deviation) => deviation?.chance ?? 1));
  return judged.flatMap((series, index) => {
    const deviation = found[index];
    const chance = chances[index] ?? 1;
    if (deviation === undefined || chance > options.errorRateMax) return [];
    if (deviation.score < options.scoreMin / 2) return [];
    const onsetMicros = series.timesMicros[deviation.index] ?? 0;
    const { before, after, score } = deviation;
    const relative = Math.abs(after - before) / Math.max(Math.abs(before), Math.abs(after), 1e-12);
    const isLarge = score >= options.scoreMin && relative >= options.relativeChangeMin;
    return [{ series, deviation, onsetMicros, chance, isLarge }];
  });
}

/** A service that follows the first one later than this share of the time seen counts a third. */
const lagShare = 0.1;
/** Each further kind of metric that rises in the same service makes it a likelier origin, up to so many. */
const breadthWeight = 0.15;
const breadthMax = 2;
/** What another service explains counts half. */
const explainedWeight = 0.5;

function ranked(
  byService: ReadonlyMap<string, readonly DeviatingSeries[]>,
  graph: CallGraph,
  intervalMicros: number,
): RankedService[] {
  const large = [...byService].filter(([, series]) => series.some(({ isLarge }) => isLarge));
  const all = large.flatMap(([, series]) => series.filter(({ isLarge }) => isLarge));
  const first = Math.min(...all.map(({ onsetMicros }) => onsetMicros));
  const spanMicros = Math.max(
    1,
    ...all.map(({ series }) => intervalOf(series) * series.timesMicros.length),
  );
  const drafts = large.map(([name, series]) => {
    const deepest = series.toSorted(
      (left, right) =>
        right.deviation.score - left.deviation.score ||
        compareText(left.series.name, right.series.name),
    );
    const onsetMicros = Math.min(
      ...series.filter(({ isLarge }) => isLarge).map((item) => item.onsetMicros),
    );
    const lag = Math.max(0, onsetMicros - first - intervalMicros);
    const depth = Math.log1p(deepest[0]?.deviation.score ?? 0);
    const breadth = 1 + breadthWeight * Math.min(breadthMax, risingSignals(series) - 1);
    return {
      name,
      series: deepest,
      onsetMicros,
      raw: depth * breadth * Math.exp(-lag / (lagShare * spanMicros)),
    };
  });
  const weighed = drafts.map((draft) => {
    const explainedBy = drafts
      .filter((other) => other !== draft && explains(other, draft, { graph, intervalMicros }))
      .map(({ name }) => name)
      .sort();
    return {
      ...draft,
      explainedBy,
      raw: draft.raw * (explainedBy.length > 0 ? explainedWeight : 1),
    };
  });
  const most = Math.max(...weighed.map(({ raw }) => raw));
  return weighed
    .map(({ raw, ...rest }) => ({ ...rest, weight: raw / most }))
    .sort((left, right) => right.weight - left.weight || compareText(left.name, right.name));
}

/** Kinds of metrics that rise in a service; at least one, so that what only falls is not held against it. */
function risingSignals(series: readonly DeviatingSeries[]): number {
  const rising = series.filter(({ deviation }) => deviation.direction === "up");
  return Math.max(1, new Set(rising.map((item) => item.series.signal)).size);
}

interface Draft {
  readonly name: string;
  readonly onsetMicros: number;
  readonly series: readonly DeviatingSeries[];
}

/** Load runs from callers to those they call; slowness and failure run the other way. */
function explains(
  other: Draft,
  draft: Draft,
  { graph, intervalMicros }: { graph: CallGraph; intervalMicros: number },
): boolean {
  if (other.onsetMicros > draft.onsetMicros + 2 * intervalMicros) return false;
  const hasTraffic = (service: Draft): boolean =>
    service.series.some(
      ({ series, deviation }) => series.signal === "traffic" && deviation.direction === "up",
    );
  if (isReached(graph, other.name, draft.name)) {
    const isBusier = hasTraffic(draft);
    const isOnlyBusier =
      isBusier && draft.series.every(({ series }) => series.signal === "traffic");
    return isOnlyBusier || (isBusier && hasTraffic(other));
  }
  if (!isReached(graph, draft.name, other.name)) return false;
  const suffers = other.series.some(
    ({ series }) => series.signal !== "traffic" && series.signal !== "limit",
  );
  const hasOwn = draft.series.some(
    ({ series, isLarge }) => isLarge && isOwnResource(series.signal),
  );
  return suffers && !hasTraffic(other) && !hasOwn;
}
