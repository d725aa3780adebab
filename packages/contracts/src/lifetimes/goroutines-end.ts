/** Goroutines end when what they were started for is done. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { compareText } from "../text/compare-text.ts";
import { plural } from "../text/plural.ts";
import { type GoroutineSeries, goroutineSeriesOf } from "./goroutine-series.ts";
import { placeOf } from "./goroutine-site.ts";
import { judgeIdleConnections } from "./idle-connections.ts";
import { judgeGrowth } from "./judge-growth.ts";
import { crowdsOf, judgeMoment, siteQuote } from "./judge-moment.ts";
import type { GoroutineOptions } from "./options.ts";
import type { Suspicion } from "./suspicion.ts";
import { judgeBodies } from "./unclosed-bodies.ts";

/** What can be set, with its default. */
const options = {
  growthCountMin: {
    default: 20,
    description:
      "Goroutines that a site must have gained between two recordings to be a leak, when it had some in the first.",
  },
  newGrowthCountMin: {
    default: 100,
    description:
      "Goroutines that a site without any in the first of two recordings must have in the second; fewer may be a pool that was filled.",
  },
  poolCountMax: {
    default: 1_000,
    description:
      "Goroutines that one goroutine may start between two dumps, where there were none, and be a pool that was filled.",
  },
  trendGrowthCountMin: {
    default: 10,
    description: "Goroutines that a site must have gained over three recordings or more.",
  },
  growthRatioMin: {
    default: 1.5,
    description: "How many times more goroutines than in the first recording the last must have.",
  },
  pairRatioMin: {
    default: 2,
    description: "The same for two recordings of a form that names no ids of goroutines.",
  },
  loadShareMin: {
    default: 0.5,
    description:
      "Share of the growth by which requests in flight must have grown as well to explain it, from 0 to 1.",
  },
  blockedMinutesMin: {
    default: 5,
    description: "Minutes from which on a goroutine of a dump counts as blocked for long.",
  },
  blockedCountMin: {
    default: 10,
    description: "Senders of one site that must be blocked for long to be a leak in a single dump.",
  },
  orphanCountMin: {
    default: 100,
    description:
      "Receivers of one site, started by different goroutines that have ended, that must be blocked for long.",
  },
  lockedCountMin: {
    default: 2,
    description: "Goroutines that must wait for long for locks at one site.",
  },
  endlessCountMin: {
    default: 10,
    description: "Goroutines at a nil channel or a select without a case that are a leak.",
  },
  bodyCountMin: {
    default: 10,
    description: "Response bodies that must be open for long in a single dump.",
  },
};

export const goroutinesEnd: Contract = defineContract({
  id: "lifetimes/goroutines-end",
  version: 4,
  boundary: "process-resource",
  promise: "Goroutines end when what they were started for is done.",
  reads: ["goroutines"],
  options,
  check(snapshot, settings: GoroutineOptions, found) {
    return goroutineSeriesOf(snapshot).flatMap((series) => judge(series, settings).map(found));
  },
});

function judge(series: GoroutineSeries, settings: GoroutineOptions): FindingParts[] {
  const latest = series.moments.at(-1);
  if (latest === undefined) return [];
  const bySite = new Map<string, Suspicion>();
  const take = (suspicion: Suspicion): void => {
    const known = bySite.get(suspicion.site.key);
    if (known === undefined || isWorse(suspicion, known)) bySite.set(suspicion.site.key, suspicion);
  };
  for (const suspicion of judgeMoment(latest, settings)) take(suspicion);
  if (series.moments.length === 1) {
    for (const suspicion of crowdsOf(latest, settings)) take(suspicion);
  }
  for (const suspicion of judgeGrowth(series, settings)) take(suspicion);
  const stuck = new Set(
    [...bySite.values()]
      .filter(({ verdict }) => verdict === "violated")
      .map(({ site }) => site.key),
  );
  for (const suspicion of judgeBodies(series, settings, stuck)) take(suspicion);
  for (const suspicion of judgeIdleConnections(series, settings)) take(suspicion);
  const list = [...bySite.values()].sort(
    (left, right) =>
      Number(left.verdict !== "violated") - Number(right.verdict !== "violated") ||
      right.count - left.count ||
      compareText(left.site.key, right.site.key),
  );
  const listed = list.slice(0, findingCountMax).map((suspicion) => findingOf(series, suspicion));
  return listed.length > 0 ? listed : [nothingFound(series)];
}

