/** Whether all that departs only follows the load: more of it came from outside, and everything grew with it. */

import type { DeviatingSeries } from "./deviating-series.ts";
import type { Ranking } from "./rank-services.ts";
import type { Signal } from "./signal.ts";

/** Kinds of metrics that grow with the load of a service that is well. */
const followingSignals: ReadonlySet<Signal> = new Set<Signal>([
  "traffic",
  "cpu",
  "memory",
  "disk",
  "network",
  "latency",
  "other",
]);
/** What follows the load grows at most so much more than the load, and noise adds this much. */
const excessMax = 0.5;
const noiseShare = 0.1;
const climbNoiseShare = 0.4;
/** Of the series of traffic, the share that must go the same way. */
const sameWayShareMin = 0.6;
const trafficCountMin = 2;

/**
 * How the load grew (or fell, below 1) where that explains all that surely departs; nothing where something departs by
 * itself. The load is what all series of traffic show together, those as well that do not surely depart.
 */
export function loadGrowthOf({ services, candidates }: Ranking): number | undefined {
  const large = services.flatMap(({ series }) => series.filter(({ isLarge }) => isLarge));
  const growths = candidates
    .flatMap(({ series }) => series.filter((item) => item.series.signal === "traffic"))
    .flatMap((item) => growthOf(item) ?? [])
    .sort((left, right) => left - right);
  if (large.length === 0 || growths.length < trafficCountMin) return undefined;
  const load = growths[Math.floor(growths.length / 2)] ?? 1;
  // Traffic that has ended altogether is an outage and explains nothing.
  if (load === 0) return undefined;
  const sameWay = growths.filter((growth) => growth >= 1 === load >= 1);
  if (sameWay.length < sameWayShareMin * growths.length) return undefined;
  return large.every((item) => isFollowing(item, load)) ? load : undefined;
}

function isFollowing(item: DeviatingSeries, load: number): boolean {
  const growth = growthOf(item);
  if (growth === undefined) return false;
  // Of a climb the last value stands for the level, which noise moves most.
  const noise = item.deviation.shape === "ramp" ? climbNoiseShare : noiseShare;
  const room = noise + (1 + excessMax) * Math.abs(Math.log(load));
  const isSameWay = growth >= 1 === load >= 1;
  return (
    followingSignals.has(item.series.signal) && isSameWay && Math.abs(Math.log(growth)) <= room
  );
}

/** Nobody can say how much grew what was nothing before. */
function growthOf({ deviation: { before, after } }: DeviatingSeries): number | undefined {
  return before > 0 ? Math.max(0, after) / before : undefined;
}
