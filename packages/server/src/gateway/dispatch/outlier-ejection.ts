/** Takes out the targets of a route that fail far more often than their siblings, but never too many of them at once. */

import type { TargetHealth } from "./target-health.ts";

export interface OutlierBounds {
  /** Calls within the window below which a success rate says nothing. */
  readonly callCountMin: number;
  /** How many standard deviations below the mean of its siblings a rate may be. */
  readonly deviationCountMax: number;
  /** A rate that is at most this far below the mean is no outlier, however alike the siblings are. */
  readonly rateGapMin: number;
  /** The share of a route's targets that may be out at once, such as 0.5. */
  readonly ejectedShareMax: number;
}

interface Rated {
  readonly health: TargetHealth;
  readonly rate: number;
}

/** Two can be compared with each other, but of one that is alone nothing can be said. */
const ratedCountMin = 2;

/** Ejects outliers among the targets of one route, the worst first. Gives how many. */
export function ejectOutliers(targets: readonly TargetHealth[], bounds: OutlierBounds): number {
  const rated = targets.flatMap((health) => rate(health, bounds.callCountMin));
  if (rated.length < ratedCountMin) return 0;
  const outCount = targets.filter((target) => target.state !== "closed").length;
  let room = Math.floor(targets.length * bounds.ejectedShareMax) - outCount;
  let ejectedCount = 0;
  for (const suspect of rated.toSorted((left, right) => left.rate - right.rate)) {
    if (room <= 0) break;
    const siblings = rated.filter((other) => other !== suspect && other.health.state === "closed");
    if (siblings.length === 0 || !isOutlier(suspect, siblings, bounds)) break;
    suspect.health.open();
    room -= 1;
    ejectedCount += 1;
  }
  return ejectedCount;
}

function rate(health: TargetHealth, callCountMin: number): Rated[] {
  const { successCount, failureCount } = health.recent();
  const count = successCount + failureCount;
  if (health.state !== "closed" || count < callCountMin) return [];
  return [{ health, rate: successCount / count }];
}

/** Whether a rate is far below those of the siblings: the suspect's own rate would hide itself in the deviation. */
function isOutlier(suspect: Rated, siblings: readonly Rated[], bounds: OutlierBounds): boolean {
  const mean = siblings.reduce((sum, { rate }) => sum + rate, 0) / siblings.length;
  const variance = siblings.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0);
  const deviation = Math.sqrt(variance / siblings.length);
  const gap = Math.max(deviation * bounds.deviationCountMax, bounds.rateGapMin);
  return suspect.rate < mean - gap;
}
