/** Sites whose goroutines become more from recording to recording, and not because there are more requests. */

import { plural } from "../text/plural.ts";
import { activityBeside, explainsGrowth, isMoved, isWithinActivity, staying } from "./activity.ts";
import { marks } from "./goroutine-role.ts";
import type { Site } from "./goroutine-site.ts";
import type { GoroutineSeries, Moment } from "./goroutine-series.ts";
import { siblingCount } from "./judge-moment.ts";
import type { GoroutineOptions } from "./options.ts";
import { mayBeShared } from "./shared-waits.ts";
import { doingWords, fixOf, type Suspicion, waiting } from "./suspicion.ts";
import { type Growth, growthOf } from "./trend.ts";

/** Sites that grow, of a series of two recordings or more. */
export function judgeGrowth(series: GoroutineSeries, options: GoroutineOptions): Suspicion[] {
  const latest = series.moments.at(-1);
  if (latest === undefined || series.moments.length < 2) return [];
  const requests = growthOf(
    series.moments.map((moment) => moment.requestCount),
    series.minutes,
  );
  return [...latest.sites.values()].flatMap((site) => {
    const counts = series.moments.map((moment) => moment.sites.get(site.key)?.count ?? 0);
    const growth = growthOf(counts, series.minutes);
    const activity = {
      first: series.moments[0] === undefined ? 0 : activityBeside(series.moments[0], site.key),
      last: activityBeside(latest, site.key),
    };
    const stayingShare = staying(series.moments, site.key);
    const course = { counts, growth, requests, activity, stayingShare, series, latest };
    return isLarge(site, course, options) ? judgeSite(site, course, options) : [];
  });
}

interface Course {
  readonly counts: readonly number[];
  readonly growth: Growth;
  readonly requests: Growth;
  /** Goroutines at work beside these. */
  readonly activity: { readonly first: number; readonly last: number };
  /** The share of the oldest that are there from each recording to the next, where ids are known. */
  readonly stayingShare: number | undefined;
  readonly series: GoroutineSeries;
  readonly latest: Moment;
}

function isLarge(
  { blockedBy }: Site,
  { counts, growth }: Course,
  options: GoroutineOptions,
): boolean {
  const { first, last, isSteady } = growth;
  if (!isSteady || last < options.growthRatioMin * first) return false;
  if (counts.length > 2) return growth.growth >= options.trendGrowthCountMin;
  // Between two recordings a pool may have been filled, but not one of senders.
  const isNew = first === 0 && blockedBy !== "send" && blockedBy !== "forever";
  return growth.growth >= (isNew ? options.newGrowthCountMin : options.growthCountMin);
}

/** Without ids two recordings of what comes and goes differ by as much. */
function isWithinPair(
  { counts, growth, stayingShare }: Course,
  { pairRatioMin }: GoroutineOptions,
): boolean {
  const isBlind = counts.length === 2 && stayingShare === undefined;
  return isBlind && growth.last < pairRatioMin * growth.first;
}

function judgeSite(site: Site, course: Course, options: GoroutineOptions): Suspicion[] {
  switch (site.role) {
    case "own":
      return [ownSite(site, course, options)];
    case "client":
      return [clientSite(site, course, options)];
    case "request":
      return waiting.includes(site.blockedBy) ? [requestSite(site, course)] : [];
    case "runtime":
    case "listener":
    case "server-connection":
    case "client-connection":
    case "pool":
      return [];
  }
}

function ownSite(site: Site, course: Course, options: GoroutineOptions): Suspicion {
  const { counts, growth, requests, activity, stayingShare, series, latest } = course;
  const isLoad =
    explainsGrowth(growth, activity, options.loadShareMin) ||
    isWithinActivity(counts, { activity, requests }, stayingShare);
  const isOther = stayingShare !== undefined && stayingShare < stayingShareMin;
  const isLong = (series.minutes?.at(-1) ?? 0) >= options.blockedMinutesMin;
  const isStuck = waiting.includes(site.blockedBy) || (isLong && isSame(site, stayingShare));
  // They may take turns at what lets only so many work at once, of which more wait for a while.
  const isTurn = !isLong && siblingCount(latest, site, options) > 0;
  const isFilled = isFilledPool(site, course, options);
  const isAsking = (site.marks & marks.exchange) !== 0;
  const isShared = stayingShare === undefined && mayBeShared(site, series.moments, activity);
  // With ids it is known whether they stay, whatever the load does.
  const isOtherLoad = stayingShare === undefined && growth.isQuickening;
  const isLeak =
    isStuck &&
    !isShared &&
    !isLoad &&
    !isOtherLoad &&
    !isWithinPair(course, options) &&
    !isTurn &&
    !isOther &&
    !isAsking &&
    !isFilled &&
    !isMoved(series.moments, site, growth);
  return {
    ...base(site, course),
    verdict: isLeak ? "violated" : "inconclusive",
    actual: `${courseWords(course)} ${requestWords(requests)} ${stayingWords(stayingShare)}`.trim(),
    missing: isLeak ? [] : [missingFor({ isLoad, isOther, isAsking, isOtherLoad })],
  };
}

