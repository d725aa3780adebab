/**
 * Bodies of HTTP responses that nobody reads to the end or closes. The goroutine that reads a connection waits in a
 * select while a body is open, and in a read of the network while the connection idles in the pool: so many idle
 * connections are never taken for open bodies.
 */

import type { Site } from "./goroutine-site.ts";
import type { GoroutineSeries, Moment } from "./goroutine-series.ts";
import { marks } from "./goroutine-role.ts";
import { blockedSince, placeOf } from "./goroutine-site.ts";
import type { GoroutineOptions } from "./options.ts";
import type { Suspicion } from "./suspicion.ts";
import { growthOf } from "./trend.ts";

const readLoop = "net/http.(*persistConn).readLoop";
const streamWaits =
  /^(?:net\/http\.\(\*http2clientStream\)|golang\.org\/x\/net\/http2\.\(\*clientStream\))\.writeRequest$/;

/** Open bodies of one recording that are proof when hardly anybody could hold one. */
const crowdCountMin = 100;

interface Bodies {
  readonly site: Site | undefined;
  /** Open bodies less those that a goroutine is reading or still waits to get. */
  readonly openCount: number;
  readonly oldCount: number;
  /** Goroutines that may hold one and are at something else. */
  readonly holderCount: number;
}

/** What open bodies tell; the sites that other rules found are not taken for holders of them. */
export function judgeBodies(
  series: GoroutineSeries,
  options: GoroutineOptions,
  stuck: ReadonlySet<string>,
): Suspicion[] {
  const bodies = series.moments.map((moment) => bodiesOf(moment, options, stuck));
  const last = bodies.at(-1);
  const moment = series.moments.at(-1);
  if (last?.site === undefined || moment === undefined) return [];
  const growth = growthOf(
    bodies.map(({ openCount }) => openCount),
    series.minutes,
  );
  const holders = last.holderCount - (bodies[0]?.holderCount ?? 0);
  const isGrowing =
    bodies.length > 1 &&
    growth.isSteady &&
    growth.last >= options.growthRatioMin * growth.first &&
    growth.growth >= (bodies.length > 2 ? options.trendGrowthCountMin : options.growthCountMin) &&
    holders < options.loadShareMin * growth.growth;
  const isOld = last.oldCount >= options.bodyCountMin && last.oldCount > last.holderCount;
  const isUnheld =
    last.openCount >= options.growthCountMin && last.openCount > 2 * last.holderCount;
  // One goroutine may hold some, but not so many.
  const isAbandoned =
    last.openCount >= crowdCountMin && last.openCount > 10 * (last.holderCount + 1);
  if (!isGrowing && !isOld && !isUnheld) return [];
  const why = isGrowing
    ? `There were ${bodies.map(({ openCount }) => openCount).join(", ")} open bodies that nobody was reading, while ${last.holderCount} goroutines could hold one.`
    : `${isOld ? `${last.oldCount} bodies have been open for ${options.blockedMinutesMin} minutes and longer` : `${last.openCount} bodies are open`}, and ${last.holderCount} goroutines could hold one.`;
  const isProved = isGrowing || isOld || isAbandoned;
  return [
    {
      verdict: isProved ? "violated" : "inconclusive",
      site: last.site,
      count: last.openCount,
      title: "keep connections whose response bodies were never closed",
      actual: `${why} ${callerWords(moment)}`,
      missing: isProved
        ? []
        : ["A second profile of the same process: bodies may be open for a moment."],
      fix: "Close the body of every response (defer response.Body.Close() after the error was checked), also where only the status is looked at; read it to the end to have the connection used again.",
      measures: {
        openBodyCount: last.openCount,
        openBodyFirstCount: bodies.length > 1 ? growth.first : undefined,
        holderCount: last.holderCount,
        recordingCount: bodies.length,
      },
    },
  ];
}

/** Whether a site is one that waits for a body to be closed. */
export function isBodySite(site: Site): boolean {
  const [top = ""] = site.functions;
  return site.blockedBy !== "io" && (top === readLoop || streamWaits.test(top));
}

function bodiesOf(
  moment: Moment,
  { blockedMinutesMin }: GoroutineOptions,
  stuck: ReadonlySet<string>,
): Bodies {
  let [openCount, oldCount, holderCount, busyCount] = [0, 0, 0, 0];
  let site: Site | undefined;
  for (const candidate of moment.sites.values()) {
    const { count, role } = candidate;
    if (isBodySite(candidate)) {
      openCount += count;
      oldCount += blockedSince(candidate, blockedMinutesMin);
      if (site === undefined || count > site.count) site = candidate;
    } else if ((candidate.marks & marks.exchange) !== 0) {
      busyCount += count;
    } else if ((role === "own" || role === "request") && !stuck.has(candidate.key)) {
      holderCount += count;
    }
  }
  return { site, openCount: Math.max(0, openCount - busyCount), oldCount, holderCount };
}

const callersListedMax = 5;

/** The code that makes requests, where the recording shows it at that; the connections themselves do not say it. */
function callerWords(moment: Moment): string {
  const callers = new Map<string, number>();
  for (const site of moment.sites.values()) {
    if ((site.marks & marks.clientCall) === 0) continue;
    const place = placeOf(site.code);
    callers.set(place, (callers.get(place) ?? 0) + site.count);
  }
  const listed = [...callers]
    .sort(([, left], [, right]) => right - left)
    .slice(0, callersListedMax)
    .map(([place]) => place);
  return listed.length === 0
    ? "No goroutine was seen making a request, so the code that opened them is not in the recording."
    : `Requests are made in ${listed.join(", ")}.`;
}