/** Findings of one series: what more there is follows from the first. */
const findingCountMax = 50;

function isWorse(suspicion: Suspicion, known: Suspicion): boolean {
  return suspicion.verdict === "violated" && known.verdict !== "violated";
}

function findingOf(series: GoroutineSeries, suspicion: Suspicion): FindingParts {
  const { site, verdict, count, title, actual, missing, fix, measures } = suspicion;
  return {
    verdict,
    subject: { kind: "goroutines", name: subjectName(series, site.code.function, site.creator) },
    title: `${plural(count, "goroutine")} at ${placeOf(site.code)} ${title}`,
    actual: `${actual} They are at ${siteQuote(site)}.`,
    ...(verdict === "violated" ? { causeKind: "change" as const } : {}),
    measures: { goroutineCount: site.count, ...measures },
    evidence: referencesOf(series, site.key),
    missing: [...(missing ?? []), ...notComparedOf(series, verdict)],
    fixes: verdict === "violated" ? [{ description: fix, cost: 1 }] : [],
    nextChecks: [
      `Look at ${placeOf(site.code)}${site.creator === undefined ? "" : ` and at ${placeOf(site.creator)}, which starts it`}: on which path does nobody end it?`,
      "Take a goroutineleak profile (Go 1.26 and later), in which the garbage collector proves each leak.",
    ],
  };
}

function notComparedOf({ notCompared }: GoroutineSeries, verdict: string): string[] {
  return verdict === "inconclusive" && notCompared !== undefined ? [notCompared] : [];
}

function subjectName(
  { name }: GoroutineSeries,
  place: string,
  creator: { readonly function: string } | undefined,
): string {
  const by = creator === undefined ? "" : ` started by ${creator.function}`;
  return `${name === "" ? "" : `${name}: `}${place}${by}`;
}

function referencesOf(series: GoroutineSeries, key: string): EvidenceReference[] {
  return series.moments.flatMap(({ evidenceId, sites }) => {
    const site = sites.get(key);
    return site === undefined
      ? []
      : [{ evidenceId, locator: placeOf(site.code), quote: siteQuote(site) }];
  });
}

function nothingFound(series: GoroutineSeries): FindingParts {
  const { moments, name, notCompared } = series;
  const latest = moments.at(-1);
  const counts = moments.map(({ content }) => content.goroutineCount);
  const subject = { kind: "goroutines", name: name === "" ? "process" : name };
  const evidence = moments.map(({ evidenceId }) => ({ evidenceId }));
  const measures = { goroutineCount: counts.at(-1), recordingCount: moments.length };
  if (latest?.content.form === "leaks") {
    return {
      verdict: "inconclusive",
      subject,
      title: "The garbage collector proved no goroutine to be leaked",
      actual:
        "The collector does not see goroutines that wait for what a running one can still reach, such as a lock in a global variable.",
      measures,
      evidence,
      missing: ["Two recordings of all goroutines of the process, some minutes apart."],
    };
  }
  if (moments.length < 2) {
    return {
      verdict: "inconclusive",
      subject,
      title: `One recording of ${plural(counts[0] ?? 0, "goroutine")} shows no leak, and cannot show that there is none`,
      actual: "No site has goroutines that are blocked for long beyond doubt.",
      measures,
      evidence,
      missing: [
        notCompared ??
          "A second recording of the same process, some minutes later and at the same load, in a file whose name has a later number or time.",
      ],
    };
  }
  return {
    verdict: "holds",
    subject,
    title: `No site gains goroutines over ${plural(moments.length, "recording")}`,
    actual: `There were ${counts.join(", ")} goroutines; none of their sites grows from each recording to the next.`,
    measures,
    evidence,
  };
}
