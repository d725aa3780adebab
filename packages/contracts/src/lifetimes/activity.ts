/** Whether more goroutines of a site are more work that is going on, and whether they are still the same ones. */

import type { Moment } from "./goroutine-series.ts";
import { familyOf, isActive, type Site } from "./goroutine-site.ts";

/** What a recording shows of work, beside one site: requests, connections that others keep open, and goroutines at work. */
export function activityBeside(moment: Moment, key: string): number {
  let count = moment.activeCount;
  const own = moment.sites.get(key);
  if (own !== undefined && isActive(own)) count -= own.count;
  return count;
}

/** Work that grows by less is noise. */
const activityGrowthMin = 5;
/** Work may grow a little less than what waits for it. */
const proportionMin = 0.6;
/** From here on two recordings are not of the same load, whatever else grew. */
const risingRatioMin = 2;
const risingShareMin = 0.1;

interface FirstAndLast {
  readonly first: number;
  readonly last: number;
}

/**
 * Whether work grew as much as a site, in number or in proportion, or so much that nothing can be compared: a load that
 * rises takes everything with it, and what leaks grows alone.
 */
export function explainsGrowth(
  site: FirstAndLast,
  activity: FirstAndLast,
  loadShareMin: number,
): boolean {
  const growth = activity.last - activity.first;
  const siteGrowth = site.last - site.first;
  if (growth < activityGrowthMin) return false;
  if (growth >= loadShareMin * siteGrowth) return true;
  if (activity.first === 0) return false;
  const ratio = activity.last / activity.first;
  if (ratio >= risingRatioMin && growth >= risingShareMin * siteGrowth) return true;
  return site.first > 0 && ratio >= (proportionMin * site.last) / site.first;
}

/** Recordings from which on a growth is hardly one by chance. */
const fewCount = 3;
const fewWithIdsCount = 2;
/** What is at work may have so many others wait for it. */
const waitersPerActiveMax = 2;
/** A request may have so many goroutines at work for it, from so many requests on. */
const waitersPerRequestMax = 10;
const requestCountMin = 5;

/**
 * Whether a few recordings may show by chance more of those who wait for what is at work, or of a pool that serves it: then
 * these are no more than that could have.
 */
export function isWithinActivity(
  counts: readonly number[],
  { activity, requests }: { readonly activity: FirstAndLast; readonly requests: FirstAndLast },
  stayingShare: number | undefined,
): boolean {
  if (counts.length > (stayingShare === undefined ? fewCount : fewWithIdsCount)) return false;
  const last = counts.at(-1) ?? 0;
  const served = Math.min(requests.first, requests.last);
  if (served >= requestCountMin && last <= waitersPerRequestMax * served) return true;
  return last <= waitersPerActiveMax * Math.min(activity.first, activity.last);
}

/** Of what a site gained, its family must have gained so much. */
const familyShareMin = 0.5;

/**
 * Whether goroutines that began in the same way only stand somewhere else: a pool whose workers are idle now and were at
 * work before has as many as it had.
 */
export function isMoved(
  moments: readonly Moment[],
  site: Site,
  { first, last }: FirstAndLast,
): boolean {
  const family = familyOf(site);
  const before = moments[0]?.families.get(family) ?? 0;
  const after = moments.at(-1)?.families.get(family) ?? 0;
  return after - before < familyShareMin * (last - first);
}

/** From so many ids on a share of them says something. */
const idCountMin = 5;

/**
 * The share of the oldest goroutines of a site that are there in the next recording, at the least; `undefined` where
 * recordings name none. What leaks stays; what works is other goroutines each time.
 */
export function staying(moments: readonly Moment[], key: string): number | undefined {
  let least: number | undefined;
  for (const [index, moment] of moments.entries()) {
    const before = moments[index - 1]?.sites.get(key);
    const after = moment.sites.get(key);
    if (index === 0 || before === undefined) continue;
    if (before.oldestIds === undefined || after?.oldestIds === undefined) return undefined;
    // A full list of the later recording reaches only so far.
    const reach = after.oldestIds.length < after.count ? (after.oldestIds.at(-1) ?? 0) : Infinity;
    const ids = before.oldestIds.filter((id) => id <= reach);
    if (ids.length < idCountMin) continue;
    const there = new Set(after.oldestIds);
    const share = ids.filter((id) => there.has(id)).length / ids.length;
    least = least === undefined ? share : Math.min(least, share);
  }
  return least;
}
