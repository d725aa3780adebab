/** What one recording alone tells: goroutines that nothing can wake, and many that have been blocked for minutes. */

import { plural } from "../text/plural.ts";
import { blockedSince, placeOf, type Site } from "./goroutine-site.ts";
import type { Moment } from "./goroutine-series.ts";
import type { GoroutineOptions } from "./options.ts";
import { doingWords, fixOf, type Suspicion, waiting } from "./suspicion.ts";

/** The share of a site's goroutines that must have lost the one that started them. */
const orphanShareMin = 0.9;
const differentShareMin = 0.5;

/** Sites that this recording alone shows to be leaks, or makes suspect. */
export function judgeMoment(moment: Moment, options: GoroutineOptions): Suspicion[] {
  return [...moment.sites.values()].flatMap((site) => {
    const found =
      leaked(site) ??
      endless(site, options) ??
      unanswered(site, options) ??
      blocked(moment, site, options);
    return found === undefined ? [] : [found];
  });
}

/** A main goroutine that waits for ever keeps a program alive, and is meant to. */
function leaked(site: Site): Suspicion | undefined {
  if (site.leakedCount === 0 || site.role === "runtime") return undefined;
  if (site.isMain && site.leakedCount === 1) return undefined;
  return {
    verdict: "violated",
    site,
    count: site.leakedCount,
    title: `${doingWords(site)}, and the garbage collector found that nothing can ever wake them`,
    actual:
      "What they wait for can be reached from no goroutine that still runs, so they and all that they hold stay until the process ends.",
    fix: fixOf(site),
    measures: { leakedCount: site.leakedCount, isProvedByCollector: true },
  };
}

function endless(site: Site, { endlessCountMin }: GoroutineOptions): Suspicion | undefined {
  if (site.blockedBy !== "forever" || site.role === "runtime" || site.isMain) return undefined;
  if (site.count < endlessCountMin) return undefined;
  return {
    verdict: "violated",
    site,
    count: site.count,
    title: doingWords(site),
    actual:
      "A channel that is nil never gets a sender or a receiver, and a select without a case never goes on.",
    fix: fixOf(site),
    measures: { blockedCount: site.count },
  };
}

/** A call that waits for the beginning of its answer for long was made by a client without a timeout. */
function unanswered(site: Site, options: GoroutineOptions): Suspicion | undefined {
  const [top = ""] = site.functions;
  const count = blockedSince(site, options.blockedMinutesMin);
  if (!roundTrip.test(top) || count < options.blockedCountMin) return undefined;
  return {
    verdict: "inconclusive",
    site,
    count,
    title: `have waited for the answer to an HTTP request for ${options.blockedMinutesMin} minutes and longer`,
    actual:
      "A client with a timeout would have given up: this one has none, or one that is longer.",
    missing: [
      "Whether the server is meant to answer so late, as it is when it is asked to wait for news.",
    ],
    fix: `Give the client of ${site.code.function} a timeout, or the request a context with a deadline.`,
    measures: { blockedCount: count },
  };
}

const roundTrip =
  /^net\/http\.\(\*(?:persistConn\)\.roundTrip|http2ClientConn\)\.(?:roundTrip|RoundTrip))$/;

function blocked(moment: Moment, site: Site, options: GoroutineOptions): Suspicion | undefined {
  if (site.role !== "own" && site.role !== "request") return undefined;
  if (site.isMain) return undefined;
  const count = blockedSince(site, options.blockedMinutesMin);
  const measures = {
    blockedCount: count,
    minutesMost: Math.max(0, ...site.waits.keys()),
    startedByDifferentCount: site.hasCreators ? site.differentCreatorCount : undefined,
    orphanCount: site.hasCreators ? site.orphanCount : undefined,
  };
  const made = (verdict: Suspicion["verdict"], why: string): Suspicion => ({
    verdict,
    site,
    count,
    title: `${doingWords(site)}, for ${options.blockedMinutesMin} minutes and longer`,
    actual: why,
    missing:
      verdict === "violated"
        ? []
        : [
            "A second dump of the same process some minutes later, or a goroutineleak profile, which proves leaks.",
          ],
    fix: fixOf(site),
    measures,
  });
  if (site.blockedBy === "send" && count >= options.blockedCountMin) {
    return made(
      siblingCount(moment, site, options) === 0 ? "violated" : "inconclusive",
      `Nobody has received from the channel for ${options.blockedMinutesMin} minutes, while ${plural(count, "sender")} wait for it.`,
    );
  }
  if (site.blockedBy === "lock" && count >= options.lockedCountMin) {
    return made("violated", "Nobody has released the lock for as long.");
  }
  return isOrphaned(site, count, options)
    ? made(
        site.blockedBy === "receive" || site.blockedBy === "channel" ? "violated" : "inconclusive",
        `They were started by ${site.differentCreatorCount} different goroutines, of which those of ${site.orphanCount} have ended: no pool is filled so.`,
      )
    : undefined;
}

/**
 * Goroutines that began as these did and are further on: then the channel may be what lets only so many work at once, and
 * these wait for their turn.
 */
export function siblingCount(moment: Moment, site: Site, options: GoroutineOptions): number {
  const root = site.functions.at(-1);
  let count = 0;
  for (const other of moment.sites.values()) {
    if (other === site || other.functions.at(-1) !== root) continue;
    // Who waits for the same lock further in is stuck as these are.
    if (site.blockedBy === "lock" && other.blockedBy === "lock") continue;
    count += other.count - blockedSince(other, options.blockedMinutesMin);
  }
  return count;
}

/** Many goroutines at one site, of which one recording does not tell whether they ever go on. */
export function crowdsOf(moment: Moment, options: GoroutineOptions): Suspicion[] {
  return [...moment.sites.values()]
    .filter(
      ({ role, isMain, blockedBy, count }) =>
        role === "own" && !isMain && waiting.includes(blockedBy) && count >= options.growthCountMin,
    )
    .map((site) => ({
      verdict: "inconclusive",
      site,
      count: site.count,
      title: `${doingWords(site)}, and one recording does not tell whether they ever go on`,
      actual: "So many at one site are a large pool or a leak.",
      missing: [
        "A second recording of the same process, some minutes later and at the same load, in a file whose name has a later number or time.",
      ],
      fix: fixOf(site),
      measures: {},
    }));
}

/** Each was started by another goroutine that has ended since, as those are that a request leaves behind. */
function isOrphaned(site: Site, count: number, { orphanCountMin }: GoroutineOptions): boolean {
  return (
    site.role === "own" &&
    ["receive", "channel", "select", "group"].includes(site.blockedBy) &&
    count >= orphanCountMin &&
    site.hasCreators &&
    site.orphanCount >= orphanShareMin * site.count &&
    site.differentCreatorCount >= differentShareMin * site.count
  );
}

/** A line of evidence: the site as it stands in the recording. */
export function siteQuote(site: Site): string {
  const creator = site.creator === undefined ? "" : `, started by ${placeOf(site.creator)}`;
  const top = site.top === site.code ? "" : `, in ${placeOf(site.top)}`;
  return `${site.count} × [${site.state ?? "state not recorded"}] ${placeOf(site.code)}${top}${creator}`;
}
