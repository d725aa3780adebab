/** Descriptors, sockets and handles are released when they are done with. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { HeldResource } from "../model/resources.ts";
import { plural } from "../text/plural.ts";
import { type ResourceSeries, resourceSeriesOf, thingWords } from "./resource-series.ts";
import { type Growth, growthOf } from "./trend.ts";

/** What can be set, with its default. */
const options = {
  growthCountMin: {
    default: 20,
    description:
      "Things of one kind that a process must have gained from the first listing to the last.",
  },
  growthRatioMin: {
    default: 1.5,
    description: "How many times more than in the first listing there must be in the last.",
  },
  listingCountMin: {
    default: 3,
    description:
      "Listings over which things other than half-closed connections must grow to be a leak.",
  },
  halfClosedCountMin: {
    default: 100,
    description: "Connections to one peer in CLOSE-WAIT that are a leak in a single listing.",
  },
  reopenedCountMin: {
    default: 1_000,
    description:
      "Connections to one peer in TIME-WAIT from which on a new one seems to be opened for each request.",
  },
};

interface Options {
  readonly growthCountMin: number;
  readonly growthRatioMin: number;
  readonly listingCountMin: number;
  readonly halfClosedCountMin: number;
  readonly reopenedCountMin: number;
}

export const resourcesReleased: Contract = defineContract({
  id: "lifetimes/resources-released",
  version: 1,
  boundary: "process-resource",
  promise: "Descriptors, sockets and handles are released when they are done with.",
  reads: ["resources"],
  options,
  check(snapshot, settings: Options, found) {
    return resourceSeriesOf(snapshot)
      .filter(({ of }) => of !== "heap")
      .flatMap((series) => judge(series, settings).map(found));
  },
});

/** Findings of one series. */
const findingCountMax = 50;

function judge(series: ResourceSeries, settings: Options): FindingParts[] {
  const latest = series.listings.at(-1);
  if (latest === undefined) return [];
  const findings = [...latest.held].flatMap(([key, thing]) => {
    const counts = series.listings.map(({ held }) => held.get(key)?.count ?? 0);
    const course = { key, thing, counts, growth: growthOf(counts, series.minutes) };
    const found = judgeThing(course, settings);
    return found === undefined ? [] : [{ ...found, ...about(series, course) }];
  });
  findings.sort(
    (left, right) =>
      Number(left.verdict !== "violated") - Number(right.verdict !== "violated") ||
      right.measures.lastCount - left.measures.lastCount,
  );
  return findings.length > 0
    ? findings.slice(0, findingCountMax)
    : [nothingFound(series, settings)];
}

type Verdict = Pick<
  FindingParts,
  "verdict" | "title" | "actual" | "missing" | "fixes" | "boundary" | "causeKind"
>;

/** Things of one kind over the listings. */
interface Course {
  readonly key: string;
  readonly thing: HeldResource;
  readonly counts: readonly number[];
  readonly growth: Growth;
}

function judgeThing(course: Course, settings: Options): Verdict | undefined {
  const { thing, counts, growth } = course;
  const isServed = thing.target?.endsWith("(served)") === true;
  const isGrown =
    counts.length > 1 &&
    growth.isSteady &&
    growth.growth >= settings.growthCountMin &&
    growth.last >= settings.growthRatioMin * growth.first;
  if (thing.state === "CLOSE-WAIT") return halfClosed(course, isGrown, settings);
  if (thing.state === "TIME-WAIT") return reopened(thing, isServed, settings);
  if (!isGrown || isServed) return undefined;
  const isLong = counts.length >= settings.listingCountMin;
  const isBusy = thing.type === "tcp" || thing.type === "socket" || thing.type === "udp";
  return {
    verdict: isLong ? "violated" : "inconclusive",
    ...(isLong ? { causeKind: "change" as const } : {}),
    title: `${growth.last} × ${thingWords(thing)}, and more with each listing`,
    actual: `There were ${counts.join(", ")} of them.`,
    missing: isLong
      ? []
      : [
          `${settings.listingCountMin} listings at the same load: between two a pool may have been filled.`,
        ],
    fixes: isLong
      ? [
          {
            description: isBusy
              ? "Close each connection on every path, or share one client whose pool has a limit."
              : `Close what is opened as ${thingWords(thing)} on every path, also where work fails.`,
            cost: 1,
          },
        ]
      : [],
  };
}

