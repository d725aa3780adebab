/** Waits in which more goroutines at one site are as likely more work, where recordings name no ids. */

import type { Moment } from "./goroutine-series.ts";
import type { Site } from "./goroutine-site.ts";
import { isContextWatcher, waiting } from "./suspicion.ts";

/**
 * Whether goroutines of a site may wait for others that are still at work, or come and go with work that waits itself:
 * - at a lock, which a goroutine at work may hold;
 * - at a condition, which any other goroutine of the program may make true;
 * - over contexts of which those who wait elsewhere hold the same number each, at each recording.
 */
export function mayBeShared(
  site: Site,
  moments: readonly Moment[],
  activity: { readonly first: number; readonly last: number },
): boolean {
  switch (site.blockedBy) {
    case "lock":
      return Math.min(activity.first, activity.last) > 0;
    case "condition":
      return moments.every((moment) => hasOthers(moment, site));
    default:
      return isPaired(site, moments);
  }
}

/** Whether the program has a goroutine of its own at another site, beside its main one. */
function hasOthers({ sites }: Moment, site: Site): boolean {
  return [...sites.values()].some(
    (other) => other.key !== site.key && other.role === "own" && !other.isMain,
  );
}

/** The numbers of both may differ by so much from one proportion. */
const proportionDeviationMax = 0.1;
/** From so many on a proportion says something. */
const pairCountMin = 5;

/** Whether contexts and those who hold them became more together: then both end when the work does. */
function isPaired(site: Site, moments: readonly Moment[]): boolean {
  const isWatcher = isContextWatcher(site);
  const latest = moments.at(-1);
  if (latest === undefined) return false;
  return [...latest.sites.values()].some(
    (other) =>
      other.key !== site.key &&
      other.role === "own" &&
      !other.isMain &&
      isContextWatcher(other) !== isWatcher &&
      waiting.includes(other.blockedBy) &&
      isInProportion(
        moments.map(({ sites }) => sites.get(site.key)?.count ?? 0),
        moments.map(({ sites }) => sites.get(other.key)?.count ?? 0),
      ),
  );
}

function isInProportion(left: readonly number[], right: readonly number[]): boolean {
  const ratios = left.map((count, index) => count / (right[index] ?? 0));
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  const isEnough = [...left, ...right].every((count) => count >= pairCountMin);
  return isEnough && most <= (1 + proportionDeviationMax) * least;
}
