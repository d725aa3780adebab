/** Connections of HTTP clients that idle and become more: a pool would have used the idle ones again. */

import { marks } from "./goroutine-role.ts";
import type { GoroutineSeries, Moment } from "./goroutine-series.ts";
import type { Site } from "./goroutine-site.ts";
import type { GoroutineOptions } from "./options.ts";
import type { Suspicion } from "./suspicion.ts";
import { growthOf } from "./trend.ts";

const readLoop = "net/http.(*persistConn).readLoop";
/** For each idle connection so many requests may be in flight, or the pool was filled by them. */
const busyShareMax = 0.1;

interface Idle {
  readonly site: Site | undefined;
  readonly idleCount: number;
  readonly busyCount: number;
}

/** What idle connections tell over two recordings or more. */
export function judgeIdleConnections(
  series: GoroutineSeries,
  options: GoroutineOptions,
): Suspicion[] {
  const moments = series.moments.map(idleOf);
  const last = moments.at(-1);
  if (last?.site === undefined || moments.length < 2) return [];
  const counts = moments.map(({ idleCount }) => idleCount);
  const growth = growthOf(counts, series.minutes);
  const isGrowing =
    growth.isSteady &&
    // Two recordings may show a pool that a burst has filled.
    growth.growth >= (moments.length > 2 ? options.growthCountMin : options.newGrowthCountMin) &&
    growth.last >= options.growthRatioMin * growth.first;
  const isQuiet = moments.every(({ busyCount }) => busyCount <= busyShareMax * growth.last);
  if (!isGrowing || !isQuiet) return [];
  return [
    {
      verdict: "inconclusive",
      site: last.site,
      count: last.idleCount,
      title: "keep idle connections of HTTP clients, and become more",
      actual: `There were ${counts.join(", ")} idle connections, and ${moments.map(({ busyCount }) => busyCount).join(", ")} requests in flight. A pool gives an idle connection before it opens a new one, so a client, or an http.Transport, may be made for each request.`,
      missing: [
        "Whether they go to one peer: listings of sockets (ss -tan) at the same times, or a burst of requests between the recordings that filled a large pool.",
      ],
      fix: "Make one http.Client when the program starts and share it.",
      measures: { idleCount: last.idleCount, idleFirstCount: counts[0] },
    },
  ];
}

function idleOf(moment: Moment): Idle {
  let [idleCount, busyCount] = [0, 0];
  let site: Site | undefined;
  for (const candidate of moment.sites.values()) {
    const [top = ""] = candidate.functions;
    const isReading = candidate.functions.includes(readLoop);
    if (isReading && candidate.blockedBy === "io") {
      idleCount += candidate.count;
      if (site === undefined || candidate.count > site.count) site = candidate;
    } else if ((candidate.marks & marks.exchange) !== 0 && top !== readLoop) {
      busyCount += candidate.count;
    }
  }
  return { site, idleCount, busyCount };
}