function halfClosed(
  { thing, counts }: Course,
  isGrown: boolean,
  settings: Options,
): Verdict | undefined {
  const isLeak = isGrown || thing.count >= settings.halfClosedCountMin;
  if (!isLeak && thing.count < settings.growthCountMin) return undefined;
  return {
    verdict: isLeak ? "violated" : "inconclusive",
    boundary: "client-server",
    ...(isLeak ? { causeKind: "change" as const } : {}),
    title: `${plural(thing.count, "connection")} ${thing.target === undefined ? "" : `(${thing.target}) `}that the other side has closed and this side has not`,
    actual:
      counts.length > 1
        ? `There were ${counts.join(", ")} in CLOSE-WAIT.`
        : `${thing.count} are in CLOSE-WAIT: the peer is done, and the process still holds the descriptor.`,
    missing: isLeak ? [] : ["A second listing: the process may be about to close them."],
    fixes: isLeak
      ? [
          {
            description:
              "Close the connection when a read says that the other side is done, also where the response is not read to the end; give kept connections an idle time shorter than the peer's.",
            cost: 1,
          },
        ]
      : [],
  };
}

function reopened(thing: HeldResource, isServed: boolean, settings: Options): Verdict | undefined {
  if (isServed || thing.count < settings.reopenedCountMin) return undefined;
  return {
    verdict: "inconclusive",
    boundary: "client-server",
    title: `${thing.count} connections (${thing.target ?? "one peer"}) were closed within the last minutes: a new one seems to be opened for each request`,
    actual: `A connection stays in TIME-WAIT for about a minute on the side that closes it; ${thing.count} are.`,
    missing: [
      "How many requests were made in that time; spans of connecting would show it as well.",
    ],
    fixes: [],
  };
}

interface About {
  readonly subject: FindingParts["subject"];
  readonly measures: {
    readonly firstCount: number;
    readonly lastCount: number;
    readonly listingCount: number;
  };
  readonly evidence: EvidenceReference[];
}

function about(series: ResourceSeries, { key, thing, counts }: Course): About {
  const name = series.name === "" ? "" : `${series.name}: `;
  return {
    subject: { kind: series.of, name: `${name}${thingWords(thing)}` },
    measures: {
      firstCount: counts[0] ?? 0,
      lastCount: counts.at(-1) ?? 0,
      listingCount: counts.length,
    },
    evidence: series.listings.flatMap(({ evidenceId, held }) => {
      const here = held.get(key);
      return here === undefined
        ? []
        : [{ evidenceId, quote: `${here.count} × ${thingWords(here)}` }];
    }),
  };
}

function nothingFound(series: ResourceSeries, { listingCountMin }: Options): FindingParts {
  const totals = series.listings.map(({ content }) =>
    content.held.reduce((sum, { count }) => sum + count, 0),
  );
  const isEnough = series.listings.length >= listingCountMin;
  return {
    verdict: isEnough ? "holds" : "inconclusive",
    subject: { kind: series.of, name: series.name === "" ? "process" : series.name },
    title: isEnough
      ? `Nothing of what is held grows over ${plural(series.listings.length, "listing")}`
      : `${plural(series.listings.length, "listing")} of ${series.of} ${series.listings.length === 1 ? "shows" : "show"} no leak, and cannot show that there is none`,
    actual: `There were ${totals.join(", ")} in all.`,
    measures: { lastCount: totals.at(-1), listingCount: series.listings.length },
    evidence: series.listings.map(({ evidenceId }) => ({ evidenceId })),
    missing: isEnough
      ? []
      : [
          series.isOrdered
            ? `${listingCountMin} listings of the same process, some minutes apart, in files whose names have a number or a time.`
            : "The order of the listings: a number or a time in the names of their files.",
        ],
  };
}