/** Between two recordings all of them were started by one goroutine, as a pool is. */
function isFilledPool(site: Site, { counts, growth }: Course, options: GoroutineOptions): boolean {
  if (counts.length > 2 || growth.first > 0 || !site.hasCreators) return false;
  return site.differentCreatorCount <= 1 && growth.last < options.poolCountMax;
}

/** What sleeps or runs is at work, unless it is the same each time. */
function isSame({ blockedBy }: Site, stayingShare: number | undefined): boolean {
  const isAtWork = blockedBy === "sleep" || blockedBy === "unknown";
  return isAtWork && stayingShare !== undefined && stayingShare >= sameShareMin;
}

/** Below this share of the oldest that stay, a site's goroutines are others each time. */
const stayingShareMin = 0.9;
const sameShareMin = 0.98;

function stayingWords(share: number | undefined): string {
  if (share === undefined) return "";
  return `Of the oldest ${Math.round(100 * share)} % were there from each to the next, at the least.`;
}

interface Doubt {
  readonly isLoad: boolean;
  readonly isOther: boolean;
  readonly isAsking: boolean;
  readonly isOtherLoad: boolean;
}

function missingFor({ isLoad, isOther, isAsking, isOtherLoad }: Doubt): string {
  if (isOther) {
    return "Recordings at the same load: these are other goroutines each time, so they end.";
  }
  if (isAsking) {
    return "How long they have waited: a dump (debug=2) after some minutes says so. The other side may only be slow.";
  }
  if (isLoad) {
    return "Recordings at the same load: these grow with the requests in flight, or with the goroutines that are at work.";
  }
  if (isOtherLoad) {
    return "Recordings at the same load, or dumps (debug=2), which name goroutines: these became more by far faster in the end, as with a load that rises.";
  }
  return "A recording after the load has ended, or dumps (debug=2), which say whether they are the same goroutines: those in this state may still be at work.";
}

function clientSite(site: Site, course: Course, options: GoroutineOptions): Suspicion {
  const client = site.client ?? "client";
  const isLeak =
    course.counts.length > 2 || (course.growth.first > 0 && !isWithinPair(course, options));
  return {
    ...base(site, course),
    verdict: isLeak ? "violated" : "inconclusive",
    title: `belong to one ${client} each: clients are opened and never closed`,
    actual: `${courseWords(course)} A ${client} is meant to be made once and shared.`,
    missing: isLeak ? [] : ["A third recording: clients may have been made once, at the start."],
    fix: `Make one ${client} when the program starts and share it, or close each one where it was made.`,
  };
}

function requestSite(site: Site, course: Course): Suspicion {
  return {
    ...base(site, course),
    verdict: "inconclusive",
    title: `serve requests and ${doingWords(site)}; they become more`,
    actual: courseWords(course),
    missing: [
      "Whether more requests came in, or how long these have been blocked: a dump (debug=2) after some minutes says so.",
    ],
  };
}

function base(site: Site, course: Course): Omit<Suspicion, "verdict" | "actual"> {
  return {
    site,
    count: site.count,
    title: `${doingWords(site)} and become more with each recording`,
    fix: fixOf(site),
    measures: {
      firstCount: course.growth.first,
      lastCount: course.growth.last,
      growthCount: course.growth.growth,
      slopeTheilSen: Number(course.growth.slope.toPrecision(4)),
      recordingCount: course.counts.length,
      requestsFirstCount: course.requests.first,
      requestsLastCount: course.requests.last,
    },
  };
}

/** Counts that one sentence lists. */
const countsListedMax = 12;

function courseWords({ counts }: Course): string {
  const listed =
    counts.length <= countsListedMax
      ? counts.join(", ")
      : `${counts.slice(0, countsListedMax - 1).join(", ")} … ${counts.at(-1)}`;
  return `There were ${listed} of them.`;
}

function requestWords({ first, last }: Growth): string {
  if (first === 0 && last === 0) return "No request was in flight in the first and the last.";
  return `Requests in flight: ${plural(first, "request")} in the first, ${last} in the last.`;
}
